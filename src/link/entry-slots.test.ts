// Which references lead to a stub after the pass, and which still to the body, in real objects.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as inputs from '../../tests/format-inputs.js';
import type { ObjectFile, ObjectSymbol, Relocation, Section } from '../formats/object-file.js';
import { openArchive } from '../formats/archive.js';
import { readObjectFile } from '../formats/read-object.js';
import { rewriteObject } from '../formats/rewrite-object.js';
import { machineFor } from '../reloc/machines.js';
import { slotEdits } from './entry-slots.js';
import { BODY_SUFFIX, SLOT_NAME } from './names.js';

const machine = machineFor('elf', 'x86_64', 'test');
const read = (path: string): ObjectFile => readObjectFile(inputs.bytesOf(path), path);

function withSlots(file: ObjectFile): ObjectFile {
  const edits = slotEdits(file, machine, SLOT_NAME, () => true);
  assert.ok(edits, 'no function gets a slot');
  return readObjectFile(rewriteObject(file, edits), 'rewritten');
}

function assembled(name: string, text: string): ObjectFile {
  const source = join(inputs.scratch(), `${name}.s`);
  const object = join(inputs.scratch(), `${name}.o`);
  writeFileSync(source, text);
  inputs.output('gcc', ['-c', source, '-o', object]);
  return read(object);
}

function symbolAt(file: ObjectFile, section: number, value: number): ObjectSymbol | undefined {
  return file.symbols.find((one) => one.kind === 'function' && one.section === section && one.value === value);
}

/** The function whose first byte a reference means, if it does, by the rules of the psABI alone. */
function entryMeant(file: ObjectFile, from: Section, relocation: Relocation): ObjectSymbol | undefined {
  const symbol = file.symbols[relocation.symbol];
  const row = machine.rows.get(relocation.type);
  if (symbol === undefined || typeof symbol.section !== 'number') return undefined;
  const relative = row?.expression.endsWith('-P') === true;
  const place = symbol.value + (relocation.addend ?? 0) + (relative && from.kind === 'code' ? 4 : 0);
  return symbolAt(file, symbol.section, place);
}

/** What a reference means, in words that the pass must not change where a body is described. */
function target(file: ObjectFile, { offset, type, symbol, addend }: Relocation): unknown[] {
  const { kind, section, value = 0, name = '' } = file.symbols[symbol] ?? {};
  const place = typeof section === 'number' ? [section, value] : [section, name];
  return [offset, type, kind, place, addend];
}

const DESCRIBES_BODIES: readonly string[] = ['debug', 'unwind', 'lsda', 'other', 'note'];

for (const [name, objects] of [
  ['optimised Rust', () => [read(inputs.releaseObject())]],
  ['C', () => [read(inputs.cObject())]],
  [
    'unoptimised Rust',
    () => {
      const archive = openArchive(inputs.bytesOf(inputs.debugRlib()), 'rlib');
      return archive.members.flatMap(({ index }) => archive.member(index) ?? []);
    },
  ],
] as const) {
  test(`code and data refer to stubs, descriptions to bodies: ${name}`, () => {
    let stubs = 0;
    let descriptions = 0;
    for (const before of objects()) {
      if (slotEdits(before, machine, SLOT_NAME, () => true) === null) continue;
      const after = withSlots(before);
      for (const { index, kind } of before.sections) {
        const section = after.sections[index] as Section;
        const relocations = after.relocations(index);
        if (DESCRIBES_BODIES.includes(kind)) {
          const list = (file: ObjectFile): unknown[] => file.relocations(index).map((one) => target(file, one));
          assert.equal(list(after), list(before));
          descriptions += relocations.length;
          continue;
        }
        for (const relocation of relocations) {
          const meant = entryMeant(after, section, relocation);
          const table = kind !== 'code' && machine.rows.get(relocation.type)?.expression.endsWith('-P') === true;
          if (meant === undefined || table) continue;
          assert.not.ok(meant.name.endsWith(BODY_SUFFIX), `${section.name} refers to the body ${meant.name}`);
          stubs += 1;
        }
      }
    }
    assert.ok(stubs > 0 && descriptions > 0, `${stubs} references to stubs, ${descriptions} in descriptions`);
  });
}

test('a stub has the name, binding and visibility of its function and jumps through a slot that leads to the body', () => {
  const before = read(inputs.cObject());
  const after = withSlots(before);
  const functions = before.symbols.filter(({ kind, section }) => kind === 'function' && typeof section === 'number');
  assert.ok(functions.length > 2);
  for (const { name, binding, visibility } of functions) {
    const stub = after.symbols.find((symbol) => symbol.name === name) as ObjectSymbol;
    const body = after.symbols.find((symbol) => symbol.name === name + BODY_SUFFIX);
    assert.equal([stub.binding, stub.visibility, body?.binding], [binding, visibility, 'local']);
    const home = after.relocations(stub.section as number);
    const jump = home.find(({ offset }) => offset > stub.value && offset < stub.value + stub.size) as Relocation;
    const slot = after.symbols[jump.symbol] as ObjectSymbol;
    assert.is(slot.name, SLOT_NAME);
    const [word] = after.relocations(slot.section as number);
    assert.is(after.symbols[word?.symbol ?? 0], body);
  }
});

test('two names for one body get a slot each', () => {
  const file = assembled(
    'alias',
    '.text\n.globl one, two\n.type one,@function\n.type two,@function\none:\ntwo: mov $1, %eax\n ret\n.size one, .-one\n.size two, .-two\n',
  );
  const after = withSlots(file);
  const places = ['one', 'two'].map((name) => after.symbols.find((symbol) => symbol.name === name)?.value);
  assert.is.not(places[0], places[1]);
  assert.is(after.symbols.filter(({ name }) => name === SLOT_NAME).length, 2);
});

test('a place inside a function stays in its body', () => {
  const file = assembled(
    'inside',
    '.section .text.f,"ax"\n.type f,@function\nf: nop\n nop\n ret\n.size f, .-f\n.text\n.type g,@function\ng: lea f+1(%rip), %rax\n call f\n ret\n.size g, .-g\n.data\n.quad f+1, f\n',
  );
  const after = withSlots(file);
  const meant = after.sections.flatMap((section) =>
    section.name === '.text' || section.name === '.data'
      ? after.relocations(section.index).map((relocation) => entryMeant(after, section, relocation)?.name ?? 'inside')
      : [],
  );
  // In g: inside of f, f, and the slot of g's own stub.
  assert.equal(meant, ['inside', 'f', 'inside', 'inside', 'f']);
});

test('functions of a COMDAT group, of no size or chosen at link time get none', () => {
  assert.is(
    slotEdits(read(inputs.assemblyObject()), machine, SLOT_NAME, () => true),
    null,
  );
});

test('only chosen functions get slots', () => {
  const file = read(inputs.cObject());
  assert.is(
    slotEdits(file, machine, SLOT_NAME, () => false),
    null,
  );
  let seen = 0;
  const edits = slotEdits(file, machine, SLOT_NAME, () => seen++ === 0);
  assert.is(edits?.newSections.length, 1);
});

test.run();
