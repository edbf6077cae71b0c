// What wasm-bindgen makes of a prepared module: a base, whatever the kind of its bindings and its options are, with all ways
// to the program's functions through their slots; each kind hands its instance to the agent. Refused where something moved.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chromium } from '../../conformance/setup/chromium.js';
import { encodeModule } from '../../src/formats/wasm/encode-sections.js';
import { factsOf, type WasmFacts } from '../../src/formats/wasm/facts.js';
import type { ModuleSection } from '../../src/formats/wasm/module.js';
import { knownSlots } from '../../src/formats/wasm/table-slots.js';
import { findBindgen } from '../../src/host/web/bindgen-command.js';
import { finishModule } from '../../src/host/web/finish-module.js';
import { startPageHost } from '../../src/host/web/page-host.js';
import { agentScript } from './agent-script.js';
import { type BindgenModule, bindgenModule } from './bindgen-module.js';
import { servePages } from './page-server.js';

const SOURCE = readFileSync(new URL('bindgen-app/lib.rs', import.meta.url), 'utf8');
let module: BindgenModule;

test.before(() => {
  module = bindgenModule(SOURCE);
});

test.after(() => module.remove());

const open = (bytes: Uint8Array): WasmFacts => factsOf(bytes, 'module');

test('no export leads past a slot, those of closures neither', () => {
  const { base } = module.glue('web');
  const facts = open(base.bytes);
  const patchable = new Set(base.facts.functions.flatMap(({ patchable: is, slot }) => (is ? slot : [])));
  const inSlots = new Set(
    [...knownSlots(facts.elementSegments())].flatMap(([index, slots]) =>
      slots.some((slot) => patchable.has(slot)) ? index : [],
    ),
  );
  const exported = (facts.content('export')?.exports ?? []).filter(({ kind }) => kind === 'function');
  assert.ok(exported.some(({ name }) => name.includes('invoke')));
  assert.equal(
    exported.filter(({ index }) => inSlots.has(index)).map(({ name }) => name),
    [],
  );
});

test('what moved or is gone is refused', () => {
  const { base } = module.glue('web');
  const changed = (change: (section: ModuleSection) => ModuleSection): Uint8Array =>
    encodeModule(open(base.bytes).sections().map(change));
  const refused = (bytes: Uint8Array, message: RegExp): void => {
    assert.throws(
      () => finishModule(module.prepared, { name: 'changed', bytes }),
      (error: Error & { code?: string }) => error.code === 'IPBP2041' && message.test(error.message),
    );
  };
  refused(
    changed((section) => {
      if (section.id !== 'data') return section;
      const [first, ...others] = section.segments;
      return {
        ...section,
        segments: [{ ...first!, bytes: Uint8Array.from(first!.bytes, (byte) => byte + 1) }, ...others],
      };
    }),
    /data lies elsewhere/,
  );
  refused(
    changed((section) =>
      section.id === 'export'
        ? { ...section, exports: section.exports.filter(({ name }) => name !== base.description.table) }
        : section,
    ),
    /an export is not there/,
  );
  refused(
    changed((section) =>
      section.id === 'element' ? { ...section, segments: section.segments.slice(0, -1) } : section,
    ),
    /slot \d+ has not the function/,
  );
  assert.ok(finishModule(module.prepared, { name: 'same', bytes: changed((section) => section) }));
});

test('another version than the program has is not taken', async () => {
  let said = '';
  await findBindgen('0.0.1', { PATH: process.env.PATH, HOME: '/nonexistent' }).catch((error: unknown) => {
    said = String(error);
  });
  assert.match(said, /IPBP5054.*0\.0\.1/);
});

/** As bundlers do: the module's imports are a script's exports, and its exports become the importer's. */
function bundled(folder: string, exports: readonly string[]): string {
  const { outputFiles } = buildSync({
    stdin: {
      contents: `import * as bindings from './page_bg.js';
const { instance } = await WebAssembly.instantiateStreaming(fetch('/bundler.wasm'), { './page_bg.js': bindings });
const { ${exports.join(', ')} } = instance.exports;
bindings.__wbg_set_wasm({ ${exports.join(', ')} });
__wbindgen_start();
globalThis.bundler = bindings;`,
      resolveDir: folder,
    },
    ...{ bundle: true, format: 'esm', target: 'es2022', write: false },
  });
  return outputFiles[0]?.text ?? '';
}

const HTML = (options: string): string => `<!doctype html><title>kinds</title>
<script src="/agent.js"></script>
<script>
  ipbpAgent.install(${options});
  globalThis.note = () => undefined;
</script>
<script src="/no-modules.js"></script>
<script type="module">
  import './bundler.js';
  import init, * as web from '/web.js';
  await init({ module_or_path: '/web.wasm' });
  await wasm_bindgen({ module_or_path: '/no-modules.wasm' });
  globalThis.all = [globalThis.bundler, web, wasm_bindgen];
</script>`;

test("web, no-modules and bundlers' bindings in one page: each instance gets the patch", async () => {
  const token = randomBytes(32);
  let origin = '';
  const host = await startPageHost({ token: new Uint8Array(token), origin: (given) => given === origin });
  const [web, plain, bundler] = [module.glue('web'), module.glue('no-modules'), module.glue('bundler')];
  const exports = (open(bundler.base.bytes).content('export')?.exports ?? []).map(({ name }) => name);
  const pages = await servePages({
    ...{ '/index.html': HTML(JSON.stringify({ url: host.url, token: token.toString('hex') })) },
    ...{ '/agent.js': agentScript(), '/bundler.js': bundled(bundler.folder, exports) },
    '/web.js': readFileSync(join(web.folder, 'page.js'), 'utf8'),
    '/no-modules.js': readFileSync(join(plain.folder, 'page.js'), 'utf8'),
    ...{ '/web.wasm': web.base.bytes, '/no-modules.wasm': plain.base.bytes, '/bundler.wasm': bundler.base.bytes },
  });
  origin = pages.origin;
  const browser = await chromium();
  try {
    const page = await browser.open(`${pages.origin}/`);
    await page.evaluate(
      'new Promise((done) => { const look = () => globalThis.all ? done() : setTimeout(look, 10); look(); })',
    );
    assert.equal(await page.evaluate('all.map((app) => app.title("you"))'), Array(3).fill('hello you'));
    const made = module.edit(SOURCE.replace('"hello {name}"', '"good bye {name}"'));
    assert.ok(made.kind === 'patch', JSON.stringify(made));
    const results = await host.add(made.patch, made.bytes);
    assert.equal(
      results.map(({ error }) => error),
      [null, null, null],
    );
    assert.equal(await page.evaluate('all.map((app) => app.title("you"))'), Array(3).fill('good bye you'));
    assert.equal(page.console, []);
  } finally {
    browser.close();
    pages.close();
    await host.close();
  }
});

test.run();
