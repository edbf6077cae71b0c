// Lines of Rust in a patch's module: the map that it holds leads from the instructions of an edit to its line, and a
// browser's debugger is told of it.
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chromium } from '../../conformance/setup/chromium.js';
import { readWasm } from '../../src/formats/wasm/read.js';
import { readSourceMap, sourceMapIn, sourceMapUrlOf } from '../source-map.js';
import { editedModule } from './edited-module.js';

const SOURCE = readFileSync(fileURLToPath(new URL('rust-program.rs', import.meta.url)), 'utf8');
const EDITED = SOURCE.replace('    x + 3', '    // A line more.\n    x + 1003');

const module = editedModule(SOURCE, (name) => /page|^(?:step|calls|run)$/.test(name));
const patch = module.edit(EDITED).bytes;
const url = sourceMapUrlOf(patch) ?? '';

test('the line of the edited expression is at the instruction that has its number', () => {
  const file = readWasm(patch, 'patch.wasm');
  const body = file.sections.find(({ kind, index }) => {
    return kind === 'code' && file.symbols.some(({ name, section }) => name === 'step' && section === index);
  });
  assert.ok(body);
  const segments = readSourceMap(sourceMapIn(url));
  const lines = EDITED.split('\n');
  // i32.const 1003, as no other instruction of the function has.
  const at = Buffer.from(patch).indexOf(Buffer.of(0x41, 0xeb, 0x07), body.offset);
  assert.ok(at > body.offset && at < body.offset + body.size);
  const origin = segments.filter(({ column }) => column <= at).at(-1)?.origin;
  assert.is(lines[origin?.line ?? -1], '    x + 1003');
  assert.is(origin?.column, 4);
  assert.match(origin?.source ?? '', /(?:^|\/)src\/lib\.rs$/);
  const own = segments.filter(({ column }) => column >= body.offset && column < body.offset + body.size);
  assert.is(own[0]?.column, body.offset);
  assert.match(lines[own[0]?.origin?.line ?? -1] ?? '', /fn step/);
  assert.is(segments.at(-1)?.origin, null, 'nothing behind the last function has a line');
});

test('the section is the last one, and small', () => {
  const small = module.edit(EDITED.replace('x + 1003', 'x + 1004')).bytes;
  const sections = readWasm(small, 'patch.wasm').wasm.files;
  const last = sections.at(-1);
  assert.is(last?.name, 'sourceMappingURL');
  assert.is((last?.offset ?? 0) + (last?.size ?? 0), small.length);
  assert.ok((last?.size ?? 0) < 300, `${last?.size} bytes of ${small.length}`);
});

test('the debugger of a browser is told where the map is', async () => {
  const browser = await chromium();
  try {
    const page = await browser.open('data:text/html,<!doctype html><title>lines</title>');
    const scripts = await page.debugged();
    await page.evaluate(
      `WebAssembly.compile(Uint8Array.from(atob('${Buffer.from(patch).toString('base64')}'), (c) => c.charCodeAt(0))).then(() => 0)`,
    );
    assert.equal(
      scripts.filter(({ language }) => language === 'WebAssembly').map(({ sourceMap }) => sourceMap),
      [url],
    );
  } finally {
    browser.close();
  }
});

test.after(() => module.remove());
test.run();
