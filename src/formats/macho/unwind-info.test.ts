import * as fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MACHO_MACHINES, type MachoMachine } from '../../../tests/macho-inputs.js';
import { LoadCommands, machoLibraryOf, objdump } from '../../../tests/macho-library.js';
import { encodeUnwindInfo, frameRecordEncoding, isByFrameRecord, type FunctionUnwind } from './encode-unwind-info.js';
import { readUnwindInfo, type UnwindInfoRow } from './unwind-info.js';

/** Functions with and without cleanups, with every number of saved registers, large frames among them. */
const SOURCE = `
extern "C" void use(...);
struct Droppable { Droppable(); ~Droppable(); long value; };
int caught(int x) { try { use(x); } catch (int e) { return e; } return 0; }
int dropped() { Droppable a, b; use(1); return a.value + b.value; }
long leaf(long a, long b) { return a * b; }
extern "C" __attribute__((naked)) void bare() { __asm__("nop\\n nop\\n"); }
${Array.from({ length: 700 }, (_, i) => {
  const values = Array.from({ length: i % 9 }, (_unused, k) => `long v${k} = f(${k});`).join(' ');
  const uses = Array.from({ length: i % 9 }, (_unused, k) => `v${k}`).join(', ');
  const buffer = i % 5 === 0 ? `char room[${8 + i * 64}]; use(room);` : '';
  return `long many${i}(long (*f)(long)) { ${values} ${buffer} use(${uses}); ${i % 50 === 3 ? 'Droppable d; use();' : ''} return f(${i}); }`;
}).join('\n')}
`;

const LIBRARY = (machine: MachoMachine): string => machoLibraryOf(SOURCE, machine, '-undefined', 'dynamic_lookup');

/** The section's place in the file. */
function place(file: LoadCommands): { offset: number; size: number } {
  const name = new TextEncoder().encode('__unwind_info\0\0\0__TEXT\0');
  const at = Buffer.from(file.bytes).indexOf(name);
  return { offset: file.u32(at + 48), size: file.u64(at + 40) };
}

function rowsOf(file: LoadCommands): UnwindInfoRow[] {
  const { offset, size } = place(file);
  return readUnwindInfo(file.bytes.subarray(offset, offset + size), 'lib', offset);
}

const HAS_LSDA = 0x4000_0000;

/** Start, encoding and language table of each row, by a disassembler. */
function listed(path: string): string[] {
  const text = objdump(path, '--unwind-info');
  const lsdas = new Map([...text.matchAll(/function offset=(0x\w+), LSDA offset=(0x\w+)/g)].map(([, f, l]) => [f, l]));
  return [...text.matchAll(/function offset=(0x\w+), encoding(?:\[\d+\])?=(0x\w+)/g)].map(([, start, encoding]) => {
    const lsda = Number(encoding) & HAS_LSDA ? Number(lsdas.get(start)) : null;
    return `${Number(start)} ${Number(encoding)} ${lsda}`;
  });
}

const shown = (rows: readonly UnwindInfoRow[]): string[] =>
  rows.map((row) => `${row.start} ${row.encoding} ${row.lsda}`);

const functionsOf = (rows: readonly UnwindInfoRow[]): FunctionUnwind[] =>
  rows.filter(({ encoding }) => encoding !== 0).map((row) => ({ ...row, length: row.end - row.start }));

/** What is to be done at an address. */
function lookUp(rows: readonly UnwindInfoRow[], address: number): unknown {
  const row = rows.findLast(({ start }) => start <= address);
  return row === undefined || address >= row.end ? null : [row.encoding, row.personality, row.lsda];
}

for (const machine of MACHO_MACHINES) {
  test(`unwind information of ${machine} is read as a disassembler reads it, and written to mean the same`, () => {
    const path = LIBRARY(machine);
    const file = LoadCommands.of(path);
    const rows = rowsOf(file);
    assert.ok(rows.length > 300);
    assert.ok(rows.filter(({ lsda }) => lsda !== null).length > 10);
    assert.is(new Set(rows.map(({ personality }) => personality)).size, 2);
    assert.equal(shown(rows), listed(path));

    const encoded = encodeUnwindInfo(machine, functionsOf(rows));
    const { offset, size } = place(file);
    assert.ok(encoded.length <= size);
    const copy = new LoadCommands(file.bytes.slice());
    copy.bytes.fill(0, offset, offset + size);
    copy.bytes.set(encoded, offset);
    writeFileSync(`${path}.again`, copy.bytes);
    const again = rowsOf(copy);
    assert.equal(shown(again), listed(`${path}.again`));
    for (const { start, end } of rows) {
      for (const address of [start, end - 1]) assert.equal(lookUp(again, address), lookUp(rows, address));
    }
    assert.is(lookUp(again, rows.at(-1)!.end), null);
  });
}

