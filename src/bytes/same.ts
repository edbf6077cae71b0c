// Whether bytes are the same.

/** Byte for byte. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  // A loop: `every` calls a function per byte, and a program has a hundred million of them.
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
