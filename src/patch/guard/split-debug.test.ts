// Debug information that rustc split off, read from where it is: a real program says the same of its types, however it
// was compiled; and where what was split off is not there, or is another's, that is the reason given.
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { output, scratch } from '../../../tests/format-inputs.js';
import { IpbpError } from '../../codes/error.js';
import { findDebugSections } from '../../formats/dwarf/debug-sections.js';
import { sameTypes } from '../../formats/dwarf/same-types.js';
import { readTypesAndFunctions } from '../../formats/dwarf/types.js';
import { readObjectWith } from '../../formats/read-object.js';
import { openLinkObject } from '../../link/atoms.js';
import type { LinkObject } from '../../link/graph.js';
import type { InputFile } from '../engine.js';
import { compareLayouts } from './guard.js';
import { readLayouts } from './layouts.js';

const SOURCE = join(import.meta.dirname, '../../../examples/garden/src/main.rs');

const MODES: Readonly<Record<string, readonly string[]>> = {
  whole: ['-Csplit-debuginfo=off'],
  unpacked: ['-Csplit-debuginfo=unpacked'],
  packed: ['-Csplit-debuginfo=packed'],
  'in the objects': ['-Csplit-debuginfo=unpacked', '-Zsplit-dwarf-kind=single'],
  'DWARF 5': ['-Csplit-debuginfo=unpacked', '-Cdwarf-version=5'],
};

/** The objects of the example with a `.dwo` where there is one beside. */
function compiled(mode: string): readonly InputFile[] {
  const directory = join(scratch(), `split ${mode}`);
  if (!existsSync(directory)) {
    mkdirSync(directory);
    const flags = [
      '--crate-name=garden',
      '--edition=2024',
      '-Cdebuginfo=2',
      '-Cincremental=inc',
      ...(MODES[mode] ?? []),
    ];
    // Putting it into the objects takes an unstable switch; and who takes those gives other hashes to names.
    output('env', ['RUSTC_BOOTSTRAP=1', 'rustc', ...flags, SOURCE], directory);
  }
  const [crate] = readdirSync(join(directory, 'inc')).map((name) => join(directory, 'inc', name));
  const [session] = readdirSync(crate ?? '').filter((name) => !name.endsWith('.lock'));
  const folder = join(crate ?? '', session ?? '');
  const names = new Set(readdirSync(folder));
  const file = (name: string): InputFile => ({ name, read: () => readFileSync(join(folder, name)) });
  return [...names]
    .filter((name) => name.endsWith('.o'))
    .map((name) => {
      const beside = name.replace(/o$/, 'dwo');
      return names.has(beside) ? { ...file(name), debugFile: file(beside) } : file(name);
    });
}

function open(files: readonly InputFile[]): readonly LinkObject[] {
  return files.map((file) => openLinkObject(readObjectWith(file)));
}

/** All that is said of types, in one order. */
function told(objects: readonly LinkObject[]): Readonly<Record<string, readonly string[]>> {
  const { byPath, functions, statics, vtables, described } = readLayouts(objects);
  assert.ok(described);
  const lines = <T>(map: ReadonlyMap<string, T>, text: (value: T) => Iterable<string>): string[] =>
    [...map].map(([key, value]) => `${key} = ${[...text(value)].sort().join(' or ')}`).sort();
  return {
    layouts: lines(byPath, (layouts) => layouts.map(({ text }) => text)),
    functions: lines(functions, (names) => names),
    statics: lines(statics, (types) => types),
    vtables: lines(vtables, (tables) => tables.keys()),
  };
}

/** The object with most to say, and one that says something else. */
function largest(mode: string): InputFile & { readonly debugFile: InputFile } {
  const [first] = compiled(mode)
    .filter((file): file is InputFile & { readonly debugFile: InputFile } => file.debugFile !== undefined)
    .sort((a, b) => b.debugFile.read().length - a.debugFile.read().length);
  if (first === undefined) throw new Error('no .dwo');
  return first;
}

