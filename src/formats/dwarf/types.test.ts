// Types as compilers describe them, and broken descriptions: whatever the bytes, only IpbpError, in bounded time.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf, output, scratch } from '../../../tests/format-inputs.js';
import { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import { IpbpError } from '../../codes/error.js';
import type { ObjectFile } from '../object-file.js';
import { readObjectFile } from '../read-object.js';
import { readConstant } from './forms.js';
import * as dw from './constants.js';
import { sameTypes } from './same-types.js';
import type { CompositeType, EnumerationType, TypeTable } from './type-table.js';
import { readTypes } from './types.js';

const RUST = `
#![crate_type = "lib"]
pub mod inner {
    pub struct Point { pub x: u8, pub y: u32 }
    pub enum Plain { A, B = 7 }
    pub enum Rich { Unit, Tuple(u16), Named { at: Point } }
    pub enum Huge { Small(u8), Text(String) }
    #[repr(u128)]
    pub enum Wide { One = 1, Most = u128::MAX }
}
use inner::*;
pub trait Shape { fn area(&self) -> u32; }
impl Shape for Point { fn area(&self) -> u32 { self.y } }
pub static mut KEPT: [u16; 3] = [1, 2, 3];
#[inline(never)]
pub fn touch(p: Point, a: Plain, r: Rich, h: Option<Huge>, w: Wide) -> Box<dyn Shape> {
    let closure = |k: u32| k + p.y;
    std::hint::black_box((&a, &r, &h, &w, closure(3), unsafe { KEPT[1] }));
    Box::new(Point { x: p.x, y: closure(3) })
}
`;

const C = `
typedef struct point { char x; int y; unsigned flag : 3, rest : 5; } point;
union both { long whole; struct { int low, high; } parts; };
enum colour { RED, GREEN = -5, BLUE = 7 };
struct list { struct list *next; point points[2][3]; union both both; const volatile enum colour colour; };
int touch(struct list *list) { return list->points[1][2].y + list->colour; }
`;

const made = new Map<string, string>();

function object(compiler: 'rustc' | 'gcc', ...flags: string[]): ObjectFile {
  const key = [compiler, ...flags].join(' ');
  let path = made.get(key);
  if (path === undefined) {
    path = join(scratch(), `types-${made.size}.o`);
    const source = path.replace(/o$/, compiler === 'gcc' ? 'c' : 'rs');
    writeFileSync(source, compiler === 'gcc' ? C : RUST);
    if (compiler === 'gcc') output('gcc', ['-c', ...flags, source, '-o', path]);
    else output('rustc', ['--emit=obj', '-Ccodegen-units=1', '-Awarnings', ...flags, source, '-o', path]);
    made.set(key, path);
  }
  return readObjectFile(bytesOf(path), path);
}

function composite(table: TypeTable, name: string): CompositeType {
  const found = [...table.types.values()].find(
    (type) => type.kind === 'composite' && type.path.replace(/^.*?::/, '') === name.replace(/^.*?::/, ''),
  );
  if (found?.kind !== 'composite')
    throw new Error(`no ${name} in ${[...table.types.values()].map((type) => JSON.stringify(type)).join('\n')}`);
  return found;
}

function enumeration(table: TypeTable, name: string): EnumerationType {
  const found = [...table.types.values()].find((type) => type.kind === 'enumeration' && type.path.endsWith(name));
  if (found?.kind !== 'enumeration') throw new Error(`no ${name}`);
  return found;
}

for (const version of [4, 5]) {
  test(`what rustc says in DWARF ${version}`, () => {
    const table = readTypes(object('rustc', '-Cdebuginfo=2', `-Cdwarf-version=${version}`));
    const point = composite(table, 'x::inner::Point');
    assert.is(point.size, 8);
    assert.is(point.align, 4);
    assert.equal(Object.fromEntries(point.members.map(({ name, offset }) => [name, offset])), { x: 4, y: 0 });
    assert.equal(
      enumeration(table, '::inner::Plain').enumerators.map(({ name, value }) => `${name}=${value}`),
      ['A=0', 'B=7'],
    );
    const [rich] = composite(table, 'x::inner::Rich').variantParts;
    assert.equal(
      rich?.variants.map(({ value }) => value),
      ['0', '1', '2'],
    );
    // The empty Option, in values that no capacity of a String has.
    const [option] = composite(
      table,
      'x::option::Option<types_0::inner::Huge>'.replace('types_0', crate(table)),
    ).variantParts;
    assert.ok(
      option?.variants.some(({ value }) => value?.startsWith('0x80000000') === true),
      JSON.stringify(option),
    );
    assert.equal(
      table.statics.map(({ linkageName }) => /KEPT/.test(linkageName)),
      [true],
    );
    const kept = table.types.get(table.statics[0]?.type ?? -1);
    assert.equal(kept?.kind === 'array' && kept.counts, [3]);
    assert.equal(
      table.functions.map(({ path }) => path.replace(/^[^:]*/, '')),
      ['::touch::{closure#0}'],
    );
    const vtable = [...table.types.values()].find(
      (type) => type.kind === 'composite' && type.path.includes('{vtable_type}'),
    );
    assert.is(vtable?.kind === 'composite' && vtable.size, 32);
  });
}

/** The crate is called as its file. */
function crate(table: TypeTable): string {
  return table.functions[0]?.path.replace(/::.*/, '') ?? '';
}

for (const version of ['4', '5']) {
  test(`what gcc says of C in DWARF ${version}`, () => {
    const table = readTypes(object('gcc', '-g', `-gdwarf-${version}`));
    const point = composite(table, 'point');
    assert.is(point.size, 12);
    assert.equal(
      point.members.map(({ name, offset, bits }) => [name, offset, bits.replace(/^.*:/, '')]),
      [
        ['x', 0, ''],
        ['y', 4, ''],
        // A bit field: DWARF 5 and gcc give its place in bits.
        ['flag', point.members[2]?.offset ?? null, '3'],
        ['rest', point.members[3]?.offset ?? null, '5'],
      ],
    );
    assert.ok(composite(table, 'both').union);
    assert.equal(
      enumeration(table, 'colour').enumerators.map(({ name }) => name),
      ['RED', 'GREEN', 'BLUE'],
    );
    const points = composite(table, 'list').members.find(({ name }) => name === 'points');
    const array = table.types.get(points?.type ?? -1);
    assert.equal(array?.kind === 'array' && array.counts, [2, 3]);
  });
}

test('an object without type descriptions has none', () => {
  assert.is(readTypes(object('gcc', '-g0')).types.size, 0);
  assert.is(readTypes(object('rustc', '-Cdebuginfo=0')).types.size, 0);
  assert.is(readTypes(object('rustc', '-Cdebuginfo=line-tables-only')).types.size, 0);
});

test('64-bit DWARF and old versions are said not to be supported', () => {
  for (const flags of [
    ['-g', '-gdwarf64'],
    ['-g', '-gdwarf-3', '-gstrict-dwarf'],
  ]) {
    assert.throws(
      () => readTypes(object('gcc', ...flags)),
      (error: unknown) => error instanceof IpbpError && error.code === 'IPBP1003',
    );
  }
});

test('constants of any width are told apart', () => {
  const text = (bytes: number[], form: number): string | null =>
    readConstant(new ByteReader(Uint8Array.from(bytes), 'x'), form);
  assert.is(text([5], dw.DW_FORM_data1), '5');
  assert.is(text([0x7b], dw.DW_FORM_sdata), '-5');
  assert.is(text([0, 0, 0, 0, 0, 0, 0, 0x80], dw.DW_FORM_data8), '0x8000000000000000');
  assert.is(text(Array<number>(16).fill(255), dw.DW_FORM_data16), `0x${'f'.repeat(32)}`);
  const most = [...Array<number>(9).fill(255), 1];
  assert.match(text(most, dw.DW_FORM_udata) ?? '', /^leb 0xffffffffffffffffff01$/);
  assert.is(text([1, 2, 3, 4], dw.DW_FORM_strp), null);
});

test('two versions of an object describe the same types, or not', () => {
  const C_OBJECT = ['-g', '-gdwarf-4'] as const;
  assert.equal(sameTypes(object('gcc', ...C_OBJECT), object('gcc', ...C_OBJECT))?.vtables, []);
  assert.ok(sameTypes(object('gcc', ...C_OBJECT), object('gcc', ...C_OBJECT, '-O2')));
  assert.is(null, sameTypes(object('gcc', ...C_OBJECT), object('gcc', ...C_OBJECT, '-Dy=z')), 'a field renamed');
  assert.is(null, sameTypes(object('gcc', ...C_OBJECT), object('gcc', ...C_OBJECT, '-fpack-struct')), 'fields moved');
  assert.is(
    null,
    sameTypes(object('gcc', ...C_OBJECT), object('gcc', ...C_OBJECT, '-DBLUE=BLUE,BLACK')),
    'one value more',
  );
  assert.not(
    sameTypes(object('gcc', ...C_OBJECT), object('gcc', ...C_OBJECT, '-Dchar=float')),
    'another type of a field',
  );
  assert.is(null, sameTypes(object('gcc', '-g0'), object('gcc', '-g0')), 'no types: nothing is known');
});

/** Reads; anything but an IpbpError of the format codes fails, and so does taking long. */
function survives(file: ObjectFile, whole = file): void {
  const start = performance.now();
  for (const read of [() => readTypes(file), () => sameTypes(whole, file)]) {
    try {
      read();
    } catch (error) {
      if (!(error instanceof IpbpError)) throw error;
      assert.match(error.code, /^IPBP100[123]$/);
    }
  }
  assert.ok(performance.now() - start < 3000, 'broken descriptions took too long');
}

const SUBJECTS = [
  ['rustc', '-Cdebuginfo=2', '-Cdwarf-version=4'],
  ['rustc', '-Cdebuginfo=2', '-Cdwarf-version=5'],
  ['gcc', '-g', '-gdwarf-5'],
] as const;

for (const [compiler, ...flags] of SUBJECTS) {
  test(`changed bytes in the sections: ${compiler} ${flags.join(' ')}`, () => {
    const whole = object(compiler, ...flags);
    const { bytes, name, sections } = whole;
    const places = sections.filter((section) =>
      /debug_(?:info|abbrev|str|str_offsets)$|^\.debug_line_str/.test(section.name),
    );
    const place = fc
      .constantFrom(...places)
      .chain(({ offset, fileSize }) => fc.nat(fileSize - 1).map((at) => offset + at));
    const change = fc.record({ at: place, value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const broken = new Uint8Array(bytes);
        for (const { at, value } of changes) broken[at] = value;
        survives(readObjectFile(broken, name), whole);
      }),
      { numRuns: 250 },
    );
  });
}

