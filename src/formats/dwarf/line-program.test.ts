// Lines of objects as compilers write them, row by row what LLVM's own reader says; and broken programs: whatever the bytes,
// rows or an IpbpError.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf, output } from '../../../tests/format-inputs.js';
import { wasmObject } from '../../../tests/wasm-inputs.js';
import { IpbpError } from '../../codes/error.js';
import * as wasm from '../wasm/constants.js';
import { readWasm } from '../wasm/read.js';
import { readLines } from './line-program.js';

const SOURCE = `
# 1 "/one/folder/first.c"
static int hidden(int x) {
  int sum = 0;
  for (int i = 0; i < x; i++) sum += i * x;
  return sum;
}
__attribute__((weak)) int maybe(int x) { return x + 1; }
# 900 "sub/second.h"
int work(int x) {
  if (x > 3)
    return hidden(x) + maybe(x);
  return hidden(x + 1);
}
`;
const OPTIONS = ['-gdwarf-4', '-gdwarf-5'].flatMap((version) =>
  ['-O0', '-O2'].map((level) => [version, level] as const),
);

/** Offset in the content of the section of code, line and column. */
type Row = readonly [number, number, number];

/** Of rows at one place the last. */
function llvmRows(path: string): Row[] {
  const rows = new Map<number, Row>();
  for (const [text, address, line, column] of output('llvm-dwarfdump', ['--debug-line', path]).matchAll(
    /^0x([0-9a-f]{16}) +(\d+) +(\d+) .*$/gm,
  )) {
    const at = Number.parseInt(address ?? '', 16);
    if (!text.includes('end_sequence')) rows.set(at, [at, Number(line), Number(column)]);
  }
  return [...rows.values()].sort(([a], [b]) => a - b);
}

for (const options of OPTIONS) {
  test(`every row is where LLVM has it: ${options.join(' ')}`, () => {
    const path = wasmObject('c', SOURCE, ...options);
    const file = readWasm(bytesOf(path), 'lines.o');
    const code = file.wasm.files[file.wasm.indexOf(wasm.SECTION_CODE)]?.offset ?? 0;
    const lines = [...readLines(file)];
    const rows = lines.flatMap(([section, found]) =>
      found
        .filter(({ source }) => source !== null)
        .map(({ offset, line, column }): Row => [(file.sections[section]?.offset ?? 0) - code + offset, line, column]),
    );
    assert.equal(
      rows.sort(([a], [b]) => a - b),
      llvmRows(path),
    );
    const sizes = lines.map(([section, found]) => [found.at(-1)?.offset, file.sections[section]?.size]);
    for (const [end, size] of sizes) assert.is(end, size, 'a function has lines to its end');
    const sources = new Set(lines.flatMap(([, found]) => found.flatMap(({ source }) => source ?? [])));
    assert.ok(sources.has('/one/folder/first.c'), [...sources].join());
    assert.ok([...sources].some((source) => source.endsWith('sub/second.h')));
  });
}

test('an object without lines has none', () => {
  assert.is(readLines(readWasm(bytesOf(wasmObject('c', SOURCE)), 'none.o')).size, 0);
});

for (const version of ['-gdwarf-4', '-gdwarf-5']) {
  test(`changed bytes are read or refused: ${version}`, () => {
    const bytes = bytesOf(wasmObject('c', SOURCE, version));
    const places = readWasm(bytes, 'whole.o').sections.filter(({ name }) => name.startsWith('.debug_line'));
    const place = fc.constantFrom(...places).chain(({ offset, size }) => fc.nat(size - 1).map((at) => offset + at));
    const change = fc.record({ at: place, value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)) });
    let refused = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const broken = new Uint8Array(bytes);
        for (const { at, value } of changes) broken[at] = value;
        try {
          readLines(readWasm(broken, 'hostile.o'));
        } catch (error) {
          if (!(error instanceof IpbpError)) throw error;
          assert.match(error.code, /^IPBP100[123]$/);
          refused++;
        }
      }),
      { numRuns: 500 },
    );
    assert.ok(refused > 0);
  });
}

test.run();
