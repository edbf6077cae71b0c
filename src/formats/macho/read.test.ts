import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../../tests/format-inputs.js';
import * as inputs from '../../../tests/macho-inputs.js';
import { compareWithReadobj } from '../../../tests/macho-readobj.js';
import { functionRanges, splitEhFrame } from '../dwarf/eh-frame.js';
import type { ObjectFile } from '../object-file.js';
import { fileName, modelName } from './names.js';
import { readMacho, type MachoFile } from './read.js';
import * as types from './relocation-types.js';

const open = (path: string): MachoFile => readMacho(bytesOf(path), path);

const allInputs = (): string[] =>
  inputs.MACHO_MACHINES.flatMap((machine) => [
    inputs.machoObject(machine, 'c', inputs.MACHO_C, '-O1', '-g'),
    inputs.machoObject(machine, 'c', inputs.MACHO_C, '-O0', '-fcommon'),
    inputs.machoObject(machine, 'cpp', inputs.MACHO_CPP, '-O1', '-g'),
    inputs.machoObject(machine, 's', inputs.MACHO_ASSEMBLY[machine]),
  ]);

test('sections, symbols and relocations are those that llvm-readobj prints', () => {
  let [symbols, relocations, made] = [0, 0, 0];
  for (const path of allInputs()) {
    const compared = compareWithReadobj(open(path), path);
    symbols += compared.symbols;
    relocations += compared.relocations;
    made += compared.made;
  }
  assert.ok(symbols > 60 && relocations > 200 && made > 2, `${symbols}, ${relocations}, ${made}`);
});

test('columns hold what symbols and relocations say', () => {
  for (const path of allInputs()) {
    const file = open(path);
    const symbols = file.symbolColumns();
    file.symbols.forEach(({ name, value, size }, index) => {
      assert.equal([symbols.nameOf(index), symbols.value[index], symbols.size[index]], [name, value, size]);
    });
    const all = file.allRelocationColumns(() => true);
    for (const { index } of file.sections) {
      const rows = file.relocations(index);
      const own = file.relocationColumns(index);
      const first = all.first[index] ?? 0;
      assert.is((all.first[index + 1] ?? 0) - first, rows.length);
      rows.forEach((row, at) => {
        for (const [columns, place] of [
          [all.rows, first + at],
          [own, at],
        ] as const) {
          const { offset, type, symbol, addend, minus } = columns;
          assert.equal(
            [offset[place], type[place], symbol[place], addend[place], minus?.[place] ?? 0],
            [row.offset, row.type, row.symbol, row.addend, row.minus ?? 0],
          );
        }
      });
    }
  }
});

/** `item+offset type symbol+addend`, and what is taken off; a section's symbol by its text or its first symbol. */
function lines(file: ObjectFile): string[] {
  const nameOf = (index: number): string => {
    const symbol = file.symbols[index];
    assert.ok(symbol);
    if (symbol.kind !== 'section' || typeof symbol.section !== 'number') return symbol.name;
    return new TextDecoder().decode(file.sectionBytes(symbol.section));
  };
  return file.sections.flatMap(({ index }) => {
    const own = file.symbols.find(
      ({ section, value, kind, name }) =>
        section === index && value === 0 && kind !== 'section' && !name.startsWith('\x01'),
    );
    return file.relocations(index).map(({ offset, type, symbol, addend, minus }) => {
      const rest = minus === undefined ? '' : ` - ${nameOf(minus)}`;
      const sign = (addend ?? 0) < 0 ? '' : '+';
      return `${own?.name ?? ''}+${offset} ${type} ${nameOf(symbol)}${sign}${String(addend)}${rest}`;
    });
  });
}

