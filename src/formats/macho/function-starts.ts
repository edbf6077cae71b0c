// LC_FUNCTION_STARTS: where every function of a linked file begins, as distances in ULEB128, the first one from the start
// of __TEXT; a zero ends them. mach-o/loader.h, `LC_FUNCTION_STARTS`.
import { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';

/** Encodes offsets from the start of __TEXT, rising; padded to a multiple of 8. */
export function encodeFunctionStarts(offsets: Iterable<number>): Uint8Array<ArrayBuffer> {
  const w = new ByteWriter();
  let last = 0;
  for (const offset of offsets) {
    // Two names of one function: it begins once.
    if (offset === last) continue;
    w.uleb(offset - last);
    last = offset;
  }
  if (w.length > 0) w.u8(0);
  return w.align(8).finish();
}

/**
 * Offsets from the start of __TEXT. `offset` is where `bytes` lie in the file that messages call `name`.
 * @throws IpbpError IPBP1001, IPBP1002
 */
export function readFunctionStarts(bytes: Uint8Array, name: string, offset: number): number[] {
  const r = new ByteReader(bytes, name, offset);
  const starts: number[] = [];
  let at = 0;
  while (!r.ended) {
    const delta = r.uleb();
    if (delta === 0) break;
    at += delta;
    if (!Number.isSafeInteger(at)) r.malformed('a function starts too far away');
    starts.push(at);
  }
  return starts;
}
