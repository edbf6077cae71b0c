// Host and agents together: in Node over real connections, which are cut; and in a browser, where the page is loaded anew
// and workers share a memory. The patches are made by hand.
import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { attach, type AgentEvent, type Attached } from '../../agent/web/index.js';
import { madeBase, madePatch } from '../../agent/web/bases.test-support.js';
import { chromium, type Page } from '../../conformance/setup/chromium.js';
import { type PageEvent, type PageHost, startPageHost } from '../../src/host/web/page-host.js';
import { agentScript } from './agent-script.js';
import { servePages } from './page-server.js';

type Numeric = (x: number) => number;

const BASE = madeBase();
const PAGE = { twice: (x: number) => x * 2, hundred: (x: number) => x + 100, deep: (x: number) => x };

interface Hosted {
  readonly host: PageHost;
  readonly token: string;
  readonly events: PageEvent[];
  /** Resolves at the next event of a kind. */
  next(event: PageEvent['event']): Promise<PageEvent>;
}

async function start(origin: (origin: string | null) => boolean = (given) => given === null): Promise<Hosted> {
  const token = randomBytes(32);
  const events: PageEvent[] = [];
  const waiting: { readonly event: string; readonly resolve: (event: PageEvent) => void }[] = [];
  const host = await startPageHost({
    ...{ token: new Uint8Array(token), origin },
    onEvent(event) {
      events.push(event);
      for (const each of waiting.splice(0)) {
        if (each.event === event.event) each.resolve(event);
        else waiting.push(each);
      }
    },
  });
  const next = (event: string): Promise<PageEvent> => new Promise((resolve) => waiting.push({ event, resolve }));
  return { host, token: token.toString('hex'), events, next };
}

interface InNode {
  readonly attached: Attached;
  readonly run: Numeric;
  readonly told: AgentEvent[];
  readonly sockets: WebSocket[];
}

async function inNode({ host, token }: Hosted, given = token): Promise<InNode> {
  const module = new WebAssembly.Module(BASE.bytes);
  const imports = { page: PAGE };
  const told: AgentEvent[] = [];
  const sockets: WebSocket[] = [];
  const open = (url: string): WebSocket => {
    const socket = new WebSocket(url);
    sockets.push(socket);
    return socket;
  };
  const attached = attach(module, new WebAssembly.Instance(module, imports), imports, {
    ...{ url: host.url, token: given, name: 'test', open },
    told: (event) => told.push(event),
  })!;
  await attached.ready;
  return { attached, run: attached.instance.exports['run'] as unknown as Numeric, told, sockets };
}

const step = (name: string) => ({ step: { module: 'page', name } });

test('a patch comes to all instances, also to those that come later; an undo takes it back', async () => {
  const hosted = await start();
  const one = await inNode(hosted);
  const first = madePatch(BASE, 1, step('hundred'));
  const [result] = await hosted.host.add(first.patch, first.bytes);
  assert.equal([result?.error, one.run(5)], [null, 120]);
  const second = madePatch(BASE, 2, step('twice'));
  const two = await inNode(hosted);
  assert.is(two.run(5), 120);
  const results = await hosted.host.add(second.patch, second.bytes);
  assert.equal([results.length, one.run(5), two.run(5)], [2, 25, 25]);
  await hosted.host.undo();
  assert.equal([one.run(5), two.run(5)], [120, 120]);
  for (const { attached } of [one, two]) attached.detach();
  await hosted.host.close();
});

test('through twenty cut connections no patch is lost and none comes twice', async () => {
  const hosted = await start();
  const one = await inNode(hosted);
  let number = 0;
  for (let cut = 0; cut < 20; cut++) {
    const back = hosted.next('ready');
    const sent: Promise<unknown>[] = [];
    for (let each = 0; each < 5; each++) {
      const { patch, bytes } = madePatch(BASE, ++number, step(number % 2 === 0 ? 'hundred' : 'twice'));
      sent.push(hosted.host.add(patch, bytes));
      // In the middle of them, at another place each time.
      if (each === cut % 5) one.sockets.at(-1)?.terminate();
    }
    await Promise.all(sent);
    await back;
  }
  const patched = one.told.filter(({ event }) => event === 'patched').map(({ patch }) => patch);
  assert.equal(
    patched,
    Array.from({ length: 100 }, (_, at) => at + 1),
  );
  assert.is(one.told.filter(({ event }) => event === 'disconnected').length, 20);
  assert.equal([one.run(5), hosted.host.pages[0]?.kind], [120, 'node']);
  one.attached.detach();
  await hosted.host.close();
});

