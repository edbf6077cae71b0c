// Modules that are no bases: their functions are not those of the objects, or have no names.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../../tests/format-inputs.js';
import { wasmModule, wasmObject } from '../../../tests/wasm-inputs.js';
import { definedIn, prepareModule } from './base-facts.js';

const SOURCE = `
static int count;
__attribute__((noinline)) int step(int by) { count += by * 3; return count; }
__attribute__((noinline)) int other(int by) { count -= by; return count * 2; }
__attribute__((export_name("run"))) int run(int n) { return step(n) + other(n) + step(1); }
`;

function prepare(
  inputs: readonly string[],
  linked: readonly string[],
  ...flags: string[]
): ReturnType<typeof prepareModule> {
  const objects = inputs.map((path) => ({ name: path, bytes: bytesOf(path) }));
  const own = definedIn(objects);
  const module = { name: 'page.wasm', bytes: bytesOf(wasmModule(linked, ...flags)) };
  return prepareModule(module, objects, (name) => own.has(name));
}

test('a module of the objects is one', () => {
  const object = wasmObject('c', SOURCE, '-O1');
  const { facts } = prepare([object], [object]);
  assert.equal(
    facts.functions.filter(({ patchable }) => patchable).map(({ name }) => name),
    ['step', 'other', 'run'],
  );
});

test('what link-time optimisation made is refused: its code is in no object', () => {
  const object = wasmObject('c', SOURCE, '-O0');
  const late = wasmObject('c', SOURCE, '-O2', '-flto');
  assert.throws(() => prepare([object], [late]), /IPBP2040.*not that of its objects/);
});

test('a module without names is refused', () => {
  const object = wasmObject('c', SOURCE, '-O1');
  assert.throws(() => prepare([object], [object], '--strip-all'), /IPBP2040.*no names/);
});

test.run();
