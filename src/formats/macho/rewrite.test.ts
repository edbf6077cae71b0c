// Objects that are written again: without edits all means what it meant, to lld too; edits are there when they are read
// again; what cannot be carried over is an error.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf, output } from '../../../tests/format-inputs.js';
import { MACHO_C, MACHO_CPP, MACHO_MACHINES, machoLinked, machoObject } from '../../../tests/macho-inputs.js';
import { IpbpError } from '../../codes/error.js';
import { NO_EDITS, type ObjectEdits } from '../object-edits.js';
import type { ObjectFile, ObjectSymbol, Relocation } from '../object-file.js';
import { readMacho, type MachoFile } from './read.js';
import * as types from './relocation-types.js';
import { rewriteMacho } from './rewrite.js';

const open = (path: string): MachoFile => readMacho(bytesOf(path), path);
const again = (file: MachoFile, edits: ObjectEdits): MachoFile => readMacho(rewriteMacho(file, edits), 'again');

/** Pairs, addends in fields and in entries, hints, a table of data among code. */
const PAIRS = {
  x86_64: `
.text
.globl _work
_work: leaq _table(%rip), %rax
  cmpb $3, _table+5(%rip)
  movl $7, _table+8(%rip)
  movq _there@GOTPCREL(%rip), %rcx
  call _there
  ret
.globl _there
_there: ret
.data
.globl _table
_table: .quad _there + 4
  .quad _there - _work
  .long _there - .
  .long _work - _table
  .quad Linside
Linside: .quad 7
.zerofill __DATA,__bss,_none,16,4
.subsections_via_symbols
`,
  arm64: `
.text
.globl _work
_work: adrp x8, _table@PAGE
  add x8, x8, _table@PAGEOFF
  adrp x9, _table@PAGE+4096
  ldr x9, [x9, _table@PAGEOFF+16]
  adrp x10, _there@GOTPAGE
  ldr x10, [x10, _there@GOTPAGEOFF]
  bl _there
  ret
.globl _there
_there: ret
.data
.globl _table
_table: .quad _there + 4
  .quad _there - _work
  .long _there - .
  .long _work - _table
  .long _there@GOT - .
  .long 0
.zerofill __DATA,__bss,_none,16,4
.subsections_via_symbols
`,
} as const;

function sourcesOf(machine: 'x86_64' | 'arm64'): readonly string[] {
  return [
    machoObject(machine, 'c', MACHO_C, '-O2'),
    machoObject(machine, 'c', MACHO_C, '-O0', '-g'),
    machoObject(machine, 'cpp', MACHO_CPP, '-O1', '-g'),
    machoObject(machine, 's', PAIRS[machine]),
  ];
}

/** All that the model says of a file, but for where things lie in it. */
function meaning(file: ObjectFile): unknown {
  return {
    symbols: file.symbols,
    sections: file.sections.map(({ index, name, kind, size, align, retain }) => {
      return {
        name,
        kind,
        size,
        align,
        retain,
        bytes: [...file.sectionBytes(index)],
        relocations: file.relocations(index),
      };
    }),
  };
}