test('every kind of relocation for x86-64', () => {
  const number = types.relocationType;
  const [four, eight] = [types.LENGTH_4, types.LENGTH_8];
  const unsigned = number(types.X86_64_RELOC_UNSIGNED, false, eight);
  const minus = (length: number): number => number(types.X86_64_RELOC_SUBTRACTOR, false, length);
  assert.equal(lines(open(inputs.machoObject('x86_64', 's', inputs.MACHO_ASSEMBLY.x86_64))), [
    `f+1 ${number(types.X86_64_RELOC_BRANCH, true, four)} away-4`,
    `f+7 ${number(types.X86_64_RELOC_SIGNED_1, true, four)} away-5`,
    `f+15 ${number(types.X86_64_RELOC_SIGNED, true, four)} away+3`,
    `f+22 ${number(types.X86_64_RELOC_SIGNED_1, true, four)} here-5`,
    `f+30 ${number(types.X86_64_RELOC_GOT_LOAD, true, four)} away-4`,
    `f+37 ${number(types.X86_64_RELOC_TLV, true, four)} local-4`,
    `f+44 ${number(types.X86_64_RELOC_SIGNED, true, four)} two\0-4`,
    `table+0 ${types.MINUS_PLACE + minus(four)} f+0`,
    `table+4 ${types.MINUS_SYMBOL + minus(four)} f+0 - here`,
    `table+8 ${types.PLACE_MINUS + minus(eight)} here-8`,
    `here+0 ${unsigned} away+16`,
    `here+8 ${unsigned} here+8`,
    `here+16 ${unsigned} two\0+0`,
    `local+0 ${unsigned} _tlv_bootstrap+0`,
    `local+16 ${types.IN_TEMPLATE + unsigned} local$tlv$init+0`,
  ]);
});

test('every kind of relocation for arm64', () => {
  const number = types.relocationType;
  const [four, eight] = [types.LENGTH_4, types.LENGTH_8];
  const unsigned = number(types.ARM64_RELOC_UNSIGNED, false, eight);
  const minus = (length: number): number => number(types.ARM64_RELOC_SUBTRACTOR, false, length);
  assert.equal(lines(open(inputs.machoObject('arm64', 's', inputs.MACHO_ASSEMBLY.arm64))), [
    `f+0 ${number(types.ARM64_RELOC_BRANCH26, true, four)} away+0`,
    `f+4 ${number(types.ARM64_RELOC_PAGE21, true, four)} here+8`,
    `f+8 ${number(types.ARM64_RELOC_PAGEOFF12, false, four)} here+8`,
    `f+12 ${number(types.ARM64_RELOC_PAGEOFF12, false, four)} here+0`,
    `f+16 ${number(types.ARM64_RELOC_GOT_LOAD_PAGE21, true, four)} away+0`,
    `f+20 ${number(types.ARM64_RELOC_GOT_LOAD_PAGEOFF12, false, four)} away+0`,
    `f+24 ${number(types.ARM64_RELOC_TLVP_LOAD_PAGE21, true, four)} local+0`,
    `f+28 ${number(types.ARM64_RELOC_TLVP_LOAD_PAGEOFF12, false, four)} local+0`,
    `table+0 ${types.MINUS_PLACE + minus(four)} f+0`,
    `table+4 ${types.MINUS_SYMBOL + minus(four)} f+0 - here`,
    `table+8 ${types.PLACE_MINUS + minus(eight)} here-8`,
    `table+16 ${number(types.ARM64_RELOC_POINTER_TO_GOT, true, four)} away+0`,
    `here+0 ${unsigned} away+16`,
    `here+8 ${unsigned} here+8`,
    `here+16 ${number(types.ARM64_RELOC_POINTER_TO_GOT, false, eight)} away+0`,
    `local+0 ${unsigned} _tlv_bootstrap+0`,
    `local+16 ${types.IN_TEMPLATE + unsigned} local$tlv$init+0`,
  ]);
});

