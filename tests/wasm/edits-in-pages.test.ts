// Edits of Rust in an open page: what rustc makes of them comes as patches into instances in Node and in a browser, with all
// values kept; a page that is loaded again has them before its own code runs; an undo takes the last back.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { attach } from '../../agent/web/index.js';
import { chromium } from '../../conformance/setup/chromium.js';
import { type PageEvent, startPageHost } from '../../src/host/web/page-host.js';
import { agentScript } from './agent-script.js';
import { editedModule } from './edited-module.js';
import { servePages } from './page-server.js';

const SOURCE = readFileSync(fileURLToPath(new URL('rust-program.rs', import.meta.url)), 'utf8');
const EDITS = [
  SOURCE.replace('x + 3', 'x + 1003'),
  SOURCE.replace('x + 3', 'x + 2003').replace(
    'CALLS.fetch_add(1, Ordering::Relaxed);',
    'static NEW: Mutex<Vec<u32>> = Mutex::new(Vec::new());\n    static FIRST: AtomicU32 = AtomicU32::new(500);\n    NEW.lock().unwrap().push(x);\n    CALLS.fetch_add(NEW.lock().unwrap().len() as u32 + FIRST.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);',
  ),
] as const;

const HTML = (options: string): string => `<!doctype html><title>edited</title>
<script src="/agent.js"></script>
<script>ipbpAgent.install(${options})</script>
<script type="module">
  const { instance } = await WebAssembly.instantiateStreaming(fetch('/page.wasm'));
  globalThis.page = instance.exports;
  globalThis.first = page.step(1);
</script>`;

test('two edits, the second with a new static: in Node and in a browser, then undone, then loaded anew', async () => {
  const module = editedModule(SOURCE, (name) => /page|^(?:step|calls|run)$/.test(name));
  const token = randomBytes(32);
  let origin = '';
  const events: PageEvent[] = [];
  const host = await startPageHost({
    token: new Uint8Array(token),
    origin: (given) => given === null || given === origin,
    onEvent: (event) => events.push(event),
  });
  const options = { url: host.url, token: token.toString('hex') };
  const pages = await servePages({
    ...{ '/index.html': HTML(JSON.stringify(options)), '/agent.js': agentScript() },
    '/page.wasm': module.prepared.bytes,
  });
  origin = pages.origin;
  const compiled = new WebAssembly.Module(new Uint8Array(module.prepared.bytes));
  const open = (url: string): WebSocket => new WebSocket(url);
  const attached = attach(compiled, new WebAssembly.Instance(compiled), {}, { ...options, name: 'node', open })!;
  await attached.ready;
  const { step, calls } = attached.instance.exports as unknown as Record<'step' | 'calls', (x: number) => number>;
  const browser = await chromium();
  try {
    const page = await browser.open(`${pages.origin}/`);
    const until = (expression: string): Promise<unknown> =>
      page.evaluate(
        `new Promise((done) => { const look = () => (${expression}) ? done() : setTimeout(look, 10); look(); })`,
      );
    await until('globalThis.page && globalThis.first');
    assert.equal([step(1), calls(0)], [4, 41]);
    assert.equal(await page.evaluate('[first, page.calls()]'), [4, 41]);

    const one = module.edit(EDITS[0]);
    assert.equal(
      (await host.add(one.patch, one.bytes)).map(({ error }) => error),
      [null, null],
    );
    assert.equal([step(1), calls(0)], [1004, 42]);
    assert.equal(await page.evaluate('[page.step(1), page.calls()]'), [1004, 42]);

    const two = module.edit(EDITS[1]);
    assert.equal(
      (await host.add(two.patch, two.bytes)).map(({ error }) => error),
      [null, null],
    );
    assert.equal([step(1), step(1), calls(0)], [2004, 2004, 1046], '42 + 501 + 503');
    assert.equal(await page.evaluate('[page.step(1), page.step(1), page.calls()]'), [2004, 2004, 1046]);
    assert.is(page.loads(), 1);

    await host.undo();
    module.undone();
    assert.equal([step(1), calls(0)], [1004, 1047]);
    const again = module.edit(EDITS[1]);
    await host.add(again.patch, again.bytes);
    assert.equal([step(1), calls(0)], [2004, 1047 + 505], 'statics of the undone patch are used again');

    host.reload('the test wants it');
    await until('globalThis.page && globalThis.first === 2004').catch(() => undefined);
    await until('globalThis.page && globalThis.first === 2004');
    // Their values in a fresh instance are the initial ones, though the patch that brought them was undone.
    assert.equal(await page.evaluate('[page.calls(), page.step(5), page.calls()]'), [541, 2008, 541 + 503]);
    assert.equal([page.loads(), page.console], [2, []]);
    assert.equal(
      events.filter(({ event }) => event === 'trapped' || event === 'rejected'),
      [],
    );
  } finally {
    attached.detach();
    browser.close();
    pages.close();
    await host.close();
    module.remove();
  }
});

test.run();
