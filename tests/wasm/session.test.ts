// `ipbp run` for a module: saves become patches of an instance in Node and of a page in a browser, whose statics stay; what
// cannot be patched is refused, or built anew and loaded again.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attached } from '../../agent/web/index.js';
import { type Browser, chromium, type Page } from '../../conformance/setup/chromium.js';
import { askSession } from '../../src/host/control/control-client.js';
import { type CargoFixture, cargoFixture, manifest } from '../cargo-fixture.js';
import { type ServedSession, servedSession } from './served-session.js';

const LIB = `use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Mutex;

pub struct Entry {
    pub value: u32,
}

static CALLS: AtomicU32 = AtomicU32::new(40);
static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

#[no_mangle]
pub extern "C" fn step(x: u32) -> u32 {
    CALLS.fetch_add(1, Ordering::Relaxed);
    ENTRIES.lock().unwrap().push(Entry { value: x });
    rules::weigh(x) + inner(x)
}

#[no_mangle]
pub extern "C" fn calls() -> u32 {
    CALLS.load(Ordering::Relaxed)
}

#[no_mangle]
pub extern "C" fn sum() -> u32 {
    ENTRIES.lock().unwrap().iter().map(|entry| entry.value).sum()
}

#[inline(never)]
fn inner(x: u32) -> u32 {
    x + 1
}
`;
const RULES = `pub fn weigh(x: u32) -> u32 {
    x * 10
}
`;
const HTML = `<!doctype html><title>served</title>
<script type="module">
  const { instance } = await WebAssembly.instantiateStreaming(fetch('build/page.wasm'));
  globalThis.page = instance.exports;
  globalThis.first = page.step(1);
</script>`;

let fixture: CargoFixture;
let browser: Browser;
let served: ServedSession | null = null;
const attached: Attached[] = [];

test.before(async () => {
  fixture = cargoFixture({
    'Cargo.toml': `${manifest('page', '[lib]\ncrate-type = ["cdylib"]\n\n[dependencies]\nrules = { path = "rules" }\n')}\n[workspace]\nmembers = ["rules"]\n`,
    'src/lib.rs': LIB,
    'rules/Cargo.toml': manifest('rules'),
    'rules/src/lib.rs': RULES,
    'www/index.html': HTML,
  });
  browser = await chromium();
});

test.before.each(() => {
  fixture.write('src/lib.rs', LIB);
  fixture.write('rules/src/lib.rs', RULES);
});

test.after.each(async () => {
  for (const one of attached.splice(0)) one.detach();
  served?.session.stop();
  await served?.session.done.catch(() => {});
  served = null;
});

test.after(() => {
  browser.close();
  fixture.remove();
});

type Functions = Record<'step' | 'calls' | 'sum', (x?: number) => number>;

