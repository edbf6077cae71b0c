import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MACHO_MACHINES } from '../../../tests/macho-inputs.js';
import { LoadCommands, machoLibrary, objdump } from '../../../tests/macho-library.js';
import { encodeExportTrie, type TrieExport } from './encode-export-trie.js';

const LC_DYLD_EXPORTS_TRIE = 0x33;
const regular = { kind: 'regular', weak: false, reexport: null } as const;

/** A plain reading of the trie: name, then what stands at its node, in hex. */
function listed(bytes: Uint8Array): string[] {
  const found: string[] = [];
  const walk = (start: number, name: number[]): void => {
    let at = start;
    const uleb = (): number => {
      let value = 0;
      for (let shift = 0; ; shift++) {
        const byte = bytes[at++]!;
        value += (byte % 128) * 128 ** shift;
        if (byte < 128) return value;
      }
    };
    const size = uleb();
    const terminal = bytes.subarray(at, at + size);
    if (size > 0) found.push(`${Buffer.from(name).toString()} ${Buffer.from(terminal).toString('hex')}`);
    at += size;
    for (let count = bytes[at++]!; count > 0; count--) {
      const label: number[] = [];
      while (bytes[at] !== 0) label.push(bytes[at++]!);
      at++;
      walk(uleb(), [...name, ...label]);
    }
  };
  walk(0, []);
  return found.sort();
}

for (const machine of MACHO_MACHINES) {
  test(`the exports of a library of ${machine}, written again, are listed as they were`, () => {
    const path = machoLibrary(machine, '-fixup_chains');
    const exports = objdump(path, '--exports-trie')
      .split('\n')
      .filter((line) => line.startsWith('0x'))
      .map((line): TrieExport => {
        const kind = line.includes('[per-thread]') ? 'thread-local' : 'regular';
        const [value, name] = line.split(/ +/);
        return { name: name!, value: Number(value), kind, weak: line.includes('[weak_def]'), reexport: null };
      });
    assert.ok(exports.length > 9);
    const { bytes } = LoadCommands.of(path).linked(LC_DYLD_EXPORTS_TRIE);
    assert.equal(listed(encodeExportTrie(exports)), listed(bytes));
  });
}

test('any names come back', () => {
  const name = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1 }));
  const names = fc.uniqueArray(name.map((text) => text.replaceAll('\0', '_')));
  fc.assert(
    fc.property(names, (all) => {
      const exports = all.map((text, index) => ({ ...regular, name: text, value: index * 1000 }));
      const expected = exports.map(
        (one) =>
          `${one.name} 00${listed(encodeExportTrie([one]))[0]!
            .split(' ')
            .at(-1)!
            .slice(2)}`,
      );
      assert.equal(exports.length === 0 ? [] : listed(encodeExportTrie(exports)), expected.sort());
    }),
  );
  assert.equal(encodeExportTrie([]), new Uint8Array(0));
});

test('what a name stands for, as dyld reads it', () => {
  const of = (one: Partial<TrieExport>): string =>
    listed(encodeExportTrie([{ ...regular, name: 'n', value: 0x3ff0, ...one }]))[0]!;
  assert.is(of({}), 'n 00f07f');
  assert.is(of({ weak: true }), 'n 04f07f');
  assert.is(of({ kind: 'thread-local' }), 'n 01f07f');
  assert.is(of({ kind: 'absolute', value: 5 }), 'n 0205');
  assert.is(of({ reexport: { library: 2, name: 'm' } }), 'n 08026d00');
});

test('many names: offsets that take more bytes move those behind them', () => {
  const exports = Array.from({ length: 5000 }, (_, i) => ({ ...regular, name: `_n${i}`, value: i }));
  assert.is(listed(encodeExportTrie(exports)).length, 5000);
});

test.run();
