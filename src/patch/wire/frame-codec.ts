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
  type AgentOp,
  type FrameType,
  type ModuleRoom,
  type ProgramInfo,
  type ProgramModule,
  type TransactionResult,
} from './frames.js';

/** Bytes before the payload, the length field not counted: version, type, sequence number. */
const HEADER_LENGTH = 12;
const TYPE_NAMES = new Map<number, FrameType>(
  Object.entries(FRAME_TYPES).map(([name, number]) => [number, name as FrameType]),
);
/** By `protect`'s bits: 1 read, 2 write, 4 execute. Never writable and executable. */
const PROTECTIONS = { r: 1, rw: 3, rx: 5 } as const;
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
    const reservation = { at: r.i64(), size: r.u64() };
    const tls = { offset: r.i64(), size: r.u32(), align: r.u32() };
    const count = r.u32();
    if (count === 0 || count > r.remaining / MIN_MODULE_LENGTH) r.malformed('wrong number of modules');
    return { pid, reservation, tls, modules: readModules(r, count) };
  });
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
    return w.finish();
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
    const reservation = { at: r.i64(), size: r.u64() };
    const offset = r.i64();
    const isKnown = r.u8();
    if (isKnown > 1) r.malformed('a flag is 0 or 1', { actual: `${isKnown}` });
    return { reservation, threadLocals: isKnown === 1 ? offset : null };
  });
}

/** The payload that {@link decodeReserved} reads. */
export function encodeReserved({ reservation, threadLocals }: ModuleRoom): Uint8Array {
  return fitting('reserved', () => {
    const w = new ByteWriter(25)
      .i64(reservation.at)
      .u64(reservation.size)
      .i64(threadLocals ?? 0);
    return w.u8(threadLocals === null ? 0 : 1).finish();
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
    return { patch, status, retries: r.u32(), heldNanoseconds: r.u64(), message: r.text(r.u16()) };
  });
}

/** The payload that {@link decodeDone} reads. */
export function encodeDone(result: TransactionResult): Uint8Array {
  return fitting('done', () => {
    const message = new ByteWriter().text(result.message).finish();
    const w = new ByteWriter().u32(result.patch).u32(TRANSACTION_STATUSES.indexOf(result.status));
    return w.u32(result.retries).u64(result.heldNanoseconds).u16(message.length).raw(message).finish();
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

function encodeOp(w: ByteWriter, op: AgentOp): void {
  switch (op.op) {
    case 'map':
      w.u8(1).i64(op.at).u64(op.length);
      return;
    case 'write':
      w.u8(2).i64(op.at).u32(op.bytes.length).raw(op.bytes);
      return;
    case 'word':
      w.u8(3).i64(op.at).u32(op.module).i64(op.value);
      return;
    case 'tls':
      w.u8(4).i64(op.at).u8(op.size).i64(op.value);
      return;
    case 'import': {
      const name = new ByteWriter().text(op.name).finish();
      w.u8(5)
        .i64(op.at)
        .u8((op.weak ? 1 : 0) + (op.byResolver ? 2 : 0) + (op.scope === undefined ? 0 : 4))
        .i64(op.addend);
      if (op.scope !== undefined) w.u32(op.scope);
      w.u16(name.length).raw(name);
      return;
    }
    case 'protect':
      w.u8(6).i64(op.at).u64(op.length).u8(PROTECTIONS[op.protection]);
      return;
    case 'tls-init':
      w.u8(7).u32(op.offset).u32(op.length).i64(op.at);
      return;
    case 'check':
      w.u8(8).u32(op.module).i64(op.at).u32(op.bytes.length).raw(op.bytes);
      return;
    case 'unwind':
      w.u8(9).i64(op.at);
      return;
    case 'cell':
      if (op.oldBytes.length !== op.newBytes.length) {
        throw new RangeError(`${op.newBytes.length} new bytes for ${op.oldBytes.length} old ones`);
      }
      w.u8(10).u32(op.module).i64(op.at).u8(op.oldBytes.length);
      w.raw(op.oldBytes).raw(op.newBytes).u8(op.guardFrom).u8(op.guardTo);
      return;
    case 'init':
      w.u8(11).i64(op.at);
      return;
    case 'slot':
      w.u8(12).u32(op.module).i64(op.at).i64(op.oldTarget).i64(op.newTarget);
      return;
  }
}

function decodeOp(r: ByteReader): AgentOp {
  const number = r.u8();
  switch (number) {
    case 1:
      return { op: 'map', at: r.i64(), length: r.u64() };
    case 2:
      return { op: 'write', at: r.i64(), bytes: r.take(r.u32()) };
    case 3:
      return { op: 'word', at: r.i64(), module: r.u32(), value: r.i64() };
    case 4: {
      const at = r.i64();
      const size = r.u8();
      if (size !== 4 && size !== 8) r.malformed('a thread-local field has 4 or 8 bytes', { actual: `${size}` });
      return { op: 'tls', at, size: size === 4 ? 4 : 8, value: r.i64() };
    }
    case 5: {
      const at = r.i64();
      const flags = r.u8();
      if (flags > 7) r.malformed('unknown flags of an import', { actual: `${flags}` });
      const addend = r.i64();
      const scope = flags >= 4 ? { scope: r.u32() } : {};
      return {
        op: 'import',
        at,
        weak: flags % 2 === 1,
        byResolver: flags % 4 >= 2,
        addend,
        ...scope,
        name: r.text(r.u16()),
      };
    }
    case 6: {
      const at = r.i64();
      const length = r.u64();
      const bits = r.u8();
      const protection = (['r', 'rw', 'rx'] as const).find((name) => PROTECTIONS[name] === bits);
      return { op: 'protect', at, length, protection: protection ?? r.malformed('unknown protection') };
    }
    case 7:
      return { op: 'tls-init', offset: r.u32(), length: r.u32(), at: r.i64() };
    case 8:
      return { op: 'check', module: r.u32(), at: r.i64(), bytes: r.take(r.u32()) };
    case 9:
      return { op: 'unwind', at: r.i64() };
    case 10: {
      const module = r.u32();
      const at = r.i64();
      const size = r.u8();
      const [oldBytes, newBytes] = [r.take(size), r.take(size)];
      return { op: 'cell', module, at, oldBytes, newBytes, guardFrom: r.u8(), guardTo: r.u8() };
    }
    case 11:
      return { op: 'init', at: r.i64() };
    case 12:
      return { op: 'slot', module: r.u32(), at: r.i64(), oldTarget: r.i64(), newTarget: r.i64() };
    default:
      return r.malformed('unknown operation', { actual: `${number}` });
  }
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
