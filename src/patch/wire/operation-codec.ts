// The operations of a transaction to bytes and back (docs/protocol.md).
import type { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import type { AgentOp } from './frames.js';

/** By `protect`'s bits: 1 read, 2 write, 4 execute. Never writable and executable. */
const PROTECTIONS = { r: 1, rw: 3, rx: 5 } as const;
/** Bytes of a word. */
const WORD = 8;

/**
 * Writes an operation.
 * @throws RangeError when a value does not fit its field
 */
export function encodeOp(w: ByteWriter, op: AgentOp): void {
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
    case 'library':
      w.u8(13).i64(op.at).u64(op.length).u32(op.bytes.length).raw(op.bytes);
      return;
    case 'renew':
      if (op.word.length !== WORD) throw new RangeError(`a word of ${op.word.length} bytes`);
      w.u8(14).u32(op.module).i64(op.at).raw(op.word);
      return;
    case 'slot':
      w.u8(12).u32(op.module).i64(op.at).i64(op.oldTarget).i64(op.newTarget);
      return;
  }
}

/**
 * The operation that {@link encodeOp} wrote; its bytes are views into what is read.
 * @throws IpbpError IPBP1001 or IPBP1002 where it is malformed
 */
export function decodeOp(r: ByteReader): AgentOp {
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
    case 13:
      return { op: 'library', at: r.i64(), length: r.u64(), bytes: r.take(r.u32()) };
    case 14:
      return { op: 'renew', module: r.u32(), at: r.i64(), word: r.take(WORD) };
    case 12:
      return { op: 'slot', module: r.u32(), at: r.i64(), oldTarget: r.i64(), newTarget: r.i64() };
    default:
      return r.malformed('unknown operation', { actual: `${number}` });
  }
}
