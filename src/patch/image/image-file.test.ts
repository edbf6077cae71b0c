import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import type { PatchImage } from './image.js';
import { decodePatchFile, encodePatchFile, isPatchFile } from './image-file.js';

const address = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
const size = fc.integer({ min: 0, max: 2 ** 40 });
const range = fc.record({ at: address, size });
const blob = fc.uint8Array({ maxLength: 40 });
const list = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 4 });
const byte = fc.integer({ min: 0, max: 255 });

const images: fc.Arbitrary<PatchImage> = fc.record({
  modules: list(fc.record({ name: fc.string(), kind: fc.constantFrom('build-id', 'text-sha256'), id: blob })),
  after: list(blob),
  segments: list(fc.record({ address, size, protection: fc.constantFrom('r', 'rx', 'rw'), bytes: blob })),
  library: fc.option(fc.record({ at: address, size }), { nil: null }),
  code: fc.option(
    fc.record({
      types: fc.constant(['() -> ()', '(i32) -> i32']),
      globals: list(fc.string()),
      imports: list(fc.record({ name: fc.string(), type: fc.nat(1) })),
      stubs: list(fc.record({ name: fc.string(), slot: size, type: fc.nat(1) })),
      functions: list(fc.record({ name: fc.string(), slot: size, type: fc.nat(1), bytes: blob })),
      slotsEnd: size,
    }),
    { nil: null },
  ),
  rebases: list(fc.record({ at: address, module: byte, value: address })),
  tlsWords: list(fc.record({ at: address, size: fc.constantFrom(4, 8), value: address })),
  tlsInit: list(fc.record({ offset: size, length: size, at: address })),
  tlsUsed: size,
  imports: list(
    fc.record({ at: address, name: fc.string(), weak: fc.boolean(), byResolver: fc.boolean(), addend: address }),
  ),
  checks: list(fc.record({ module: byte, at: address, bytes: blob })),
  cells: list(fc.record({ module: byte, at: address, oldBytes: blob, newBytes: blob, guardFrom: byte, guardTo: byte })),
  slots: list(fc.record({ module: byte, at: address, oldTarget: address, newTarget: address })),
  unwind: fc.option(address, { nil: null }),
  unwindEntries: list(
    fc.record({
      start: address,
      length: fc.integer({ min: 0, max: 0xffff_ffff }),
      encoding: fc.integer({ min: 0, max: 0xffff_ffff }),
      personalityWord: fc.option(address, { nil: null }),
      lsda: fc.option(address, { nil: null }),
      frameRecord: fc.option(address, { nil: null }),
    }),
  ),
  threadLocals: fc.option(
    fc.record({
      descriptors: list(range),
      template: fc.option(range, { nil: null }),
      zero: fc.option(range, { nil: null }),
    }),
    { nil: null },
  ),
  init: list(address),
  symbols: list(
    fc.record({
      name: fc.string(),
      kind: fc.constantFrom('function', 'data', 'readonly', 'tls'),
      moved: fc.boolean(),
      entryWord: fc.option(address, { nil: null }),
      address,
      size,
    }),
  ),
  bodies: list(fc.record({ name: fc.string(), address })),
  sources: list(fc.record({ object: fc.string(), functions: list(fc.record({ name: fc.string(), address })) })),
  items: list(
    fc.record(
      {
        name: fc.string(),
        mangled: fc.string(),
        kind: fc.constantFrom('function', 'data'),
        verdict: fc.constantFrom('redirected', 'added', 'forked', 'kept', 'initialiser-changed'),
        reason: fc.string(),
      },
      { requiredKeys: ['name', 'mangled', 'kind', 'verdict'] },
    ),
  ),
  warnings: list(fc.record({ code: fc.string(), message: fc.string() })),
});

function codeOf(bytes: Uint8Array): string {
  try {
    decodePatchFile(bytes, 'p');
  } catch (error) {
    if (error instanceof IpbpError) return error.code;
    throw error;
  }
  return 'none';
}

test('what is written is read back, and twice the same bytes are written', () => {
  fc.assert(
    fc.property(images, (image) => {
      const file = encodePatchFile(image);
      assert.equal(encodePatchFile(image).bytes, file.bytes);
      const decoded = decodePatchFile(file.bytes, 'p');
      assert.equal(decoded.digest, file.digest);
      assert.equal(plain(decoded.image), plain(image));
    }),
  );
});

/** Without prototypes that the generator adds. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, v: unknown) => (v instanceof Uint8Array ? [...v] : v)));
}

test('any flipped bit is noticed', () => {
  fc.assert(
    fc.property(images, fc.nat(), fc.integer({ min: 0, max: 7 }), (image, at, bit) => {
      const { bytes } = encodePatchFile(image);
      const position = at % bytes.length;
      bytes[position] = (bytes[position] ?? 0) ^ (1 << bit);
      assert.match(codeOf(bytes), /^IPBP101[01]$/);
    }),
  );
});

test('any shortened file is noticed', () => {
  fc.assert(
    fc.property(images, fc.nat(), (image, at) => {
      const { bytes } = encodePatchFile(image);
      assert.match(codeOf(bytes.subarray(0, at % bytes.length)), /^IPBP101[01]$/);
    }),
  );
});

test('other files are no patch files', () => {
  assert.not(isPatchFile(new Uint8Array(0)));
  assert.is(codeOf(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46)), 'IPBP1010');
});

test.run();
