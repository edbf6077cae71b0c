// Slots of functions in objects whose sections are pieces of larger ones: stubs stand in a section of their own. Which
// references lead to a stub after the pass, and what is found of it in a program that lld made of it.
import { writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../tests/format-inputs.js';
import { MACHO_C, MACHO_CPP, MACHO_MACHINES, machoLinked, machoObject } from '../../tests/macho-inputs.js';
import type { ObjectFile, Relocation } from '../formats/object-file.js';
import { readObjectFile } from '../formats/read-object.js';
import { objectWithSlots } from '../patch/give-slots.js';
import { openBaseProgram } from '../patch/program/base-program.js';
import { EXPRESSIONS } from '../reloc/fixup.js';
import { biasOf } from '../reloc/machine.js';
import { machineFor } from '../reloc/machines.js';

const read = (path: string): ObjectFile => readObjectFile(bytesOf(path), path);

function withSlots(path: string): ObjectFile {
  const bytes = objectWithSlots(new Uint8Array(bytesOf(path)), path, 'all');
  assert.ok(bytes, 'no function gets a slot');
  writeFileSync(path, bytes);
  return readObjectFile(bytes, path);
}

/** The function that begins where a reference leads, by its body: its name before the pass; null for other places. */
function entryAt(before: ObjectFile, section: number, { symbol, addend }: Relocation, bias: number): string | null {
  const target = before.symbols[symbol];
  if (typeof target?.section !== 'number') return null;
  const place = target.value + (addend ?? 0) + bias;
  const found = before.symbols.find(
    (one) => one.kind === 'function' && one.section === target.section && one.value === place,
  );
  return found?.name ?? null;
}

/** What describes bodies, or may hold places in them. */
const OF_BODIES = new Set(['debug', 'unwind', 'unwind-table', 'lsda', 'other', 'note']);

for (const machine of MACHO_MACHINES) {
  for (const [name, language, source, flags] of [
    ['optimised C', 'c', MACHO_C, ['-O2']],
    ['C with debug information', 'c', MACHO_C, ['-O0', '-g']],
    ['C++', 'cpp', MACHO_CPP, ['-O1', '-g']],
  ] as const) {
    test(`${machine}, ${name}: code and data refer to stubs, descriptions to bodies`, () => {
      const path = machoObject(machine, language, source, ...flags);
      const before = read(path);
      const after = withSlots(path);
      const { rows } = machineFor('macho', machine, path);
      const counts = { stubs: 0, bodies: 0, distances: 0 };
      for (const section of before.sections) {
        const now = after.relocations(section.index);
        before.relocations(section.index).forEach((one, i) => {
          const row = rows.get(one.type);
          if (row === undefined) throw new Error(`type ${one.type}`);
          const bias = section.kind === 'code' ? biasOf(machineFor('macho', machine, path), row) : 0;
          const entry = entryAt(before, section.index, one, bias);
          const target = after.symbols[now[i]?.symbol ?? -1];
          if (entry === null) return;
          const home = typeof target?.section === 'number' ? after.sections[target.section]?.name : undefined;
          const relative = section.kind !== 'code' && EXPRESSIONS[row.expression].base !== 'nothing';
          if (OF_BODIES.has(section.kind) || relative) {
            assert.is(home, '__TEXT,__text', `${section.name}+${one.offset}`);
            counts[relative ? 'distances' : 'bodies']++;
          } else {
            assert.equal([home, target?.name], ['__TEXT,__ipbp.stub', entry], `${section.name}+${one.offset}`);
            counts.stubs++;
          }
        });
      }
      assert.ok(counts.bodies > 2 && (language === 'cpp' || counts.stubs > 2), JSON.stringify(counts));
    });
  }

  test(`${machine}: distances from data stay with the body: they may be a jump table's`, () => {
    const data = `.section __TEXT,__const\n.p2align 2\n_table: .long _work - _table\n.long Linside - _table\n`;
    const code = `.text\n.globl _work\n_work: nop\nLinside: nop\nret\n`;
    const path = machoObject(machine, 's', `${code}${data}.subsections_via_symbols\n`);
    const after = withSlots(path);
    const table = after.symbols.find(({ name }) => name === '\x01table' || name === 'table')?.section as number;
    const homes = after.relocations(table).map(({ symbol }) => {
      const { section } = after.symbols[symbol] ?? {};
      return typeof section === 'number' ? after.sections[section]?.name : section;
    });
    assert.equal(homes, ['__TEXT,__text', '__TEXT,__text']);
  });

  for (const [debug, flags] of [
    ['with', ['-g']],
    ['without', []],
  ] as const) {
    test(`${machine}, ${debug} debug information: stub, slot and body are found in the program`, () => {
      const path = machoObject(machine, 'c', MACHO_C, '-O1', ...flags);
      const names = read(path)
        .symbols.filter(({ kind }) => kind === 'function')
        .map((one) => one.name);
      const plain = openBaseProgram(read(machoLinked(machine, [path])), () => []);
      const before = new Map([...plain.items.values()].flat().map((item) => [item.name, item]));
      withSlots(path);
      const linked = machoLinked(machine, [path]);
      const base = openBaseProgram(read(linked), () => []);
      assert.is(base.slots, names.length);
      assert.is(base.functions, plain.functions);
      const found = names.map((name) => {
        const [item] = base.items.get(name) ?? [];
        const slot = item === undefined ? null : base.slotOf(item);
        const old = before.get(name);
        assert.ok(slot !== null && old !== undefined, name);
        assert.is(slot.body.size, old.size, name);
        // The first instructions of all these refer to nothing.
        assert.equal(base.read(slot.body.address, 4), plain.read(old.address, 4), name);
        return slot;
      });
      assert.is(new Set(found.map(({ at }) => at)).size, names.length);
      const functions = base.functionsByAddress();
      for (const { body } of found)
        assert.ok(functions.some(({ name, address }) => name === body.name && address === body.address));
      // Linkers keep of a slot's name nothing, and of a body's what tells a person which it is.
      const texts = read(linked)
        .symbols.map(({ name }) => name)
        .filter((name) => name.includes('ipbp'));
      assert.is(texts.length, names.length);
      assert.ok(
        texts.every((text) => (debug === 'with' ? text.length < 10 : text.endsWith('.ipbp.body'))),
        texts.join(),
      );
    });
  }
}

test.run();
