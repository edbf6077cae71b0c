import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf, output } from '../../../tests/format-inputs.js';
import * as inputs from '../../../tests/macho-inputs.js';
import { functionRanges, splitEhFrame } from '../dwarf/eh-frame.js';
import type { ObjectFile } from '../object-file.js';
import { fileName, modelName } from './names.js';
import { readMacho } from './read.js';
import * as types from './relocation-types.js';

const open = (path: string): ObjectFile => readMacho(bytesOf(path), path);

/** What llvm-readobj prints of a kind of entries: the fields of each. */
function readobj(path: string, option: string, kind: string): Map<string, string>[] {
  const text = output('llvm-readobj-19', [option, path]);
  return text
    .split(new RegExp(`^ *${kind} \\{`, 'm'))
    .slice(1)
    .map((block) => new Map([...block.matchAll(/^ *(\w+): (.*)$/gm)].map(([, key = '', value = '']) => [key, value])));
}

/** The name alone: `_work (7)`, `__text (5F 5F …)`. */
function word(text: string | undefined): string {
  return (text ?? '').replace(/ ?\([^()]*\)$/, '');
}

const allInputs = (): string[] =>
  inputs.MACHO_MACHINES.flatMap((machine) => [
    inputs.machoObject(machine, 'c', inputs.MACHO_C, '-O1', '-g'),
    inputs.machoObject(machine, 'c', inputs.MACHO_C, '-O0', '-fcommon'),
    inputs.machoObject(machine, 'cpp', inputs.MACHO_CPP, '-O1', '-g'),
  ]);

test('symbols are those that llvm-readobj prints, in sections that hold them', () => {
  let symbols = 0;
  for (const path of allInputs()) {
    const file = open(path);
    const want = readobj(path, '--symbols', 'Symbol');
    const sections = readobj(path, '--sections', 'Section');
    const own = file.symbols.filter(({ index, kind }) => index > 0 && kind !== 'section');
    assert.equal(
      own.map(({ name }) => fileName(name)),
      want.map((fields) => word(fields.get('Name'))),
    );
    own.forEach((symbol, index) => {
      const fields = want[index];
      assert.ok(fields);
      if (typeof symbol.section !== 'number') return;
      const number = Number(/\((0x\w+)\)/.exec(fields.get('Section') ?? '')?.[1]) - 1;
      const section = file.sections[symbol.section];
      const whole = sections[number];
      assert.ok(section && whole);
      // Zero-filled sections have no place in the file to compare.
      if (section.fileSize > 0) {
        const place = section.offset - Number(whole.get('Offset')) + Number(whole.get('Address')) + symbol.value;
        assert.is(place, Number(fields.get('Value')), `${path}: ${symbol.name}`);
      }
      assert.ok(symbol.value + symbol.size <= section.size, `${path}: ${symbol.name}`);
      symbols++;
    });
    const columns = file.symbolColumns();
    file.symbols.forEach(({ name, value, size }, index) => {
      assert.equal([columns.nameOf(index), columns.value[index], columns.size[index]], [name, value, size]);
    });
  }
  assert.ok(symbols > 60, `${symbols}`);
});

test('relocations are those that llvm-readobj prints, pairs folded', () => {
  let count = 0;
  for (const path of allInputs()) {
    const file = open(path);
    const text = output('llvm-readobj-19', ['--relocations', path]);
    const raw = text.split('\n').filter((line) => /^ +0x[0-9A-F]+ /.test(line) && !/SUBTRACTOR|ADDEND/.test(line));
    const made = file.sections.filter(({ kind }) => kind === 'unwind');
    const folded = file.sections.reduce((sum, { index }) => sum + file.relocations(index).length, 0);
    // What frame records leave to the linker is no relocation of the file.
    const implicit = made.reduce((sum, { index }) => sum + file.relocations(index).filter(isMade).length, 0);
    assert.is(folded - implicit, raw.length, path);
    count += folded;
    const all = file.allRelocationColumns(() => true);
    file.sections.forEach(({ index }) => {
      const rows = file.relocations(index);
      const own = file.relocationColumns(index);
      assert.is((all.first[index + 1] ?? 0) - (all.first[index] ?? 0), rows.length);
      rows.forEach((row, at) => {
        const found = (all.first[index] ?? 0) + at;
        for (const [columns, place] of [
          [all.rows, found],
          [own, at],
        ] as const) {
          const { offset, type, symbol, addend } = columns;
          assert.equal(
            [offset[place], type[place], symbol[place], addend[place]],
            [row.offset, row.type, row.symbol, row.addend],
          );
        }
      });
    });
  }
  assert.ok(count > 200);
});

function isMade({ type }: { readonly type: number }): boolean {
  return type >= types.MINUS_PLACE && type < types.PLACE_MINUS;
}

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

test('names are turned back to what they were', () => {
  for (const name of ['_main', '__ZN3fooE', 'ltmp0', 'l_anon.1', '_', '', '\x01_x', '_\x01x', 'dyld_stub_binder']) {
    assert.is(fileName(modelName(name)), name);
  }
  assert.equal(['_main', 'ltmp0', '__R'].map(modelName), ['main', '\x01ltmp0', '_R']);
});

test.run();