for (const mode of Object.keys(MODES).slice(1)) {
  test(`a program says the same of its types: ${mode}`, () => {
    const whole = open(compiled('whole'));
    const split = open(compiled(mode));
    const inFiles = mode !== 'in the objects';
    assert.is(split.filter(({ file }) => (file.debugFile !== undefined) === inFiles).length, whole.length);
    const expected = told(whole);
    assert.equal(told(split), expected);
    const types = whole.reduce((sum, { file }) => sum + readTypesAndFunctions(file).types.size, 0);
    assert.ok(types >= 1000, `${types} types`);
    assert.ok((expected['layouts']?.length ?? 0) >= 300, `${expected['layouts']?.length} layouts`);
    assert.ok((expected['vtables']?.length ?? 0) > 0);
    assert.ok((expected['statics']?.length ?? 0) > 0);
    for (const [at, { file }] of split.entries()) {
      const one = whole.find(({ name }) => name === split[at]?.name);
      assert.ok(one !== undefined, file.name);
      const [was, is] = [readTypesAndFunctions(one.file), readTypesAndFunctions(file)];
      assert.is(is.types.size, was.types.size, file.name);
      assert.is(is.all.length, was.all.length, file.name);
      assert.is(is.vtables.length, was.vtables.length, file.name);
      // Entry for entry, by the quick comparison as well.
      if (was.types.size > 0) assert.ok(sameTypes(one.file, file) !== null, file.name);
    }
  });
}

test('without its .dwo, with one of another object, with garbage: nothing is known, and why is said', () => {
  const object = largest('unpacked');
  const other = compiled('unpacked').find(({ name, debugFile }) => name !== object.name && debugFile !== undefined);
  const cases: readonly [InputFile | undefined, RegExp][] = [
    [undefined, /^\w+\.o has its debug information in a \.dwo file, which is not there$/],
    [other?.debugFile, /^\w+\.dwo is of another compilation: \w{16} instead of \w{16}$/],
    [{ name: 'x.dwo', read: () => new Uint8Array(0) }, /cannot be read: /],
    [{ name: 'x.dwo', read: () => Buffer.from('not an object at all') }, /cannot be read: /],
    [{ name: object.name, read: () => object.read() }, /^\w+\.o holds no debug information$/],
  ];
  for (const [debugFile, reason] of cases) {
    const now = open([{ ...object, debugFile }]);
    const verdict = compareLayouts(open([object]), now);
    assert.is(verdict.checked, false);
    assert.match(verdict.missing ?? '', reason);
    assert.is(compareLayouts(now, open([object])).checked, false);
  }
});

test('a .dwo that ends early or holds other bytes: an error or a reason, never something else', () => {
  const object = largest('unpacked');
  const whole = object.debugFile.read();
  const survives = (bytes: Uint8Array, skeleton = object.read()): void => {
    try {
      const beside = { name: 'x.dwo', read: () => bytes };
      const file = readObjectWith({ name: object.name, read: () => skeleton, debugFile: beside });
      const { sections, missing } = findDebugSections(file);
      assert.is(sections === null, missing !== null);
      readTypesAndFunctions(file);
    } catch (error) {
      if (!(error instanceof IpbpError)) throw error;
      assert.match(error.code, /^IPBP100[123]$/);
    }
  };
  fc.assert(
    fc.property(fc.nat(whole.length - 1), (length) => survives(whole.subarray(0, length))),
    { numRuns: 60 },
  );
  const change = fc.record({ at: fc.nat(whole.length - 1), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      const broken = new Uint8Array(whole);
      for (const { at, value } of changes) broken[at] = value;
      survives(broken);
    }),
    { numRuns: 120 },
  );
  // The half that stays in the object.
  const half = new Uint8Array(object.read());
  const places = readObjectWith(object).sections.filter(({ name }) => /^\.debug_(?:info|abbrev)$/.test(name));
  const place = fc
    .constantFrom(...places)
    .chain(({ offset, fileSize }) => fc.nat(fileSize - 1).map((at) => offset + at));
  fc.assert(
    fc.property(fc.array(fc.record({ at: place, value: fc.nat(255) }), { minLength: 1, maxLength: 4 }), (changes) => {
      const broken = new Uint8Array(half);
      for (const { at, value } of changes) broken[at] = value;
      survives(whole, broken);
    }),
    { numRuns: 120 },
  );
  // A section of which the end is zeros: the file itself is whole.
  const sections = readObjectWith(object.debugFile).sections.filter(({ kind }) => kind === 'debug');
  fc.assert(
    fc.property(
      fc.constantFrom(...sections),
      fc.double({ min: 0, max: 1, noNaN: true }),
      ({ offset, fileSize }, part) => {
        const broken = new Uint8Array(whole);
        broken.fill(0, offset + Math.floor(part * fileSize), offset + fileSize);
        survives(broken);
      },
    ),
    { numRuns: 60 },
  );
});

test.run();