/** An object that holds nothing but the sections given. */
function bare(sections: Readonly<Record<string, Uint8Array>>): ObjectFile {
  const names = Object.keys(sections);
  const whole = object('gcc', '-g0');
  const [model] = whole.sections;
  assert.ok(model);
  return {
    ...whole,
    sections: names.map((name, index) => {
      const size = sections[name]?.length ?? 0;
      return { ...model, index, name, kind: 'debug', size, fileSize: size };
    }),
    symbols: [],
    relocations: () => [],
    sectionBytes: (index) => sections[names[index] ?? ''] ?? new Uint8Array(0),
  };
}

/** A unit's header in front of its entries. */
function unit(entries: readonly number[], abbreviations = 0): number[] {
  const writer = new ByteWriter();
  writer.u32(entries.length + 7);
  writer.u16(4);
  writer.u32(abbreviations);
  writer.u8(8);
  return [...writer.finish(), ...entries];
}

test('nesting without end: a hundred thousand namespaces in one another', () => {
  // Abbreviation 1: a namespace with children, its name in .debug_str.
  const abbrev = Uint8Array.from([1, dw.DW_TAG_namespace, 1, dw.DW_AT_name, dw.DW_FORM_string, 0, 0, 0]);
  const entries = Array.from({ length: 100_000 }, () => [1, 0x61, 0]).flat();
  survives(bare({ '.debug_info': Uint8Array.from(unit(entries)), '.debug_abbrev': abbrev }));
});

test('units that each begin their abbreviations one byte later', () => {
  const size = 20_000;
  const abbrev = new Uint8Array(size).fill(1);
  const units = Array.from({ length: size }, (_, index) => unit([0], index)).flat();
  survives(bare({ '.debug_info': Uint8Array.from(units), '.debug_abbrev': abbrev }));
});

test('names that each begin one byte later', () => {
  const abbrev = Uint8Array.from([1, dw.DW_TAG_base_type, 0, dw.DW_AT_name, dw.DW_FORM_strp, 0, 0, 0]);
  const count = 60_000;
  const entries = Array.from({ length: count }, (_, at) => [1, at % 256, Math.floor(at / 256) % 256, 0, 0]).flat();
  const strings = new Uint8Array(count + 1).fill(0x61, 0, count);
  survives(bare({ '.debug_info': Uint8Array.from(unit(entries)), '.debug_abbrev': abbrev, '.debug_str': strings }));
});

test.run();
