// What is written is read back with the same meaning, with edits and without, for the objects of three compilers; and
// two linkers make the same program of it.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as inputs from '../../../tests/format-inputs.js';
import { IpbpError } from '../../codes/error.js';
import { NO_EDITS, type ObjectEdits } from '../object-edits.js';
import type { ObjectSymbol, Relocation } from '../object-file.js';
import * as elf from './constants.js';
import { readElf, type ElfFile } from './read.js';
import { rewriteElf } from './rewrite.js';

const OBJECTS: readonly (readonly [string, () => string])[] = [
  ['rustc -O', inputs.releaseObject],
  ['gcc', inputs.cObject],
  ['assembly with groups', inputs.assemblyObject],
  ['AArch64', inputs.arm64Object],
  ['more than 65,000 sections', inputs.manySectionsObject],
];

const open = (path: string): ElfFile => readElf(inputs.bytesOf(path), path);
const again = (file: ElfFile, edits: ObjectEdits = NO_EDITS): ElfFile => readElf(rewriteElf(file, edits), 'rewritten');

/** The tables, which are made anew. */
function isTable(file: ElfFile, index: number): boolean {
  const type = file.headers.sections[index]?.type ?? 0;
  const tables: number[] = [elf.SHT_SYMTAB, elf.SHT_SYMTAB_SHNDX, elf.SHT_STRTAB, elf.SHT_GROUP, elf.SHT_RELA];
  return tables.includes(type);
}

/** A symbol as others see it: where it is in the table does not matter. */
function facts(file: ElfFile, symbol: ObjectSymbol | undefined): string {
  if (symbol === undefined) return 'none';
  const { name, kind, binding, visibility, section, value, size } = symbol;
  const home = typeof section === 'number' ? `${section} ${file.sections[section]?.name}` : section;
  return [name, kind, binding, visibility, home, value, size].join(' | ');
}

function relocationFacts(file: ElfFile, section: number): string[] {
  return file
    .relocations(section)
    .map(({ offset, type, symbol, addend }) => `${offset} ${type} ${addend} ${facts(file, file.symbols[symbol])}`);
}

/** All that a linker sees of a section, its place in the file aside. */
function sectionFacts(file: ElfFile, index: number): unknown {
  const section = file.sections[index];
  if (section === undefined) throw new Error(`there is no section ${index}`);
  const { offset, size, fileSize, ...rest } = section;
  assert.ok(offset >= 0);
  const content = isTable(file, index) ? 'table' : Buffer.from(file.sectionBytes(index)).toString('base64');
  return { ...rest, content, sizes: isTable(file, index) ? 'table' : [size, fileSize] };
}

for (const [name, path] of OBJECTS) {
  test(`without edits all means what it meant: ${name}`, () => {
    const before = open(path());
    const after = again(before);
    assert.is(after.sections.length, before.sections.length);
    before.sections.forEach((_, index) => {
      assert.equal(sectionFacts(after, index), sectionFacts(before, index));
      assert.equal(relocationFacts(after, index), relocationFacts(before, index));
    });
    assert.equal(
      after.symbols.map((symbol) => facts(after, symbol)),
      before.symbols.map((symbol) => facts(before, symbol)),
    );
  });
}

