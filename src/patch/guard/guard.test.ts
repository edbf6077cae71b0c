// Real edits of a real program: for which types the guard refuses them, and for which it must not.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { sameTypes } from '../../formats/dwarf/same-types.js';
import { readObjectFile } from '../../formats/read-object.js';
import { openLinkObject } from '../../link/atoms.js';
import { compileProgram, type CompiledProgram } from '../diff/compile.test-support.js';
import { compareLayouts, toChangedType } from './guard.js';
import { GUARD_CASES, V0_CASES, type GuardCase } from './guard-edits.test-support.js';
import { SHAPES_PROGRAM } from './guard-program.test-support.js';

const programs = new Map<string, CompiledProgram>();

function program(...flags: string[]): CompiledProgram {
  const key = flags.join(' ');
  const known = programs.get(key) ?? compileProgram(SHAPES_PROGRAM, flags);
  programs.set(key, known);
  return known;
}

const DEBUG = ['-Copt-level=0', '-Cdebuginfo=2'];

function check(flags: readonly string[], { edits, refused, because }: GuardCase): void {
  const { before, after } = program(...flags).edited(edits);
  const { changed, checked } = compareLayouts(before, after);
  assert.ok(checked);
  assert.equal(
    changed.map(({ name }) => name),
    Object.keys(refused),
    JSON.stringify(changed),
  );
  for (const { name, message } of changed) {
    const expected = refused[name] ?? '';
    if (typeof expected === 'string') assert.is(message, expected);
    else assert.match(message, expected);
  }
  if (because !== undefined) assert.ok(changed[0]?.because.includes(because), JSON.stringify(changed));
}

for (const one of GUARD_CASES) {
  const verdict = Object.keys(one.refused).length === 0 ? 'taken' : 'refused';
  test(`${verdict}: ${one.what}`, () => {
    check(DEBUG, one);
  });
}

for (const one of V0_CASES) {
  test(`v0 names: ${one.what}`, () => {
    check([...DEBUG, '-Csymbol-mangling-version=v0'], one);
  });
}

const IN_EVERY_SHAPE = GUARD_CASES.filter(({ what }) =>
  /^(the type of a field|a field renamed|a plain enumeration|a local held|a body|what a closure|methods of)/.test(what),
);

for (const one of IN_EVERY_SHAPE) {
  test(`DWARF 5: ${one.what}`, () => {
    check([...DEBUG, '-Cdwarf-version=5'], one);
  });
}

test('optimised, a changed field is seen too', () => {
  const [field] = GUARD_CASES;
  assert.ok(field);
  check(['-Copt-level=2', '-Cdebuginfo=2'], { ...field, because: '`app::Order` holds it by value' });
});

test('without descriptions of types nothing is checked, and that is said', () => {
  const [field] = GUARD_CASES;
  assert.ok(field);
  for (const level of ['0', 'line-tables-only', '1']) {
    const { before, after } = program('-Copt-level=0', `-Cdebuginfo=${level}`).edited(field.edits);
    assert.equal(compareLayouts(before, after), { changed: [], went: [], checked: false, missing: null }, level);
  }
});

test('a program is as it was itself, and in no other order', () => {
  const { objects } = program(...DEBUG);
  assert.equal(compareLayouts(objects, [...objects].reverse()), {
    changed: [],
    went: [],
    checked: true,
    missing: null,
  });
});

test('where an edit touches no type, nothing is made of its types', () => {
  const edits = [['self.ticket.cents\n', 'self.ticket.cents ^ 1\n']] as const;
  const { before, after } = program(...DEBUG).edited(edits);
  assert.is.not(after.length, 0);
  for (const now of after) {
    const old = before.find(({ name }) => name === now.name);
    assert.ok(old !== undefined && sameTypes(old.file, now.file) !== null, now.name);
  }
});

test('what was refused is refused on the way back', () => {
  const [field] = GUARD_CASES;
  assert.ok(field);
  const { before, after } = program(...DEBUG).edited(field.edits);
  const [change] = compareLayouts(after, before).changed;
  assert.is(change?.message, 'field `cents` of `app::Ticket` was u32 at offset 4, is u64 at offset 0');
});

test('a changed layout is an item of the diff', () => {
  const [field] = GUARD_CASES;
  assert.ok(field);
  const { before, after } = program(...DEBUG).edited(field.edits);
  const [item] = compareLayouts(before, after).changed.map(toChangedType);
  assert.ok(item);
  assert.is(item.kind, 'type');
  assert.is(item.change, 'layout');
  assert.is(item.name, 'app::Ticket');
  assert.is.not(item.objects.length, 0);
  assert.match(item.because[0] ?? '', /^field `cents`/);
});

test('broken descriptions of types: only IpbpError', () => {
  const { before } = program(...DEBUG).edited(GUARD_CASES[0]?.edits ?? []);
  const largest = before.reduce((a, b) => (b.file.bytes.length > a.file.bytes.length ? b : a));
  const { bytes, name, sections } = largest.file;
  const places = sections.filter((section) => /debug_(?:info|abbrev|str)$/.test(section.name));
  const place = fc
    .constantFrom(...places)
    .chain(({ offset, fileSize }) => fc.nat(fileSize - 1).map((at) => offset + at));
  const change = fc.record({ at: place, value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const broken = new Uint8Array(bytes);
      for (const { at, value } of changes) broken[at] = value;
      const start = performance.now();
      try {
        compareLayouts([largest], [openLinkObject(readObjectFile(broken, name))]);
      } catch (error) {
        if (!(error instanceof IpbpError)) throw error;
        assert.match(error.code, /^IPBP100[123]$/);
      }
      assert.ok(performance.now() - start < 3000, 'broken descriptions took too long');
    }),
    { numRuns: 150 },
  );
});

test.run();
