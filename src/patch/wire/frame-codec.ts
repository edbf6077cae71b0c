// Frames and their payloads to bytes and back (docs/protocol.md). Pure: a tag is bytes that the caller computes and
// compares; sequence numbers are the caller's to check.
import { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import { IpbpError } from '../../codes/error.js';
import {
  FRAME_TYPES,
  MAX_FRAME_LENGTH,
  NONCE_LENGTH,
  PROTOCOL_VERSION,
  TAG_LENGTH,
  TRANSACTION_STATUSES,
  type Abilities,
  type AgentOp,
  type FrameType,
  type KeptRange,
  type ModuleRoom,
  type Moved,
  type ProgramInfo,
  type ProgramModule,
  type TransactionResult,
} from './frames.js';
import { decodeOp, encodeOp } from './operation-codec.js';

/** Bytes before the payload, the length field not counted: version, type, sequence number. */
const HEADER_LENGTH = 12;
const TYPE_NAMES = new Map<number, FrameType>(
  Object.entries(FRAME_TYPES).map(([name, number]) => [number, name as FrameType]),
);
const IDENTITIES = ['build-id', 'text-sha256'] as const;
/** A module takes at least this many bytes: bounds how many a frame can hold. */
const MIN_MODULE_LENGTH = 13;

/** A received frame, opened. */
export interface Frame {
  readonly type: FrameType;
  readonly sequence: number;
  readonly payload: Uint8Array;
  /** What the tag is computed over, with the direction's byte before it: from version to the end of payload. */
  readonly signed: Uint8Array;
  /** Empty in the handshake. */
  readonly tag: Uint8Array;
}

/** What {@link encodeFrame} leaves to add: a tag over `signed`, written behind it. */
export interface UntaggedFrame {
  /** The length field, which already counts the tag. */
  readonly length: Uint8Array;
  readonly signed: Uint8Array;
}

/**
 * A frame up to its tag.
 * @throws IpbpError IPBP4007 when it would be longer than the protocol allows.
 */
export function encodeFrame(type: FrameType, sequence: number, payload: Uint8Array, tagged: boolean): UntaggedFrame {
  const length = HEADER_LENGTH + payload.length + (tagged ? TAG_LENGTH : 0);
  if (length > MAX_FRAME_LENGTH) {
    throw new IpbpError('IPBP4007', 'a message to the agent is too long', {
      expected: `at most ${MAX_FRAME_LENGTH} bytes`,
      actual: `${length}`,
    });
  }
  const signed = new ByteWriter(HEADER_LENGTH + payload.length)
    .u16(PROTOCOL_VERSION)
    .u16(FRAME_TYPES[type])
    .u64(sequence)
    .raw(payload);
  return { length: new ByteWriter(4).u32(length).finish(), signed: signed.finish() };
}

/**
 * The length that the first four bytes announce.
 * @throws IpbpError IPBP4001 when no frame has it.
 */
export function decodeFrameLength(bytes: Uint8Array, tagged: boolean): number {
  return whole('frame length', bytes, (r) => {
    const length = r.u32();
    const least = HEADER_LENGTH + (tagged ? TAG_LENGTH : 0);
    if (length < least || length > MAX_FRAME_LENGTH) {
      r.malformed('no frame has this length', { expected: `${least} to ${MAX_FRAME_LENGTH}`, actual: `${length}` });
    }
    return length;
  });
}

/**
 * Opens a frame; `bytes` is all that follows the length field.
 * @throws IpbpError IPBP4001 when it is malformed, IPBP4002 when it is of another version.
 */
export function decodeFrame(bytes: Uint8Array, tagged: boolean): Frame {
  return whole('frame', bytes, (r) => {
    const version = r.u16();
    if (version !== PROTOCOL_VERSION) {
      throw new IpbpError('IPBP4002', 'the agent speaks another version of the protocol', {
        expected: `${PROTOCOL_VERSION}`,
        actual: `${version}`,
      });
    }
    const number = r.u16();
    const type = TYPE_NAMES.get(number) ?? r.malformed('unknown frame type', { actual: `${number}` });
    const sequence = r.u64();
    const payload = r.take(r.remaining - (tagged ? TAG_LENGTH : 0));
    const signed = bytes.subarray(0, r.position);
    return { type, sequence, payload, signed, tag: r.take(r.remaining) };
  });
}

/** The host's challenge: its nonce, and the proof that it knows the token. */
export function encodeChallenge(nonce: Uint8Array, proof: Uint8Array): Uint8Array {
  return new ByteWriter(64).raw(nonce).raw(proof).finish();
}

/**
 * The agent's nonce.
 * @throws IpbpError IPBP4001
 */
export function decodeHello(payload: Uint8Array): Uint8Array {
  return whole('hello', payload, (r) => r.take(NONCE_LENGTH));
}

/**
 * The agent's proof that it knows the token.
 * @throws IpbpError IPBP4001
 */
export function decodeProof(payload: Uint8Array): Uint8Array {
  return whole('proof', payload, (r) => r.take(TAG_LENGTH));
}

/**
 * What the agent says of its program.
 * @throws IpbpError IPBP4001
 */
export function decodeProgram(payload: Uint8Array): ProgramInfo {
  return whole('program', payload, (r) => {
    const pid = r.u32();
    const reservation = readRange(r);
    const tls = { offset: r.i64(), size: r.u32(), align: r.u32() };
    const count = r.u32();
    if (count === 0 || count > r.remaining / MIN_MODULE_LENGTH) r.malformed('wrong number of modules');
    const told = { pid, reservation, tls, modules: readModules(r, count) };
    return { ...told, abilities: readAbilities(r), pageSize: r.u32(), beside: readRange(r) };
  });
}

function readRange(r: ByteReader): KeptRange {
  return { at: r.i64(), size: r.u64() };
}

/** In the order of their bits. */
const ABILITIES = ['pages', 'libraries', 'code'] as const;

function readAbilities(r: ByteReader): Abilities {
  const bits = r.u32();
  if (bits >= 2 ** ABILITIES.length) r.malformed('unknown abilities', { actual: `${bits}` });
  const has = ABILITIES.map((_, bit) => Math.floor(bits / 2 ** bit) % 2 === 1);
  return { pages: has[0] === true, libraries: has[1] === true, code: has[2] === true };
}

function readModules(r: ByteReader, count: number): readonly ProgramModule[] {
  return Array.from({ length: count }, () => {
    const base = r.u64();
    const kind = IDENTITIES[r.u8() - 1] ?? r.malformed('unknown kind of identity');
    // A copy also where the message is a Buffer, whose slice() is none.
    const id = new Uint8Array(r.take(r.u16()));
    return { base, identity: { kind, id }, path: r.text(r.u16()) };
  });
}

function writeModules(w: ByteWriter, modules: readonly ProgramModule[]): void {
  for (const { base, identity, path } of modules) {
    const name = new ByteWriter().text(path).finish();
    w.u64(base).u8(IDENTITIES.indexOf(identity.kind) + 1);
    w.u16(identity.id.length).raw(identity.id).u16(name.length).raw(name);
  }
}

/**
 * Libraries that the program has opened since the last look, in the order of their numbers.
 * @throws IpbpError IPBP4001
 */
export function decodeOpened(payload: Uint8Array): readonly ProgramModule[] {
  return whole('opened', payload, (r) => {
    const count = r.u32();
    if (count > r.remaining / MIN_MODULE_LENGTH) r.malformed('wrong number of modules');
    return readModules(r, count);
  });
}

/** The payload that {@link decodeOpened} reads. */
export function encodeOpened(modules: readonly ProgramModule[]): Uint8Array {
  return fitting('opened', () => {
    const w = new ByteWriter().u32(modules.length);
    writeModules(w, modules);
    return w.finish();
  });
}

/** The payload that {@link decodeProgram} reads; the agent's side, for tests and for agents written in TypeScript. */
export function encodeProgram(program: ProgramInfo): Uint8Array {
  return fitting('program', () => {
    const { reservation, tls, modules } = program;
    const w = new ByteWriter().u32(program.pid).i64(reservation.at).u64(reservation.size);
    w.i64(tls.offset).u32(tls.size).u32(tls.align).u32(modules.length);
    writeModules(w, modules);
    const bits = ABILITIES.map((ability, bit) => (program.abilities[ability] ? 2 ** bit : 0));
    return w
      .u32(bits.reduce((sum, bit) => sum + bit, 0))
      .u32(program.pageSize)
      .i64(program.beside.at)
      .u64(program.beside.size)
      .finish();
  });
}

/** Asks for room for patches of one module, by its number. */
export function encodeReserve(module: number): Uint8Array {
  return new ByteWriter(4).u32(module).finish();
}

/**
 * What the agent keeps for patches of a module.
 * @throws IpbpError IPBP4001
 */
export function decodeReserved(payload: Uint8Array): ModuleRoom {
  return whole('reserved', payload, (r) => {
    const reservation = readRange(r);
    const offset = r.i64();
    const isKnown = r.u8();
    if (isKnown > 1) r.malformed('a flag is 0 or 1', { actual: `${isKnown}` });
    return { reservation, threadLocals: isKnown === 1 ? offset : null, beside: readRange(r) };
  });
}

/** The payload that {@link decodeReserved} reads. */
export function encodeReserved({ reservation, threadLocals, beside }: ModuleRoom): Uint8Array {
  return fitting('reserved', () => {
    const w = new ByteWriter(41)
      .i64(reservation.at)
      .u64(reservation.size)
      .i64(threadLocals ?? 0);
    return w
      .u8(threadLocals === null ? 0 : 1)
      .i64(beside.at)
      .u64(beside.size)
      .finish();
  });
}

/**
 * The agent's answer to a transaction.
 * @throws IpbpError IPBP4001
 */
export function decodeDone(payload: Uint8Array): TransactionResult {
  return whole('done', payload, (r) => {
    const patch = r.u32();
    const status = TRANSACTION_STATUSES[r.u32()] ?? r.malformed('unknown status');
    const told = { patch, status, retries: r.u32(), heldNanoseconds: r.u64(), message: r.text(r.u16()) };
    const moved: Moved[] = [];
    for (let left = r.u32(); left > 0; left -= 1) moved.push({ start: r.u64(), length: r.u64(), by: r.i64() });
    return { ...told, moved };
  });
}

/** The payload that {@link decodeDone} reads. */
export function encodeDone(result: TransactionResult): Uint8Array {
  return fitting('done', () => {
    const message = new ByteWriter().text(result.message).finish();
    const w = new ByteWriter().u32(result.patch).u32(TRANSACTION_STATUSES.indexOf(result.status));
    w.u32(result.retries).u64(result.heldNanoseconds).u16(message.length).raw(message).u32(result.moved.length);
    for (const { start, length, by } of result.moved) w.u64(start).u64(length).i64(by);
    return w.finish();
  });
}

/**
 * A transaction's payload.
 * @throws IpbpError IPBP4007 when a value does not fit its field.
 */
export function encodeTransaction(patch: number, ops: readonly AgentOp[]): Uint8Array {
  return fitting('transaction', () => {
    const w = new ByteWriter(4096).u32(patch).u32(ops.length);
    for (const op of ops) encodeOp(w, op);
    return w.finish();
  });
}

/**
 * The transaction that {@link encodeTransaction} made; its bytes are views into `payload`.
 * @throws IpbpError IPBP4001
 */
export function decodeTransaction(payload: Uint8Array): { readonly patch: number; readonly ops: readonly AgentOp[] } {
  return whole('transaction', payload, (r) => {
    const patch = r.u32();
    const ops: AgentOp[] = [];
    for (let left = r.u32(); left > 0; left -= 1) ops.push(decodeOp(r));
    return { patch, ops };
  });
}

/** Reads all of `bytes`; whatever is wrong with them becomes IPBP4001. */
function whole<T>(name: string, bytes: Uint8Array, read: (reader: ByteReader) => T): T {
  const reader = new ByteReader(bytes, name);
  try {
    const value = read(reader);
    if (!reader.ended) reader.malformed('there are bytes left over');
    return value;
  } catch (error) {
    if (!(error instanceof IpbpError) || error.code.startsWith('IPBP4')) throw error;
    throw new IpbpError('IPBP4001', `a message of the agent is malformed: ${error.summary}`, error.facts);
  }
}

/** The writer refuses what does not fit its field: here that becomes IPBP4007. */
function fitting(name: string, write: () => Uint8Array): Uint8Array {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new IpbpError('IPBP4007', `a value of the ${name} cannot be sent: ${error.message}`, { cause: error });
  }
}
