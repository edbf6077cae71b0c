// Bytes as the core knows them. Whoever reads files with Node has its Buffer, a subclass of Uint8Array whose `slice`
// is a view: code that copies before it writes would write into the file's bytes. Every reader starts here.

/** The same bytes, not copied, as a Uint8Array of no subclass. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  if (Object.getPrototypeOf(bytes) === Uint8Array.prototype) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Fewer bytes are copied sooner than a view of them is made. */
const FEW = 128;

/** Copies the bytes [start, start + size) of `from` to a place in `into`, which has room for them. */
export function copyRange(from: Uint8Array, start: number, size: number, into: Uint8Array, at: number): void {
  if (size > FEW) into.set(from.subarray(start, start + size), at);
  else for (let index = 0; index < size; index++) into[at + index] = from[start + index] as number;
}