async function until(page: Page, expression: string): Promise<void> {
  // A page that is just loaded anew forgets who asked.
  for (let tries = 0; tries < 100; tries++) {
    const seen = await page.evaluate(`Boolean(${expression})`).catch(() => false);
    if (seen === true) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${expression} did not come true: ${page.console.join('\n')}`);
}

test('edits of a crate and of a library, an error, a refusal, undo and redo, a page that is loaded anew', async () => {
  served = await servedSession(fixture);
  const { session, next, outcome } = served;
  const ready = await next('ready');
  assert.equal([ready.target, ready.redirect, ready.crates], ['wasm32-unknown-unknown', 'slots', ['rules', 'page']]);
  const url = ready.url ?? '';
  const node = await served.instance(url, 'page.wasm');
  attached.push(node);
  const { step, calls, sum } = node.instance.exports as unknown as Functions;
  const page = await browser.open(url);
  await until(page, 'globalThis.first');
  assert.is(await page.evaluate('first'), 12);
  assert.equal([step(1), calls(), sum()], [12, 41, 1]);

  // A body.
  fixture.write('src/lib.rs', LIB.replace('x + 1\n', 'x + 101\n'));
  const body = await served.patched();
  assert.equal(
    body.functions.map(({ name, verdict }) => [name, verdict]),
    [['page::inner', 'redirected']],
  );
  assert.equal([step(1), calls(), sum()], [112, 42, 2]);
  assert.equal(await page.evaluate('[page.step(1), page.calls(), page.sum()]'), [112, 42, 2]);

  // A new function with a static of its own.
  const more = LIB.replace(
    'x + 1\n}',
    'x + bonus()\n}\n\nfn bonus() -> u32 {\n    static GIVEN: AtomicU32 = AtomicU32::new(1000);\n    GIVEN.fetch_add(1, Ordering::Relaxed)\n}',
  );
  fixture.write('src/lib.rs', more);
  const added = await served.patched();
  assert.ok(added.functions.some(({ name, verdict }) => name === 'page::bonus' && verdict === 'added'));
  assert.ok(added.data.some(({ name, verdict }) => name.includes('GIVEN') && verdict === 'added'));
  assert.equal([step(1), step(1), calls()], [1011, 1012, 44]);
  assert.equal(await page.evaluate('[page.step(1), page.step(1), page.calls()]'), [1011, 1012, 44]);

  // A library of the workspace.
  fixture.write('rules/src/lib.rs', RULES.replace('x * 10', 'x * 20'));
  const library = await served.patched();
  assert.ok(library.functions.some(({ name }) => name === 'rules::weigh'));
  assert.is(step(1), 1 + 1002 + 20);
  assert.is(await page.evaluate('page.step(1)'), 1023);

  // An error, and its repair.
  fixture.write('src/lib.rs', more.replace('x + bonus()', 'x + bonus('));
  assert.match((await next('compile-error')).rendered, /unclosed delimiter|mismatched/);
  assert.is(step(1), 1024);
  fixture.write('src/lib.rs', more.replace('x + bonus()', 'x + 5 + bonus()'));
  await served.patched();
  assert.is(step(1), 1030);

  // Values of a type lie in memory as they are.
  const before = calls();
  fixture.write(
    'src/lib.rs',
    more
      .replace('pub value: u32,', 'pub value: u32,\n    pub more: u32,')
      .replace('{ value: x }', '{ value: x, more: 1 }'),
  );
  const refused = await outcome();
  assert.is(refused.event, 'refused');
  if (refused.event === 'refused') {
    assert.match(refused.items[0]?.code ?? '', /^IPBP3/);
    assert.is(refused.restarting, false);
  }
  assert.equal([step(1), calls()], [1031, before + 1]);
  fixture.write('src/lib.rs', more.replace('x + bonus()', 'x + 5 + bonus()'));
  assert.is((await outcome()).event, 'unchanged');

  // Back, and again, through the control socket as `ipbp undo` and `ipbp redo` do.
  const undone = await askSession(session.id, { command: 'undo', count: 1 });
  assert.is(undone.kind, 'events');
  assert.is(step(1), 1027);
  const redone = await askSession(session.id, { command: 'redo', count: 1 });
  assert.is(redone.kind, 'events');
  assert.equal([step(1), await page.evaluate('page.step(1)')], [1033, 1029]);
  const status = session.status();
  assert.equal(
    status.patches.map(({ live }) => live),
    [true, true, true, true],
  );

  // What comes later has all of it before its own code runs, its statics are its own.
  await page.evaluate('location.reload()').catch(() => undefined);
  await until(page, 'globalThis.first > 1000');
  assert.equal(await page.evaluate('[first, page.step(1), page.calls()]'), [1026, 1027, 42]);
  assert.equal(page.console, []);
  const late = await served.instance(url, 'anywhere/page.wasm');
  attached.push(late);
  assert.is((late.instance.exports as unknown as Functions).step(1), 1026);
  assert.equal(
    served.events.filter(({ event }) => event === 'note'),
    [],
  );

  session.interrupt();
  assert.equal(await session.done, { code: null, signal: 'SIGINT' });
});

test('a refusal with --on-refusal restart: built anew, and pages are loaded again', async () => {
  served = await servedSession(fixture, { onRefusal: 'restart' });
  const { next } = served;
  const url = (await next('ready')).url ?? '';
  const page = await browser.open(url);
  await until(page, 'globalThis.first');
  fixture.write(
    'src/lib.rs',
    LIB.replace('pub value: u32,', 'pub value: u32,\n    pub more: u32,').replace(
      '{ value: x }',
      '{ value: x + 1, more: 1 }',
    ),
  );
  assert.is((await next('refused')).restarting, true);
  await next('restarted');
  assert.is((await next('ready')).url, url, 'the address stays');
  await until(page, 'globalThis.first && page.sum() === 2');
  assert.is(page.loads(), 2);
  const text = fixture.read('src/lib.rs');
  fixture.write('src/lib.rs', text.replace('x + 1\n', 'x + 501\n'));
  await served.patched();
  assert.equal(await page.evaluate('[page.step(1), page.sum()]'), [512, 4]);
});

test('what only cargo can build is patched in without a reload', async () => {
  served = await servedSession(fixture);
  const { next } = served;
  const url = (await next('ready')).url ?? '';
  const page = await browser.open(url);
  await until(page, 'globalThis.first');
  fixture.write('src/lib.rs', LIB.replace('x + 1\n', 'if cfg!(feature = "big") { x + 901 } else { x + 1 }\n'));
  fixture.write('Cargo.toml', `${fixture.read('Cargo.toml')}\n[features]\ndefault = ["big"]\nbig = []\n`);
  await served.patched();
  assert.equal(await page.evaluate('[page.step(1), page.calls()]'), [912, 42]);
  assert.is(page.loads(), 1);
});

test('only crates that were named can be patched', async () => {
  served = await servedSession(fixture, { patchable: ['page'] });
  const { next } = served;
  const url = (await next('ready')).url ?? '';
  const node = await served.instance(url, 'page.wasm');
  attached.push(node);
  const { step } = node.instance.exports as unknown as Functions;
  fixture.write('rules/src/lib.rs', RULES.replace('x * 10', 'x * 20'));
  const patched = await served.patched();
  // It has no slot: who calls it is patched to call another.
  assert.ok(patched.functions.some(({ name, verdict }) => name === 'step' && verdict === 'redirected'));
  assert.is(step(1), 22);
});

test('a build that was not recorded, or not incremental, is not taken for the one that was', async () => {
  fixture.write('src/lib.rs', `${LIB}\n// Built by hand.\n`);
  fixture.cargo(['build', '-q', '--target', 'wasm32-unknown-unknown']);
  served = await servedSession(fixture);
  await served.next('ready');
  fixture.write('src/lib.rs', LIB.replace('x + 1\n', 'x + 7\n'));
  assert.equal(
    (await served.patched()).functions.map(({ name }) => name),
    ['page::inner'],
  );
  served.session.stop();
  await served.session.done;
  process.env['CARGO_INCREMENTAL'] = '0';
  try {
    served = await servedSession(fixture);
    await served.session.done.then(
      () => assert.unreachable(),
      (error: unknown) => assert.match(String(error), 'the build is not incremental'),
    );
  } finally {
    delete process.env['CARGO_INCREMENTAL'];
  }
});

test.run();
