import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf, output } from '../../../tests/format-inputs.js';
import * as inputs from '../../../tests/macho-inputs.js';
import { ByteReader } from '../../bytes/reader.js';
import { readObjectFile } from '../read-object.js';
import { encodeExportTrie, type TrieExport } from './encode-export-trie.js';
import { readExportTrie } from './export-trie.js';
import { modelName } from './names.js';
import { isMachoFile, type MachoFile } from './read.js';

function open(path: string): MachoFile {
  const file = readObjectFile(bytesOf(path), path);
  assert.ok(isMachoFile(file));
  return file;
}

interface Linked {
  readonly machine: inputs.MachoMachine;
  readonly object: string;
  readonly program: string;
  readonly library: string;
}

const linked: readonly Linked[] = inputs.MACHO_MACHINES.map((machine) => {
  const object = inputs.machoObject(machine, 'c', inputs.MACHO_C, '-O1', '-g');
  return {
    machine,
    object,
    program: inputs.machoLinked(machine, [object]),
    library: inputs.machoLinked(machine, [object], '-dylib', '-install_name', '@rpath/liba.dylib'),
  };
});

const both = (): string[] => linked.flatMap(({ program, library }) => [program, library]);

test('segments and sections are those that llvm-objdump prints', () => {
  for (const path of both()) {
    const file = open(path);
    const text = output('llvm-objdump-19', ['--macho', '--private-headers', path]);
    const numbers = (pattern: RegExp): number[] => [...text.matchAll(pattern)].map(([, value]) => Number(value));
    const segments = numbers(/^ +vmaddr (0x\w+)$/gm);
    assert.equal(
      file.linked?.segments.map(({ address }) => address),
      segments.filter((_, index) => path.endsWith('dylib') || !isPageZero(text, index)),
    );
    assert.equal(
      file.sections.map(({ address }) => address),
      numbers(/^ {6}addr (0x\w+)$/gm),
    );
    assert.equal(
      file.sections.map(({ size }) => size),
      numbers(/^ {6}size (0x\w+)$/gm),
    );
    const uuid = /uuid ([\w-]+)/.exec(text)?.[1]?.replaceAll('-', '').toLowerCase();
    assert.is(Buffer.from(file.linked?.buildId ?? []).toString('hex'), uuid);
    assert.equal(file.linked?.needed, ['/usr/lib/libSystem.B.dylib']);
  }
});

function isPageZero(text: string, segment: number): boolean {
  return (
    text
      .split(/^Load command/m)
      .filter((part) => part.includes('LC_SEGMENT_64'))
      [segment]?.includes('__PAGEZERO') === true
  );
}

test('a program is one, and a library has its name', () => {
  for (const { program, library, machine } of linked) {
    const [a, b] = [open(program), open(library)];
    assert.equal([a.kind, a.machine, a.linked?.soname, a.linked?.loaded], ['executable', machine, null, true]);
    assert.equal(
      [b.kind, b.machine, b.linked?.soname, b.linked?.loaded],
      ['shared', machine, '@rpath/liba.dylib', false],
    );
    assert.ok(a.linked?.positionIndependent === true && b.linked?.positionIndependent === true);
    assert.ok(a.linked.keepsOwnNames && b.linked.keepsOwnNames);
  }
});

test('exports are those that llvm-objdump prints, with their addresses', () => {
  for (const path of both()) {
    const text = output('llvm-objdump-19', ['--macho', '--exports-trie', path]);
    const want = [...text.matchAll(/^(0x\w+) +(\S+)/gm)].map(([, address, name = '']) => [
      modelName(name),
      Number(address),
    ]);
    assert.ok(want.length > 5);
    const file = open(path);
    const symbols =
      file.linked?.dynamicSymbols.filter(({ section, index }) => index > 0 && section !== 'undefined') ?? [];
    assert.equal(new Map(symbols.map(({ name, value }) => [name, value])), new Map(want as [string, number][]));
    const undefinedOnes = file.linked?.dynamicSymbols.filter(
      ({ section, name }) => section === 'undefined' && name !== '',
    );
    assert.ok(undefinedOnes?.some(({ name }) => name === 'outside'));
    assert.is(undefinedOnes?.find(({ name }) => name === 'perhaps')?.binding, 'weak');
    const columns = file.linked?.dynamicColumns();
    file.linked?.dynamicSymbols.forEach(({ name, size, kind }, index) => {
      assert.equal([columns?.nameOf(index), columns?.size[index]], [name, size]);
      if (name === 'work') assert.is(kind, 'function');
    });
  }
});

