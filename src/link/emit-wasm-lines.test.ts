import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readSourceMap, sourceMapIn, sourceMapUrlOf } from '../../tests/source-map.js';
import { readWasm } from '../formats/wasm/read.js';
import { emitWasmPatch } from './emit-wasm-patch.js';
import type { ImageFunction } from './linked-image.js';

/** No locals, some `nop`, the end. */
const body = (size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, at) => (at === 0 ? 0 : at === size - 1 ? 0x0b : 1));

const f = (slot: number, size: number, lines?: ImageFunction['lines']): ImageFunction => {
  return { name: `f${slot}`, slot, type: 0, bytes: body(size), ...(lines !== undefined && { lines }) };
};

function moduleOf(functions: readonly ImageFunction[]): Uint8Array {
  const stubs = [{ name: 'stub', slot: 9, type: 0 }];
  return emitWasmPatch({
    code: { types: ['() -> ()'], globals: [], imports: [], stubs, functions, slotsEnd: 4 },
    ...{ segments: [], redirects: [], globals: [], imports: [], sharedPages: null, description: Uint8Array.of(1) },
  });
}

test('rows are at their instructions in the file; functions without lines have none', () => {
  const row = { source: 'a.rs', line: 7, column: 3 };
  const module = moduleOf([
    f(1, 200, [
      { offset: 0, ...row },
      { offset: 4, ...row },
      { offset: 150, ...row, line: 0 },
      { offset: 160, ...row, column: 0 },
    ]),
    f(2, 20),
    f(3, 20, [
      { offset: 2, source: 'b.rs', line: 1, column: 1 },
      { offset: 20, source: null, line: 1, column: 1 },
    ]),
  ]);
  const [first = 0, , third = 0] = readWasm(module, 'patch').sections.flatMap(({ kind, offset, size }) =>
    kind === 'code' && size >= 20 ? offset : [],
  );
  assert.equal(module.subarray(first, first + 200), body(200));
  assert.equal(readSourceMap(sourceMapIn(sourceMapUrlOf(module) ?? '')), [
    { column: first, origin: { source: 'a.rs', line: 6, column: 2 } },
    { column: first + 150, origin: null },
    { column: first + 160, origin: { source: 'a.rs', line: 6, column: 0 } },
    { column: first + 200, origin: null },
    { column: third + 2, origin: { source: 'b.rs', line: 0, column: 0 } },
    { column: third + 20, origin: null },
  ]);
  assert.equal(
    readWasm(module, 'patch')
      .wasm.files.map(({ name }) => name)
      .slice(-2),
    ['.ipbp.patch', 'sourceMappingURL'],
  );
});

test('where no function has lines there is no section', () => {
  assert.is(sourceMapUrlOf(moduleOf([f(1, 20), f(2, 20, [])])), null);
});

test.run();
