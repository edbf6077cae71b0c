// Real edits of a real program: for which types the guard refuses them, and for which it must not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram, type CompiledProgram } from './compile.test-support.js';
import { compareLayouts, toChangedType } from './guard.js';
import { GUARD_CASES, SHAPES_PROGRAM, V0_CASES, type GuardCase } from './guard-edits.test-support.js';

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
  /^(the type of a field|a field renamed|a plain enumeration|a local held|a body|what a closure)/.test(what),
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
    assert.equal(compareLayouts(before, after), { changed: [], checked: false }, level);
  }
});

test('a program is as it was itself, and in no other order', () => {
  const { objects } = program(...DEBUG);
  assert.equal(compareLayouts(objects, [...objects].reverse()), { changed: [], checked: true });
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
  assert.is(item?.kind, 'type');
  assert.is(item.change, 'layout');
  assert.is(item.name, 'app::Ticket');
  assert.is.not(item.objects.length, 0);
  assert.match(item.because[0] ?? '', /^field `cents`/);
});

test.run();