test('functions are as long in a program as in the object they came from', () => {
  for (const { object, program } of linked) {
    const file = open(program);
    const from = open(object);
    const names = new Map(from.symbols.map((symbol) => [symbol.name, symbol]));
    const functions = file.symbols.filter(({ kind }) => kind === 'function');
    assert.ok(functions.length >= 4);
    assert.is(file.countFunctions(), functions.length);
    assert.is(file.countNamed(['work', 'text', 'missing']), 2);
    for (const { name, size, value } of functions) {
      const own = names.get(name);
      assert.ok(own, name);
      // Up to the next one that begins: with its jump table, and what fills up to there.
      const piece = from.sections[Number(own.section)]?.size ?? 0;
      assert.ok(size >= own.size && size < piece + 16, `${name}: ${size}, ${own.size}`);
      assert.ok(file.macho.linked?.functionStarts().includes(value), name);
    }
  }
});

test('the debug map says which functions came from which object', () => {
  for (const { object, program } of linked) {
    const file = open(program);
    const map = file.macho.debugMap();
    assert.equal(
      map.map(({ object: path }) => path),
      [object],
    );
    const byName = new Map(file.symbols.map(({ name, value }) => [name, value]));
    const functions = map.flatMap((unit) => unit.functions);
    assert.ok(functions.length >= 4);
    for (const { name, address, size } of functions) {
      assert.is(address, byName.get(modelName(name)), name);
      assert.ok(size > 0);
    }
    assert.ok(map[0]?.source.endsWith('.c'));
    assert.ok(
      file.symbols.every(({ name }) => name !== ''.padEnd(1)),
      'entries for debuggers are no symbols',
    );
  }
});

test('stubs and pointers say which symbols they stand for', () => {
  for (const path of both()) {
    const file = open(path);
    const { headers } = file.macho;
    const table = file.macho.symbolTable();
    const indirect = file.macho.indirectSymbols();
    const stubs = headers.sections.find(({ name }) => name === '__stubs');
    assert.ok(stubs);
    const names = Array.from({ length: stubs.size / stubs.reserved2 }, (_, index) => {
      const entry = indirect[stubs.reserved1 + index] ?? -1;
      return file.symbols[table.symbolOf[entry] ?? 0]?.name;
    });
    assert.ok(names.includes('outside'));
  }
});

test('of a large file only what is asked for is read', () => {
  for (const { program } of linked) {
    const bytes = bytesOf(program);
    let read = 0;
    const source = {
      size: bytes.length,
      read(offset: number, size: number) {
        read += size;
        return bytes.subarray(offset, offset + size);
      },
    };
    const file = readObjectFile(source, program);
    const whole = readObjectFile(bytes, program);
    assert.equal(file.linked?.needed, whole.linked?.needed);
    assert.equal(file.linked?.buildId, whole.linked?.buildId);
    assert.is(file.sections.length, whole.sections.length);
    assert.is(file.countFunctions(), whole.countFunctions());
    assert.ok(read < 12_000, `${read} of ${bytes.length}`);
    assert.equal(file.symbols, whole.symbols);
    assert.equal(file.linked?.dynamicSymbols, whole.linked?.dynamicSymbols);
    assert.ok(read < bytes.length, `${read} of ${bytes.length}`);
  }
});

test('an export trie gives back what was put into it', () => {
  const entry = (name: string, value: number): TrieExport => ({
    name,
    value,
    kind: 'regular',
    weak: false,
    reexport: null,
  });
  const exports: TrieExport[] = [
    ...['_a', '_ab', '_abc', '_b', '_größe', '_gr\u00f6\u00dfer'].map((name, index) => entry(name, 1 << (index * 5))),
    { ...entry('_tls', 16), kind: 'thread-local' },
    { ...entry('_abs', 2 ** 40), kind: 'absolute', weak: true },
    { ...entry('_other', 0), reexport: { library: 2, name: '_elsewhere' } },
  ];
  const read = readExportTrie(new ByteReader(encodeExportTrie(exports), 'trie'));
  const sorted = (list: readonly TrieExport[]): TrieExport[] => [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
  assert.equal(sorted(read), sorted(exports));
});

test('a trie whose nodes go round is refused', () => {
  // No export here; one child, `a`, which is the node itself.
  assert.throws(() => readExportTrie(new ByteReader(Uint8Array.of(0, 1, 0x61, 0, 0), 'trie')), /reached twice/);
});

for (const [version, command, minimum] of [
  ['12.3', 'LC_BUILD_VERSION', 0xc_0300],
  ['10.9', 'LC_VERSION_MIN_MACOSX', 0xa_0900],
] as const) {
  test(`the system that a file is for, as ${command} says it`, () => {
    const options = ['-dylib', '-platform_version', 'macos', version, '12.1.2'];
    const path = inputs.machoLinked('x86_64', [linked[1]!.object], ...options);
    assert.ok(output('llvm-objdump-19', ['--macho', '--private-headers', path]).includes(command));
    assert.equal(open(path).linked?.platform, { platform: 1, minimum, sdk: 0xc_0102 });
  });
}

test.run();
