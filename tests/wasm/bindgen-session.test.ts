// `ipbp run` in a project of wasm-bindgen's, in a browser: the bindings are made by the user's own wasm-bindgen, saves become
// patches of the open page; what needs new bindings gets them, and the page is loaded anew for that alone.
import { readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chromium, type Page } from '../../conformance/setup/chromium.js';
import {
  BINDGEN_DEPENDENCIES,
  KEEP_OBJECTS,
  wasmBindgen,
  withBindgenDependencies,
} from '../../conformance/setup/wasm-bindgen.js';
import { type CargoFixture, cargoFixture, manifest } from '../cargo-fixture.js';
import { servedSession } from './served-session.js';

const SOURCE = readFileSync(new URL('bindgen-app/lib.rs', import.meta.url), 'utf8');
const PARTS = readFileSync(new URL('bindgen-app/parts.rs', import.meta.url), 'utf8');
const HTML = `<!doctype html><title>bindgen</title><button>more</button>
<script type="module">
  import init, * as app from './pkg/page.js';
  await init();
  globalThis.note = () => undefined;
  const button = document.querySelector('button');
  app.keep(button);
  app.listen(button);
  Object.assign(globalThis, { app, button, counter: new app.Counter(), held: app.adder(10) });
  globalThis.click = () => { button.click(); return app.clicks(); };
</script>`;

async function until(page: Page, expression: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    // A page that is just loaded anew forgets who asked.
    const seen = await page.evaluate(`Boolean(${expression})`).catch(() => false);
    if (seen === true) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${expression} did not come true: ${page.console.join('\n')}`);
}

/** A project of wasm-bindgen's with a page, whose dependencies are compiled. */
function project(page: Readonly<Record<string, string>>): CargoFixture {
  const fixture = cargoFixture({
    'Cargo.toml': manifest(
      'page',
      `[lib]\ncrate-type = ["cdylib"]\n\n${BINDGEN_DEPENDENCIES}page-parts = { path = "parts" }\n\n[workspace]\nmembers = ["parts"]\n`,
    ),
    'src/lib.rs': SOURCE,
    'parts/Cargo.toml': manifest('page-parts', BINDGEN_DEPENDENCIES),
    'parts/src/lib.rs': PARTS,
    // As the dependencies were compiled.
    '.cargo/config.toml': KEEP_OBJECTS,
    ...page,
  });
  withBindgenDependencies(fixture.root);
  return fixture;
}

test.before(() => {
  process.env.PATH = `${wasmBindgen()}${delimiter}${process.env.PATH ?? ''}`;
});

test('edits of bodies, closures and a library; then one that needs new bindings, and one after it', async () => {
  const fixture = project({ 'index.html': HTML });
  const browser = await chromium();
  const served = await servedSession(fixture, { onRefusal: 'default' });
  try {
    const ready = await served.next('ready');
    const page = await browser.open(ready.url ?? '');
    await until(page, 'globalThis.click');
    assert.equal(await page.evaluate('[counter.step(), held(1), click(), app.largest(2, 3)]'), [2, 11, 1, 3]);

    fixture.write('src/lib.rs', SOURCE.replace('self.value += 1', 'self.value += 100'));
    const method = await served.patched();
    assert.equal(
      method.functions.map(({ name, verdict }) => [name, verdict]),
      [['page::Counter::step', 'redirected']],
    );
    assert.is(await page.evaluate('counter.step()'), 102);

    fixture.write('src/lib.rs', SOURCE.replace('|x: u32| x + by)', '|x: u32| x + by + 1000)'));
    await served.patched();
    assert.equal(await page.evaluate('[counter.step(), held(1), click()]'), [103, 1011, 2]);

    fixture.write('parts/src/lib.rs', PARTS.replace('js_sys::Math::max(a, b)', '10.0 * js_sys::Math::max(a, b)'));
    await served.patched();
    assert.equal(await page.evaluate('[app.largest(2, 3), app.kept()[0] === button]'), [30, true]);
    assert.is(page.loads(), 1);

    fixture.write('src/lib.rs', SOURCE.replace('"hello {name}"', '"hello {name} {}", js_sys::Math::min(1.0, 2.0)'));
    const refused = await served.next('refused');
    assert.equal(
      [refused.restarting, refused.items.map(({ code, name }) => [code, name])],
      [true, [['IPBP3050', 'js_sys::Math::min']]],
    );
    await served.next('restarted');
    await until(page, 'globalThis.click && app.title("you") === "hello you 1"');
    assert.equal([page.loads(), await page.evaluate('[counter.step(), click()]')], [2, [2, 1]]);

    fixture.write('src/lib.rs', SOURCE.replace('"hello {name}"', '"hello {name} {}", js_sys::Math::min(5.0, 7.0)'));
    await served.patched();
    assert.is(await page.evaluate('app.title("you")'), 'hello you 5');
    assert.equal([page.loads(), page.console], [2, []]);
  } finally {
    browser.close();
    served.session.stop();
    await served.session.done.catch(() => {});
    fixture.remove();
  }
});

/** As trunk and wasm-pack do: look for the version, build, call wasm-bindgen, copy what it made to where the page is. */
const TOOL = `set -e
wasm-bindgen --version > version
cargo build -q --target wasm32-unknown-unknown
wasm-bindgen --target=no-modules --no-typescript --out-dir=made --out-name=it target/wasm32-unknown-unknown/debug/page.wasm
cp made/it.js dist/it-1234.js
cp made/it_bg.wasm dist/it-1234_bg.wasm
cp page.html dist/index.html
`;
const TOOL_HTML = `<!doctype html><title>made</title><script src="it-1234.js"></script>
<script>
  globalThis.note = () => undefined;
  wasm_bindgen({ module_or_path: 'it-1234_bg.wasm' }).then(() => (globalThis.app = wasm_bindgen));
</script>`;

test('a page that a command makes, which calls wasm-bindgen by itself', async () => {
  const fixture = project({ 'make-page': TOOL, 'page.html': TOOL_HTML });
  const browser = await chromium();
  const served = await servedSession(fixture, { serve: 'dist', buildPage: 'sh make-page' });
  try {
    const ready = await served.next('ready');
    assert.match(fixture.read('version'), /^wasm-bindgen \d/);
    const page = await browser.open(ready.url ?? '');
    await until(page, 'globalThis.app');
    await page.evaluate('globalThis.counter = new app.Counter(), counter.step()');
    fixture.write('src/lib.rs', SOURCE.replace('self.value += 1', 'self.value += 100'));
    await served.patched();
    assert.equal(await page.evaluate('[counter.step(), app.title("you")]'), [102, 'hello you']);
    assert.equal([page.loads(), page.console], [1, []]);
  } finally {
    browser.close();
    served.session.stop();
    await served.session.done.catch(() => {});
    fixture.remove();
  }
});

test.run();
