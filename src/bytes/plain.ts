// Bytes as the core knows them. Whoever reads files with Node has its Buffer, a subclass of Uint8Array whose `slice`
// is a view: code that copies before it writes would write into the file's bytes. Every reader starts here.

/** The same bytes, not copied, as a Uint8Array of no subclass. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  if (Object.getPrototypeOf(bytes) === Uint8Array.prototype) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
