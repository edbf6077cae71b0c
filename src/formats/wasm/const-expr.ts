// Constant expressions: initial values of globals, and where segments go. They are kept as the bytes they are; here is
// where one ends, and what the simplest of them, a number, is. Core, "Constant Expressions" and "Extended Constant".
import type { ByteReader } from '../../bytes/reader.js';
import { ByteReader as Cursor } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import { LIMITS } from '../../bytes/limits.js';
import { IpbpError } from '../../codes/error.js';
import * as wasm from './constants.js';

/** The bytes of an expression, its end included. A view. */
export function readConstExpr(reader: ByteReader): Uint8Array {
  const start = reader.position;
  for (;;) {
    const at = reader.position;
    const opcode = reader.u8();
    switch (opcode) {
      case wasm.OP_END:
        return reader.bytes.subarray(start, reader.position);
      case wasm.OP_I32_CONST:
      case wasm.OP_I64_CONST:
      case wasm.OP_GLOBAL_GET:
      case wasm.OP_REF_NULL:
      case wasm.OP_REF_FUNC:
        skipLeb(reader);
        break;
      case wasm.OP_F32_CONST:
        reader.skip(4);
        break;
      case wasm.OP_F64_CONST:
        reader.skip(8);
        break;
      case wasm.OP_I32_ADD:
      case wasm.OP_I32_SUB:
      case wasm.OP_I32_MUL:
      case wasm.OP_I64_ADD:
      case wasm.OP_I64_SUB:
      case wasm.OP_I64_MUL:
        break;
      case wasm.OP_VECTOR:
        if (reader.uleb() !== wasm.VECTOR_CONST) unknown(reader, at);
        reader.skip(16);
        break;
      default:
        unknown(reader, at);
    }
  }
}

function unknown(reader: ByteReader, at: number): never {
  throw new IpbpError('IPBP1003', 'this constant expression is not supported', {
    expected: 'constants, references, globals and sums',
    actual: `instruction 0x${(reader.bytes[at] ?? 0).toString(16)}`,
    where: reader.where(at),
  });
}

/** A number of any size: values of 64 bits may be no safe integers. */
function skipLeb(reader: ByteReader): void {
  const start = reader.position;
  for (let count = 0; count < LIMITS.lebBytes; count++) if (reader.u8() < 0x80) return;
  reader.malformed('a LEB128 number is too large', { expected: `at most ${LIMITS.lebBytes} bytes` }, start);
}

/** The number that an expression is, unsigned as addresses are; null for all but a single constant that is safe. */
export function constantOf(expression: Uint8Array): number | null {
  const reader = new Cursor(expression, 'constant expression');
  const opcode = reader.u8();
  if (opcode !== wasm.OP_I32_CONST && opcode !== wasm.OP_I64_CONST) return null;
  try {
    const value = reader.sleb();
    if (reader.u8() !== wasm.OP_END) return null;
    return value < 0 && opcode === wasm.OP_I32_CONST ? value + 2 ** 32 : value;
  } catch (error) {
    if (error instanceof IpbpError) return null;
    throw error;
  }
}

/** The expression of an address, of memory or table of 32 bits. */
export function constantExpr(value: number): Uint8Array {
  const signed = value >= 2 ** 31 ? value - 2 ** 32 : value;
  return new ByteWriter(8).u8(wasm.OP_I32_CONST).sleb(signed).u8(wasm.OP_END).finish();
}