for (const machine of MACHO_MACHINES) {
  test(`${machine}: read and written, an object means what it meant`, () => {
    for (const path of sourcesOf(machine)) {
      const file = open(path);
      assert.equal(meaning(again(file, NO_EDITS)), meaning(file), path);
    }
  });

  test(`${machine}: lld makes the same of it`, () => {
    for (const path of [machoObject(machine, 'c', MACHO_C, '-O2'), machoObject(machine, 's', PAIRS[machine])]) {
      const before = readFileSync(machoLinked(machine, [path]));
      // Under the same name, which lld may keep.
      copyFileSync(path, `${path}.before`);
      writeFileSync(path, rewriteMacho(open(`${path}.before`), NO_EDITS));
      const after = readFileSync(machoLinked(machine, [path]));
      const contents = (bytes: Uint8Array): unknown => meaning(readMacho(bytes, 'linked'));
      assert.equal(contents(after), contents(before), path);
      output('llvm-objdump-19', ['--macho', '--private-headers', '--reloc', path]);
    }
  });

  test(`${machine}: edits are there when the object is read again, and nothing else is`, () => {
    const file = open(machoObject(machine, 's', PAIRS[machine]));
    const symbolNamed = (of: ObjectFile, name: string): ObjectSymbol => {
      const found = of.symbols.find((symbol) => symbol.name === name);
      assert.ok(found, name);
      return found;
    };
    const work = symbolNamed(file, 'work');
    const there = symbolNamed(file, 'there');
    const home = work.section as number;
    const before = file.relocations(home);
    const first = file.sections.length;
    const stub = file.symbols.length;
    const pointer = types.relocationType(types.X86_64_RELOC_UNSIGNED, false, types.LENGTH_8);
    const minus = machine === 'arm64' ? types.ARM64_RELOC_SUBTRACTOR : types.X86_64_RELOC_SUBTRACTOR;
    const distance = types.MINUS_PLACE + types.relocationType(minus, false, types.LENGTH_4);
    const edits: ObjectEdits = {
      symbols: new Map([[there.index, { name: 'there.inner', binding: 'local' }]]),
      newSymbols: [
        { ...there, section: first, value: 0, size: 12 },
        { ...there, name: '\x01l_word', kind: 'data', binding: 'local', section: first + 1, value: 0, size: 8 },
      ],
      newSections: [
        {
          name: 'new.code',
          kind: 'code',
          align: 4,
          bytes: new Uint8Array(12),
          relocations: [{ offset: 8, type: distance, symbol: there.index, addend: 3 }],
        },
        {
          name: 'new.data',
          kind: 'data',
          align: 8,
          bytes: new Uint8Array(8),
          relocations: [{ offset: 0, type: pointer, symbol: there.index, addend: -5 }],
        },
      ],
      appended: new Map(),
      relocations: new Map([
        [home, before.map((one) => (one.symbol === there.index ? { ...one, symbol: stub } : one))],
      ]),
    };
    const after = again(file, edits);
    const now = (name: string): ObjectSymbol => symbolNamed(after, name);
    assert.equal(
      [now('there.inner').binding, now('there').binding, now('\x01l_word').binding],
      ['local', 'global', 'local'],
    );
    const homes = [now('there'), now('\x01l_word')].map(({ section }) => after.sections[section as number]);
    assert.equal(
      homes.map((section) => [section?.name, section?.kind, section?.size]),
      [
        ['__TEXT,__new.code', 'code', 12],
        ['__DATA,__new.data', 'data', 8],
      ],
    );
    const spelled = (of: ObjectFile, list: readonly Relocation[]): string[] =>
      list.map(({ offset, type, symbol, addend }) => {
        const { name, section, kind } = of.symbols[symbol] as ObjectSymbol;
        return `${offset} ${type} ${kind === 'section' ? of.sections[section as number]?.name : name} ${addend}`;
      });
    assert.equal(
      homes.map((section) => spelled(after, after.relocations(section?.index ?? -1))),
      [[`8 ${distance} there.inner 3`], [`0 ${pointer} there.inner -5`]],
    );
    for (const { index, name } of file.sections) {
      const expected = spelled(file, file.relocations(index));
      // What was not edited means the symbol, under its new name.
      const renamed = expected.map((line) => (index === home ? line : line.replace(' there ', ' there.inner ')));
      assert.equal(spelled(after, after.relocations(index)), renamed, name);
      if (index !== home) assert.equal(after.sectionBytes(index), file.sectionBytes(index), name);
    }
    output('llvm-objdump-19', ['--macho', '--private-headers', '--reloc', written(after)]);
  });
}

function written(file: MachoFile): string {
  const path = machoObject('arm64', 's', '');
  writeFileSync(path, file.bytes);
  return path;
}

function code(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof IpbpError) return error.code;
    throw error;
  }
  return 'none';
}

test('what the format has no place for is an error', () => {
  const file = open(machoObject('x86_64', 's', PAIRS.x86_64));
  const home = file.symbols.find(({ name }) => name === 'table')?.section as number;
  const relocations = file.relocations(home);
  const other = file.symbols.findIndex(({ name }) => name === 'work');
  const changed = (list: readonly Relocation[]): ObjectEdits => ({ ...NO_EDITS, relocations: new Map([[home, list]]) });
  assert.is(
    code(() => rewriteMacho(file, { ...NO_EDITS, appended: new Map([[home, new Uint8Array(4)]]) })),
    'IPBP2020',
  );
  assert.is(
    code(() => rewriteMacho(file, changed(relocations.slice(1)))),
    'IPBP2020',
    'another number of relocations',
  );
  const pairs = relocations.map((one) => (one.type >= types.MINUS_PLACE ? { ...one, symbol: other } : one));
  assert.is(
    code(() => rewriteMacho(file, changed(pairs))),
    'IPBP2020',
    'a pair',
  );
  const whole = relocations.map((one) => ({ ...one, symbol: file.symbols.length - 1 }));
  assert.is(
    code(() => rewriteMacho(file, changed(whole))),
    'IPBP2020',
    'a symbol of no table',
  );
});

test('a load command of which nothing is known is an error: it may name a place in the file', () => {
  const path = machoObject('arm64', 's', '.text\n.globl _f\n_f: ret\n');
  const bytes = new Uint8Array(readFileSync(path));
  const view = new DataView(bytes.buffer);
  // The second command: LC_BUILD_VERSION.
  const second = 32 + view.getUint32(36, true);
  view.setUint32(second, 0x7777, true);
  assert.is(
    code(() => rewriteMacho(readMacho(bytes, path), NO_EDITS)),
    'IPBP2020',
  );
});

test.run();
