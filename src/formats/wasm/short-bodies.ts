// Bodies of functions that do nothing but lead to another: through a slot of the table, or by a direct call.
import { ByteWriter } from '../../bytes/writer.js';
import * as wasm from './constants.js';
import type { FunctionType } from './value-types.js';

/** What only jumps through a slot; `type` is the index of its type. */
export function entryBody(like: FunctionType, type: number, slot: number): Uint8Array {
  return passingAll(like)
    .u8(wasm.OP_I32_CONST)
    .sleb(slot)
    .u8(wasm.OP_CALL_INDIRECT)
    .uleb(type)
    .uleb(0)
    .u8(wasm.OP_END)
    .finish();
}

/** What only calls a function directly. */
export function callBody(like: FunctionType, callee: number): Uint8Array {
  return passingAll(like).u8(wasm.OP_CALL).uleb(callee).u8(wasm.OP_END).finish();
}

function passingAll({ params }: FunctionType): ByteWriter {
  const w = new ByteWriter(16).uleb(0);
  for (let index = 0; index < params.length; index++) w.u8(wasm.OP_LOCAL_GET).uleb(index);
  return w;
}