/** Random edits of an object: any symbols renamed, new symbols and sections, longer sections, other relocations. */
function editsOf(file: ElfFile): fc.Arbitrary<ObjectEdits> {
  const content = file.sections
    .filter(({ index, alloc, fileSize }) => alloc && fileSize > 0 && !isTable(file, index))
    .map(({ index }) => index);
  const named = file.symbols.filter(({ kind, name }) => kind !== 'section' && kind !== 'file' && name !== '');
  const word = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 30 });
  const home = fc.constantFrom<ObjectSymbol['section']>(...content, 'undefined', 'absolute', 'common');
  const newSymbols = fc.array(
    fc.record({
      name: word,
      kind: fc.constantFrom<ObjectSymbol['kind']>('function', 'data', 'none'),
      binding: fc.constantFrom<ObjectSymbol['binding']>('local', 'global', 'weak'),
      visibility: fc.constantFrom<ObjectSymbol['visibility']>('default', 'hidden', 'protected'),
      section: home,
      value: fc.nat(2 ** 33),
      size: fc.nat(2 ** 33),
    }),
    { maxLength: 6 },
  );
  return newSymbols.chain((added) => {
    const symbol = fc.nat(file.symbols.length + added.length - 1);
    const relocations = fc.array(
      fc.record({
        offset: fc.constant(0),
        type: fc.constantFrom(1, 2, 4),
        symbol,
        addend: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      }),
      { maxLength: 5 },
    );
    return fc.record({
      symbols: fc
        .uniqueArray(fc.constantFrom(...named.map(({ index }) => index)), { maxLength: 5 })
        .chain((chosen) =>
          fc.tuple(
            ...chosen.map((index) =>
              fc.tuple(fc.constant(index), fc.record({ name: word, binding: fc.constant('local' as const) })),
            ),
          ),
        )
        .map((entries) => new Map(entries)),
      newSymbols: fc.constant(added),
      newSections: fc.array(
        fc.record({
          name: word,
          kind: fc.constantFrom('code', 'data'),
          align: fc.constantFrom(1, 8, 64),
          bytes: fc.uint8Array({ minLength: 1 }),
          relocations,
        }),
        { maxLength: 4 },
      ),
      appended: fc
        .tuple(fc.constantFrom(...content), fc.uint8Array({ minLength: 1 }))
        .map(([section, bytes]) => new Map([[section, bytes]])),
      relocations: fc
        .tuple(fc.constantFrom(...content), relocations)
        .map(([section, list]) => new Map<number, readonly Relocation[]>([[section, list]])),
    });
  });
}

/** A symbol as it should be after the edits, by its index before them. */
function wanted(file: ElfFile, edits: ObjectEdits, index: number): Omit<ObjectSymbol, 'index'> {
  const added = edits.newSymbols[index - file.symbols.length];
  if (added !== undefined) return added;
  const symbol = file.symbols[index] as ObjectSymbol;
  const change = edits.symbols.get(index);
  return change === undefined ? symbol : { ...symbol, ...change, visibility: 'default' };
}

test('edits are there when the object is read again, and nothing else is', () => {
  const before = open(inputs.releaseObject());
  fc.assert(
    fc.property(editsOf(before), (edits) => {
      const after = again(before, edits);
      const named = (list: readonly Relocation[]): string[] =>
        list.map(({ offset, type, symbol, addend }) => {
          return `${offset} ${type} ${addend} ${facts(after, { index: 0, ...wanted(before, edits, symbol) })}`;
        });
      assert.equal(
        after.symbols.map((symbol) => facts(after, symbol)).sort(),
        Array.from({ length: before.symbols.length + edits.newSymbols.length }, (_, index) =>
          facts(after, { index, ...wanted(before, edits, index) }),
        ).sort(),
      );
      const firstGlobal = after.symbols.findIndex(({ binding }) => binding !== 'local');
      assert.ok(after.symbols.slice(firstGlobal).every(({ binding }) => binding !== 'local'));
      const table = after.headers.sections.find(({ type }) => type === elf.SHT_SYMTAB);
      assert.is(table?.info, firstGlobal);
      for (const { index } of before.sections) {
        const more = edits.appended.get(index);
        if (!isTable(before, index)) {
          const bytes = Buffer.concat([before.sectionBytes(index), more ?? new Uint8Array(0)]);
          assert.ok(bytes.equals(after.sectionBytes(index)));
        }
        const list = edits.relocations.get(index) ?? before.relocations(index);
        assert.equal(relocationFacts(after, index), named(list));
      }
      edits.newSections.forEach(({ name, kind, align, bytes, relocations }, i) => {
        const section = after.sections[before.sections.length + i];
        const full = `${kind === 'code' ? '.text' : '.data'}.${name}`;
        assert.equal([section?.name, section?.kind, section?.align], [full, kind, align]);
        assert.equal([...after.sectionBytes(before.sections.length + i)], [...bytes]);
        assert.equal(relocationFacts(after, before.sections.length + i), named(relocations));
      });
    }),
    { numRuns: 60 },
  );
});