test('sections are cut at symbols, literals into themselves, and nothing else is', () => {
  for (const machine of inputs.MACHO_MACHINES) {
    const text = inputs.MACHO_ASSEMBLY[machine];
    const file = open(inputs.machoObject(machine, 's', text));
    const cstrings = file.sections.filter(({ name }) => name === '__TEXT,__cstring');
    const decoder = new TextDecoder();
    assert.equal(
      cstrings.map(({ index }) => decoder.decode(file.sectionBytes(index))),
      ['one\0', 'two\0'],
    );
    assert.ok(cstrings.every(({ mergeable, strings, kind }) => mergeable && strings && kind === 'readonly'));
    const named = (name: string): number => file.sections.filter((section) => section.name === name).length;
    assert.equal(['__TEXT,__text', '__TEXT,__const', '__DATA,__data'].map(named), [2, 1, 1]);
    assert.equal(
      file.sections.filter(({ name }) => name.startsWith('__DATA,__thread')).map(({ kind }) => kind),
      ['tls-data', 'tls-descriptors'],
    );
    // Without the flag only literals are cut.
    const whole = open(inputs.machoObject(machine, 's', text.replace('.subsections_via_symbols', '')));
    assert.equal(
      whole.sections.map(({ name }) => name).filter((name) => /text|const|cstring/.test(name)),
      ['__TEXT,__text', '__TEXT,__cstring', '__TEXT,__cstring', '__TEXT,__const'],
    );
    const offsets = ['f', 'g'].map((name) => whole.symbols.find((symbol) => symbol.name === name)?.value);
    assert.equal(
      offsets,
      ['f', 'g'].map((name, index) => (index === 0 ? 0 : (file.sections[0]?.size ?? 0))),
      name(),
    );
  }
  function name(): string {
    return 'a function of a whole section has its offset there';
  }
});

test('a second entry into a function does not cut it', () => {
  const file = open(
    inputs.machoObject(
      'arm64',
      's',
      `_f: nop\n.alt_entry _g\n_g: ret\nltmp9: ret\n.no_dead_strip _f\n.subsections_via_symbols\n`,
    ),
  );
  assert.is(file.sections.length, 1);
  assert.is(file.sections[0]?.retain, true);
  assert.equal(
    file.symbols.filter(({ kind }) => kind === 'function').map(({ name, value, size }) => [name, value, size]),
    [
      ['f', 0, 4],
      ['g', 4, 8],
    ],
  );
});

test('frame records have a relocation for each function and each of its tables', () => {
  const file = open(inputs.machoObject('x86_64', 'cpp', inputs.MACHO_CPP, '-O1'));
  const unwind = file.sections.find(({ kind }) => kind === 'unwind');
  assert.ok(unwind);
  const { cies, fdes } = splitEhFrame(file.sectionBytes(unwind.index), file.relocations(unwind.index), 'frames');
  assert.ok(fdes.length > 0);
  assert.ok(cies.some(({ personality }) => personality?.relocation != null));
  for (const { pcBegin, pcRange, lsda } of fdes) {
    const symbol = file.symbols[pcBegin.relocation?.symbol ?? 0];
    assert.is(symbol?.kind, 'section');
    assert.is(file.sections[Number(symbol?.section)]?.kind, 'code');
    const described = file.symbols.find(({ kind, section }) => kind === 'function' && section === symbol?.section);
    assert.is(described?.size, pcRange);
    if (lsda !== null) {
      assert.is(file.sections[Number(file.symbols[lsda.relocation?.symbol ?? 0]?.section)]?.kind, 'lsda');
    }
  }
  assert.is(functionRanges(file.sectionBytes(unwind.index), 0, 'frames').length, fdes.length);
});

test('pointers that stand for indirect symbols have relocations', () => {
  const text = `.globl _f
_f: movq L_p(%rip), %rax
  ret
.section __DATA,__nl_symbol_ptr,non_lazy_symbol_pointers
L_p: .indirect_symbol _outside
  .quad 0
L_q: .indirect_symbol _f
  .quad 0
.subsections_via_symbols
`;
  const file = open(inputs.machoObject('x86_64', 's', text));
  const pointers = file.sections.filter(({ name }) => name === '__DATA,__nl_symbol_ptr');
  const type = types.relocationType(types.X86_64_RELOC_UNSIGNED, false, types.LENGTH_8);
  assert.equal(
    pointers.map(({ index }) =>
      file.relocations(index).map((one) => [one.offset, one.type, file.symbols[one.symbol]?.name, one.addend]),
    ),
    [[[0, type, 'outside', 0]], [[0, type, 'f', 0]]],
  );
});

test('names are turned back to what they were', () => {
  for (const name of ['_main', '__ZN3fooE', 'ltmp0', 'l_anon.1', '_', '', '\x01_x', '_\x01x', 'dyld_stub_binder']) {
    assert.is(fileName(modelName(name)), name);
  }
  assert.equal(['_main', 'ltmp0', '__R'].map(modelName), ['main', '\x01ltmp0', '_R']);
});

test.run();