test('any functions are found again, and nothing between them', () => {
  const one = fc.record({
    gap: fc.nat(40).map((n) => n * 16),
    length: fc.integer({ min: 1, max: 3_000_000 }),
    encoding: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.nat(0x0fff_ffff)),
    personality: fc.option(fc.constantFrom(8, 16, 24), { nil: null }),
    lsda: fc.option(fc.nat(100_000), { nil: null }),
  });
  const expectedBits = (f: FunctionUnwind, personalities: number[]): number => {
    const which = f.personality === null ? 0 : personalities.indexOf(f.personality) + 1;
    return f.encoding + which * 0x1000_0000 + (f.lsda === null ? 0 : HAS_LSDA);
  };
  fc.assert(
    fc.property(fc.array(one, { maxLength: 1500, size: 'max' }), fc.constantFrom(...MACHO_MACHINES), (all, machine) => {
      let at = 0x4000;
      const functions = all.map(({ gap, ...rest }): FunctionUnwind => {
        const start = Math.ceil((at + gap) / 16) * 16;
        at = start + rest.length;
        return { ...rest, start };
      });
      const bytes = encodeUnwindInfo(machine, functions);
      if (functions.length === 0) return assert.is(bytes.length, 0);
      const personalities = [...new Set(functions.map(({ personality }) => personality))].filter((p) => p !== null);
      const rows = readUnwindInfo(bytes, 'x', 0);
      let row = 0;
      functions.forEach((f, i) => {
        while (row + 1 < rows.length && rows[row + 1]!.start <= f.start) row++;
        const { encoding, lsda, start } = rows[row]!;
        assert.equal([encoding >>> 0, lsda], [expectedBits(f, personalities), f.lsda]);
        if (f.lsda !== null) assert.is(start, f.start);
        const end = f.start + f.length;
        const next = functions[i + 1]?.start ?? Infinity;
        let last = row;
        while (last + 1 < rows.length && rows[last + 1]!.start <= end) last++;
        if (next >= end + 16 && next !== Infinity) assert.is(rows[last]!.encoding, 0);
      });
      return assert.is(rows.at(-1)!.end, at);
    }),
    { numRuns: 40 },
  );
});

test('code that is looked at while unwinding keeps a row for each function', () => {
  const functions = [0, 16, 32].map((start) => ({
    start,
    length: 16,
    encoding: 0x0300_0000,
    personality: null,
    lsda: null,
  }));
  assert.is(readUnwindInfo(encodeUnwindInfo('x86_64', functions), 'x', 0).length, 3);
  const others = functions.map((f) => ({ ...f, encoding: 0x0200_1000 }));
  assert.is(readUnwindInfo(encodeUnwindInfo('x86_64', others), 'x', 0).length, 1);
});

test('frame records are named by their offset, and those too far away by none', () => {
  assert.is(frameRecordEncoding('arm64', 0x123456), 0x0312_3456);
  assert.is(frameRecordEncoding('x86_64', 0x100_0000), 0x0400_0000);
  assert.ok(isByFrameRecord('x86_64', 0x4400_0010));
  assert.not.ok(isByFrameRecord('arm64', 0x4400_0010));
});

test('what cannot be written is an error', () => {
  const f = (start: number, personality: number): FunctionUnwind => {
    return { start, length: 16, encoding: 1, personality, lsda: null };
  };
  assert.throws(() => encodeUnwindInfo('arm64', [f(0, 8), f(16, 16), f(32, 24), f(48, 32)]), /IPBP2035/);
  assert.throws(() => encodeUnwindInfo('arm64', [f(0, 8), f(8, 8)]), /IPBP2004.*address 0x8$/);
});

test('broken unwind information is an error with its offset, soon', () => {
  const functions = Array.from({ length: 40 }, (_, i): FunctionUnwind => {
    return { start: i * 32, length: 16, encoding: i, personality: 8, lsda: i % 3 === 0 ? i : null };
  });
  const bytes = encodeUnwindInfo('arm64', functions);
  const attempt = (broken: Uint8Array): void => {
    try {
      readUnwindInfo(broken, 'x', 0x100);
    } catch (error) {
      assert.match(String(error), /IPBP100[12].*offset 0x/);
    }
  };
  for (let length = 0; length < bytes.length; length++) attempt(bytes.subarray(0, length));
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const broken = bytes.slice();
      broken[at] = value;
      attempt(broken);
    }
  }
  // An index of many entries that all mean one page.
  const many = new Uint8Array(1_200_000);
  const view = new DataView(many.buffer);
  [1, 0, 0, 0, 0, 28, 99_000].forEach((word, i) => view.setUint32(i * 4, word, true));
  for (let i = 0; i < 99_000; i++) view.setUint32(28 + i * 12 + 4, 1_190_000, true);
  view.setUint32(1_190_000, 2, true);
  view.setUint16(1_190_004, 8, true);
  view.setUint16(1_190_006, 1000, true);
  assert.throws(() => readUnwindInfo(many, 'x', 0), /IPBP1002.*lie over one another/);
});

test.run();