test('a section table that grows beyond sixteen bits takes its symbols along', () => {
  const before = open(inputs.manySectionsObject());
  const last = before.sections.findIndex(({ name }) => name === '.last');
  const symbol = { kind: 'data', binding: 'global', visibility: 'default', value: 0, size: 1 } as const;
  const after = again(before, {
    ...NO_EDITS,
    newSymbols: [
      { ...symbol, name: 'far', section: last },
      { ...symbol, name: 'new', section: before.sections.length },
    ],
    newSections: [{ name: 'more', kind: 'data', align: 8, bytes: new Uint8Array(8), relocations: [] }],
  });
  const home = (name: string): string | undefined => {
    const found = after.symbols.find((one) => one.name === name)?.section;
    return typeof found === 'number' ? after.sections[found]?.name : found;
  };
  assert.equal([home('far'), home('new'), home('last')], ['.last', '.data.more', '.last']);
});

test('symbol indexes that only a linker reads are dropped, not left wrong', () => {
  const assembly = join(inputs.scratch(), 'addrsig.o');
  const before = open(inputs.cObject());
  // As LLVM writes it: a section of LEB128 numbers. gcc writes none, so the comment's type is changed into it.
  const bytes = before.bytes.slice();
  const comment = before.sections.findIndex(({ name }) => name === '.comment');
  const view = new DataView(bytes.buffer);
  const headers = Number(view.getBigUint64(40, true));
  view.setUint32(headers + comment * elf.SHDR_SIZE + 4, elf.SHT_LLVM_ADDRSIG, true);
  writeFileSync(assembly, bytes);
  const after = again(open(assembly));
  assert.is(after.headers.sections[comment]?.type, elf.SHT_NULL);
  assert.is(after.sections.length, before.sections.length);
});

test('a file without symbols is refused', () => {
  const bytes = inputs.bytesOf(inputs.rustProgram());
  assert.throws(
    () => rewriteElf(readElf(bytes, 'program'), NO_EDITS),
    (error: unknown) => error instanceof IpbpError && error.code === 'IPBP2020',
  );
});

for (const linker of ['bfd', 'lld']) {
  test(`the same program comes of rewritten objects: ${linker}`, () => {
    const folder = inputs.scratch();
    const source = join(folder, `relinked-${linker}.rs`);
    writeFileSync(source, PROGRAM);
    const executable = join(folder, `relinked-${linker}`);
    const script = join(folder, `linker-${linker}`);
    const node = `'${process.execPath}' --import tsx`;
    const rewriter = join(folder, `rewriter-${linker}.ts`);
    writeFileSync(rewriter, REWRITER);
    writeFileSync(
      script,
      `#!/bin/sh
for a; do case $a in *.rcgu.o) ${node} '${rewriter}' "$a" || exit 1 ;; esac; done
exec cc "$@" ${linker === 'bfd' ? '-fuse-ld=bfd' : ''}
`,
    );
    chmodSync(script, 0o755);
    inputs.output('rustc', ['-Ccodegen-units=2', `-Clinker=${script}`, source, '-o', executable], process.cwd());
    assert.is(inputs.output(executable, []), 'caught 1764 [1, 2, 3]\n');
  });
}

const REWRITER = `
import { readFileSync, writeFileSync } from 'node:fs';
import { readElf } from '${new URL('read.ts', import.meta.url).pathname}';
import { rewriteElf } from '${new URL('rewrite.ts', import.meta.url).pathname}';
const path = process.argv[2];
const file = readElf(new Uint8Array(readFileSync(path)), path);
const none = { symbols: new Map(), newSymbols: [], newSections: [], appended: new Map(), relocations: new Map() };
writeFileSync(path, rewriteElf(file, none));
`;

const PROGRAM = `
thread_local! { static COUNT: std::cell::Cell<u64> = const { std::cell::Cell::new(42) }; }
fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let caught = std::panic::catch_unwind(|| { let v: Vec<u8> = vec![]; v[1] }).is_err();
    let t = std::thread::spawn(|| COUNT.with(|c| c.get() * c.get())).join().unwrap();
    println!("{} {t} {:?}", if caught { "caught" } else { "not" }, [1, 2, 3]);
}
`;

test.run();