test('who does not know the token, or comes from elsewhere, is sent away', async () => {
  const hosted = await start((origin) => origin === 'http://127.0.0.1:1');
  const statusOf = (headers: Record<string, string>): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(hosted.host.url, { headers });
      socket.on('open', () => resolve('open')).on('error', ({ message }) => resolve(message));
    });
  assert.match(await statusOf({ origin: 'http://example.org' }), /403/);
  assert.match(await statusOf({}), /403/);
  assert.match(await statusOf({ origin: 'http://127.0.0.1:1', host: 'example.org' }), /403/);
  assert.is(await statusOf({ origin: 'http://127.0.0.1:1' }), 'open');
  await hosted.host.close();
  const strict = await start();
  const away = strict.next('rejected');
  const one = await inNode(strict, '00'.repeat(32));
  await Promise.race([away, new Promise((resolve) => setTimeout(resolve, 500))]);
  assert.equal(strict.host.pages, []);
  assert.is(one.run(5), 21, 'it runs without');
  one.attached.detach();
  await strict.host.close();
});

test('an instance that does not answer is named, and has the patch when it can', async () => {
  const hosted = await start();
  const one = await inNode(hosted);
  one.sockets[0]?.pause();
  const { patch, bytes } = madePatch(BASE, 1, step('hundred'));
  const [result] = await hosted.host.add(patch, bytes);
  assert.equal([result?.error?.code, result?.page.name], ['IPBP4025', 'test']);
  one.sockets[0]?.resume();
  await hosted.host.undo();
  await hosted.host.add(patch, bytes);
  assert.is(one.run(5), 120);
  one.attached.detach();
  await hosted.host.close();
});

const PAGE_HTML = (options: string): string => `<!doctype html><title>page</title>
<script src="/agent.js"></script>
<script>ipbpAgent.install(${options})</script>
<script type="module">
  const page = { twice: (x) => x * 2, hundred: (x) => x + 100, deep: (x) => x };
  const { instance } = await WebAssembly.instantiateStreaming(fetch('/base.wasm'), { page });
  globalThis.exported = instance.exports;
  globalThis.first = instance.exports.run(5);
  globalThis.isInstance = instance instanceof WebAssembly.Instance;
</script>`;

/** Waits until something is true in the page. */
async function until(page: Page, expression: string): Promise<void> {
  const look = `const look = () => (${expression}) ? resolve() : setTimeout(look, 10); look();`;
  await page.evaluate(`new Promise((resolve) => { ${look} })`);
}

test('in a browser: patched while it is open, and loaded anew it comes up patched', async () => {
  let origin = '';
  const hosted = await start((given) => given === origin);
  const options = JSON.stringify({ url: hosted.host.url, token: hosted.token });
  const files = { '/index.html': PAGE_HTML(options), '/base.wasm': BASE.bytes, '/agent.js': agentScript() };
  const pages = await servePages(files);
  origin = pages.origin;
  const browser = await chromium();
  try {
    const arrived = hosted.next('ready');
    const page = await browser.open(`${pages.origin}/`);
    await arrived;
    await until(page, 'globalThis.exported');
    assert.is(await page.evaluate('exported.run(5)'), 21);
    const one = madePatch(BASE, 1, step('hundred'));
    const [result] = await hosted.host.add(one.patch, one.bytes);
    assert.is(result?.error, null);
    assert.equal(await page.evaluate('[exported.run(5), first, isInstance]'), [120, 21, true]);
    assert.is(page.loads(), 1);
    const again = hosted.next('ready');
    hosted.host.reload('the test wants it');
    await again;
    await until(page, 'globalThis.exported');
    assert.equal(await page.evaluate('[exported.run(5), first]'), [120, 120], 'before its own code ran');
    assert.is(page.loads(), 2);
    assert.equal(page.console, []);
  } finally {
    browser.close();
    pages.close();
    await hosted.host.close();
  }
});

const THREADED = madeBase('-matomics', '-mbulk-memory', '--shared-memory', '--import-memory', '--max-memory=67108864');

/** Workers instantiate the module on the page's memory and run it when they are asked. */
const THREADS_HTML = (options: string): string => `<!doctype html><title>threads</title>
<script src="/agent.js"></script>
<script>ipbpAgent.install(${options})</script>
<script type="module">
  const page = { twice: (x) => x * 2, hundred: (x) => x + 100, deep: (x) => x };
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 1024, shared: true });
  const { instance } = await WebAssembly.instantiateStreaming(fetch('/base.wasm'), { page, env: { memory } });
  const answer = (worker) => new Promise((resolve) => worker.addEventListener('message', ({ data }) => resolve(data), { once: true }));
  const ask = (worker, question) => { const said = answer(worker); worker.postMessage(question); return said; };
  const workers = [1, 2, 3, 4].map((number) => new Worker('/worker.js', { name: 'worker ' + number }));
  await Promise.all(workers.map((worker) => ask(worker, { memory })));
  globalThis.all = async () => [instance.exports.run(5), ...await Promise.all(workers.map((worker) => ask(worker, 'run')))];
  // In memory that the program does not use.
  globalThis.block = () => workers[2].postMessage('wait');
  globalThis.wake = () => Atomics.notify(new Int32Array(memory.buffer), 4);
  globalThis.at = (address) => new Uint8Array(memory.buffer)[address];
  globalThis.put = (address, value) => { new Uint8Array(memory.buffer)[address] = value; };
  globalThis.isUp = true;
</script>`;

