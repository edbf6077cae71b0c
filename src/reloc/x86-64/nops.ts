// The bytes that assemblers and linkers fill gaps with on x86_64.
import { decodeInstruction } from './decode.js';

/** Length of the no-operation at `at`, in the forms that assemblers and linkers fill gaps with; 0 when it is none. */
export function nopLength(bytes: Uint8Array, at: number): number {
  let opcode = at;
  while (bytes[opcode] === 0x66 || bytes[opcode] === 0x2e) opcode += 1;
  const isNop = bytes[opcode] === 0x90 || (bytes[opcode] === 0x0f && bytes[opcode + 1] === 0x1f);
  return isNop ? (decodeInstruction(bytes, at)?.length ?? 0) : 0;
}

/**
 * True for int3 (lld, mold) and no-operations (GNU ld, `.p2align`). Zeros count only when asked for: they are also
 * the start of data.
 */
export function isPadding(bytes: Uint8Array, zeros = false): boolean {
  let at = 0;
  while (at < bytes.length) {
    const size = bytes[at] === 0xcc || (zeros && bytes[at] === 0) ? 1 : nopLength(bytes, at);
    if (size === 0) return false;
    at += size;
  }
  return true;
}
