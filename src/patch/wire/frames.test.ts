// Properties of the frame codec: what is encoded comes back, and no bytes whatsoever make it fail in another way than
// by its own codes.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import {
  decodeDone,
  decodeFrame,
  decodeFrameLength,
  decodeHello,
  decodeOpened,
  decodeProgram,
  decodeProof,
  decodeReserved,
  decodeTransaction,
  encodeDone,
  encodeFrame,
  encodeProgram,
  encodeOpened,
  encodeReserved,
  encodeTransaction,
} from './frame-codec.js';
import { FRAME_TYPES, TRANSACTION_STATUSES, type AgentOp, type FrameType, type ProgramInfo } from './frames.js';

/** A record with the prototype that literals have. */
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T, keyof T>(fields, { noNullPrototype: true });
const u8 = fc.integer({ min: 0, max: 0xff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const i64 = fc.maxSafeInteger();
const u64 = fc.maxSafeNat();
const bytes = fc.uint8Array({ maxLength: 300 });
// Lone surrogates have no UTF-8 form.
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const is = <T extends string>(value: T): fc.Arbitrary<T> => fc.constant(value);

const cell = fc.uint8Array({ minLength: 1, maxLength: 255 }).chain((oldBytes) => {
  const newBytes = fc.uint8Array({ minLength: oldBytes.length, maxLength: oldBytes.length });
  return record({
    op: is('cell'),
    module: u32,
    at: i64,
    oldBytes: fc.constant(oldBytes),
    newBytes,
    guardFrom: u8,
    guardTo: u8,
  });
});
const op: fc.Arbitrary<AgentOp> = fc.oneof(
  record({ op: is('map'), at: i64, length: u64 }),
  record({ op: is('write'), at: i64, bytes }),
  record({ op: is('word'), at: i64, module: u32, value: i64 }),
  record({ op: is('tls'), at: i64, size: fc.constantFrom<4 | 8>(4, 8), value: i64 }),
  record({ op: is('import'), at: i64, weak: fc.boolean(), byResolver: fc.boolean(), addend: i64, name: text }),
  record({
    op: is('import'),
    at: i64,
    weak: fc.boolean(),
    byResolver: fc.boolean(),
    addend: i64,
    scope: u32,
    name: text,
  }),
  record({
    op: is('protect'),
    at: i64,
    length: u64,
    protection: fc.constantFrom<'r' | 'rw' | 'rx'>('r', 'rw', 'rx'),
  }),
  record({ op: is('tls-init'), offset: u32, length: u32, at: i64 }),
  record({ op: is('check'), module: u32, at: i64, bytes }),
  record({ op: is('unwind'), at: i64 }),
  record({ op: is('library'), at: i64, length: u64, bytes }),
  record({ op: is('slot'), module: u32, at: i64, oldTarget: i64, newTarget: i64 }),
  cell,
  record({ op: is('init'), at: i64 }),
);
const program: fc.Arbitrary<ProgramInfo> = record({
  pid: u32,
  reservation: record({ at: i64, size: u64 }),
  beside: record({ at: i64, size: u64 }),
  tls: record({ offset: i64, size: u32, align: u32 }),
  modules: fc.array(
    record({
      base: u64,
      identity: record({ kind: fc.constantFrom<'build-id' | 'text-sha256'>('build-id', 'text-sha256'), id: bytes }),
      path: text,
    }),
    { minLength: 1, maxLength: 5 },
  ),
  abilities: record({ pages: fc.boolean(), libraries: fc.boolean(), code: fc.boolean() }),
  pageSize: u32,
});

/** Runs a decoder on bytes that may be anything: it must return, or throw one of the protocol's codes. */
function survives(decode: (bytes: Uint8Array) => unknown, input: Uint8Array): void {
  try {
    decode(input);
  } catch (error) {
    assert.instance(error, IpbpError);
    assert.match((error as IpbpError).code, /^IPBP400[12]$/);
  }
}

test('a transaction comes back as it was sent', () => {
  fc.assert(
    fc.property(u32, fc.array(op, { maxLength: 12 }), (patch, ops) => {
      assert.equal(decodeTransaction(encodeTransaction(patch, ops)), { patch, ops });
    }),
  );
});

test('program, opened, done and reserved come back as they were sent', () => {
  fc.assert(fc.property(program, (info) => assert.equal(decodeProgram(encodeProgram(info)), info)));
  fc.assert(fc.property(program, ({ modules }) => assert.equal(decodeOpened(encodeOpened(modules)), modules)));
  const status = fc.constantFrom(...TRANSACTION_STATUSES);
  const moved = fc.array(record({ start: u64, length: u64, by: i64 }), { maxLength: 3 });
  const done = record({ patch: u32, status, retries: u32, heldNanoseconds: u64, message: text, moved });
  fc.assert(fc.property(done, (result) => assert.equal(decodeDone(encodeDone(result)), result)));
  const range = record({ at: i64, size: u64 });
  const room = record({ reservation: range, beside: range, threadLocals: fc.option(i64) });
  fc.assert(fc.property(room, (one) => assert.equal(decodeReserved(encodeReserved(one)), one)));
});

test('a frame comes back as it was sent, with what its tag covers', () => {
  const type = fc.constantFrom(...(Object.keys(FRAME_TYPES) as FrameType[]));
  fc.assert(
    fc.property(type, u64, bytes, fc.boolean(), (name, sequence, payload, tagged) => {
      const { length, signed } = encodeFrame(name, sequence, payload, tagged);
      const tag = new Uint8Array(tagged ? 32 : 0).fill(7);
      const rest = new Uint8Array([...signed, ...tag]);
      assert.is(decodeFrameLength(length, tagged), rest.length);
      const frame = decodeFrame(rest, tagged);
      assert.equal([frame.type, frame.sequence], [name, sequence]);
      assert.equal(Array.from(frame.payload), Array.from(payload));
      assert.equal(Array.from(frame.signed), Array.from(signed));
      assert.equal(Array.from(frame.tag), Array.from(tag));
    }),
  );
});

test('the layout of a cell on the wire', () => {
  const encoded = encodeTransaction(7, [
    {
      op: 'cell',
      module: 1,
      at: -2,
      oldBytes: Uint8Array.of(0x55),
      newBytes: Uint8Array.of(0xcc),
      guardFrom: 1,
      guardTo: 5,
    },
  ]);
  const at = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
  assert.equal(Array.from(encoded), [7, 0, 0, 0, 1, 0, 0, 0, 10, 1, 0, 0, 0, ...at, 1, 0x55, 0xcc, 1, 5]);
});

test('hostile bytes: every decoder ends with a value or with its own code', () => {
  const decoders = [
    decodeTransaction,
    decodeProgram,
    decodeOpened,
    decodeDone,
    decodeReserved,
    decodeHello,
    decodeProof,
    (input: Uint8Array) => decodeFrame(input, true),
    (input: Uint8Array) => decodeFrame(input, false),
    (input: Uint8Array) => decodeFrameLength(input, true),
  ];
  fc.assert(fc.property(fc.constantFrom(...decoders), bytes, survives), { numRuns: 2000 });
});

test('hostile bytes: a valid message with a byte changed, cut off or added', () => {
  const valid = fc.oneof(
    program.map((info) => [decodeProgram, encodeProgram(info)] as const),
    program.map(({ modules }) => [decodeOpened, encodeOpened(modules)] as const),
    fc.array(op, { minLength: 1, maxLength: 4 }).map((ops) => [decodeTransaction, encodeTransaction(1, ops)] as const),
  );
  fc.assert(
    fc.property(valid, u32, u8, ([decode, message], where, value) => {
      const changed = message.slice();
      changed[where % message.length] = value;
      survives(decode, changed);
      assert.throws(() => decode(message.subarray(0, where % message.length)), /IPBP4001/);
      assert.throws(() => decode(new Uint8Array([...message, value])), /IPBP4001/);
    }),
  );
});

test('counts that the bytes cannot hold cost nothing', () => {
  const start = performance.now();
  assert.throws(() => decodeTransaction(Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255)), /IPBP4001/);
  const info = encodeProgram({
    pid: 1,
    reservation: { at: 0, size: 0 },
    beside: { at: 0, size: 0 },
    tls: { offset: 0, size: 0, align: 1 },
    modules: [{ base: 0, identity: { kind: 'build-id', id: Uint8Array.of(1) }, path: '' }],
    abilities: { pages: true, libraries: true, code: true },
    pageSize: 4096,
  });
  info.fill(255, 36, 40);
  assert.throws(() => decodeProgram(info), /IPBP4001/);
  assert.ok(performance.now() - start < 200);
});

test('values that do not fit are refused before anything is sent', () => {
  assert.throws(() => encodeTransaction(1, [{ op: 'init', at: 2 ** 60 }]), /IPBP4007/);
  assert.throws(() => encodeTransaction(-1, []), /IPBP4007/);
  const unequal = {
    op: 'cell',
    module: 0,
    at: 0,
    oldBytes: new Uint8Array(2),
    newBytes: new Uint8Array(3),
    guardFrom: 0,
    guardTo: 0,
  } as const;
  assert.throws(() => encodeTransaction(1, [unequal]), /IPBP4007/);
});

test('another version, an unknown type and impossible lengths are told apart', () => {
  const { signed } = encodeFrame('bye', 0, new Uint8Array(0), false);
  const other = signed.slice();
  other[0] = 99;
  assert.throws(() => decodeFrame(other, false), /IPBP4002/);
  const unknown = signed.slice();
  unknown[2] = 99;
  assert.throws(() => decodeFrame(unknown, false), /IPBP4001/);
  for (const length of [0, 11, 43])
    assert.throws(() => decodeFrameLength(Uint8Array.of(length, 0, 0, 0), true), /IPBP4001/);
  assert.throws(() => decodeFrameLength(Uint8Array.of(255, 255, 255, 255), true), /IPBP4001/);
});

test.run();