const WORKER_JS = (options: string): string => `importScripts('/agent.js');
ipbpAgent.install(${options});
const page = { twice: (x) => x * 2, hundred: (x) => x + 100, deep: (x) => x };
let run, memory;
onmessage = async ({ data }) => {
  if (data === 'run') postMessage(run(5));
  else if (data === 'wait') Atomics.wait(new Int32Array(memory.buffer), 4, 0);
  else {
    memory = data.memory;
    const { instance } = await WebAssembly.instantiateStreaming(fetch('/base.wasm'), { page, env: { memory } });
    run = instance.exports.run;
    postMessage('up');
  }
};`;

test('threads: each worker has the patch, data is written once, a worker that waits is named and misses nothing', async () => {
  let origin = '';
  const hosted = await start((given) => given === origin);
  const options = JSON.stringify({ url: hosted.host.url, token: hosted.token });
  const pages = await servePages({
    ...{ '/index.html': THREADS_HTML(options), '/worker.js': WORKER_JS(options) },
    ...{ '/base.wasm': THREADED.bytes, '/agent.js': agentScript() },
  });
  origin = pages.origin;
  const browser = await chromium();
  try {
    const page = await browser.open(`${pages.origin}/`);
    await until(page, 'globalThis.isUp');
    assert.equal(await page.evaluate('all()'), [21, 21, 21, 21, 21]);
    assert.equal(hosted.host.pages.map(({ name }) => name).sort(), [
      '/',
      'worker 1',
      'worker 2',
      'worker 3',
      'worker 4',
    ]);
    assert.is(new Set(hosted.host.pages.map(({ group }) => group)).size, 1);
    const at = hosted.host.pages[0]!.arena.at;
    const data = { memory: { at, end: at + 1 } };
    const first = madePatch(THREADED, 1, step('hundred'), data, Uint8Array.of(7));
    const results = await hosted.host.add(first.patch, first.bytes);
    assert.equal(
      results.map(({ error }) => error),
      [null, null, null, null, null],
    );
    assert.equal(await page.evaluate('all()'), [120, 120, 120, 120, 120]);
    assert.is(await page.evaluate(`at(${at})`), 7);
    await page.evaluate(`put(${at}, 9)`);
    await page.evaluate('block()');
    for (const [number, name] of [
      [2, 'twice'],
      [3, 'hundred'],
      [4, 'twice'],
    ] as const) {
      const next = madePatch(THREADED, number, step(name));
      const said = await hosted.host.add(next.patch, next.bytes);
      const late = said.filter(({ error }) => error !== null).map(({ error, page: of }) => [of.name, error?.code]);
      assert.equal(late, [['worker 3', 'IPBP4025']]);
    }
    await page.evaluate('wake()');
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 300))');
    assert.equal(await page.evaluate('all()'), [25, 25, 25, 25, 25]);
    assert.is(await page.evaluate(`at(${at})`), 9, 'what the program made of the data stays');
    assert.equal(page.console, []);
  } finally {
    browser.close();
    pages.close();
    await hosted.host.close();
  }
});

test('a trap in a patch is told to the host: which patch and which function', async () => {
  const hosted = await start();
  const one = await inNode(hosted);
  const trapped = hosted.next('trapped');
  // Calls a function of the page's that calls the instance again, until the stack of calls is used up.
  const { patch, bytes } = madePatch(BASE, 1, { other: { module: 'env', name: 'run' } });
  const [result] = await hosted.host.add(patch, bytes);
  assert.is(result?.error, null);
  assert.throws(() => one.run(5), /Maximum call stack/);
  const loop = hosted.events.filter(({ event }) => event === 'trapped');
  assert.equal(loop, [], 'an overflow of the engine is its own error');
  await hosted.host.undo();
  assert.is(one.run(5), 21);
  const second = madePatch(BASE, 2, { step: { module: 'env', name: 'crash' } });
  await hosted.host.add(second.patch, second.bytes);
  assert.throws(() => one.run(5), /unreachable/);
  const event = await trapped;
  assert.ok(event.event === 'trapped');
  assert.equal([event.trap.patch, event.trap.function, event.trap.message], [2, 'step', 'unreachable']);
  await hosted.host.undo();
  assert.is(one.run(5), 21, 'the instance goes on');
  one.attached.detach();
  await hosted.host.close();
});

test.run();
