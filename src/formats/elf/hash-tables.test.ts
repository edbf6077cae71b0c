import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ByteReader } from '../../bytes/reader.js';
import { encodeText } from '../../bytes/text.js';
import { encodeGnuHash, gnuHash, gnuHashSize } from './gnu-hash.js';
import { encodeSysvHash, sysvHash, sysvHashSize } from './sysv-hash.js';

test('hashes are those of known names', () => {
  // Of glibc's and the gABI's own examples, as readelf and objdump show them for libc.
  assert.equal(
    ['', 'printf', 'exit', 'syscall'].map((name) => gnuHash(encodeText(name))),
    [0x1505, 0x156b2bb8, 0x7c967e3f, 0xbac212a0],
  );
  assert.equal(
    ['', 'printf', 'exit', 'syscall'].map((name) => sysvHash(encodeText(name))),
    [0, 0x77905a6, 0x6cf04, 0xb09985c],
  );
});

/** Looks a name up as glibc's do_lookup_x does; the symbol's index, or -1. */
function lookUp(table: Uint8Array, names: readonly string[], wanted: string): number {
  const word = (at: number): number => new ByteReader(table, 'hash').seek(at * 4).u32();
  const [buckets, first, words, shift] = [word(0), word(1), word(2), word(3)];
  const hash = gnuHash(encodeText(wanted));
  const bloom = 4 + (Math.floor(hash / 64) % words) * 2;
  const bit = (index: number): boolean => (word(bloom + Math.floor(index / 32)) >>> (index % 32)) % 2 === 1;
  if (!bit(hash % 64) || !bit((hash >>> shift) % 64)) return -1;
  let symbol = word(4 + words * 2 + (hash % buckets));
  if (symbol === 0) return -1;
  for (; ; symbol++) {
    const entry = word(4 + words * 2 + buckets + symbol - first);
    if (entry - (entry % 2) === hash - (hash % 2) && names[symbol - first] === wanted) return symbol;
    if (entry % 2 === 1) return -1;
  }
}

test('the GNU table finds every symbol and no other', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 300 }), fc.integer({ min: 1, max: 50 }), (names, first) => {
      const { bytes, order } = encodeGnuHash(
        Uint32Array.from(names, (name) => gnuHash(encodeText(name))),
        first,
      );
      assert.is(bytes.length, gnuHashSize(names.length));
      const ordered = Array.from(order, (index) => names[index] as string);
      assert.equal([...ordered].sort(), [...names].sort());
      ordered.forEach((name, at) => assert.is(lookUp(bytes, ordered, name), first + at));
      assert.is(lookUp(bytes, ordered, 'a name that is not there'), -1);
    }),
  );
});

test('the sysv table finds every symbol', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 300 }), (names) => {
      const hashes = Uint32Array.from(['', ...names], (name) => sysvHash(encodeText(name)));
      const bytes = encodeSysvHash(hashes);
      assert.is(bytes.length, sysvHashSize(hashes.length));
      const word = (at: number): number => new ByteReader(bytes, 'hash').seek(at * 4).u32();
      const buckets = word(0);
      assert.is(word(1), names.length + 1);
      names.forEach((name, index) => {
        let symbol = word(2 + (sysvHash(encodeText(name)) % buckets));
        while (symbol !== 0 && symbol !== index + 1) symbol = word(2 + buckets + symbol);
        assert.is(symbol, index + 1);
      });
    }),
  );
});

test.run();
