// Symbol names of Mach-O and of the model. Mach-O puts `_` before every name of a language, so that the model's name is
// what stands behind it; what has none was made by a compiler or an assembler (`ltmp0`, `l_anon.1`) and gets LLVM's mark of
// a name that nothing is put before, the byte 1. Writers turn every name that was read back to exactly what it was.

const MARK = '\x01';
const MARK_BYTE = 1;
const UNDERSCORE = 0x5f;

/** The model's name of a symbol that a file calls `name`. */
export function modelName(name: string): string {
  if (name === '') return name;
  return name.startsWith('_') && name.length > 1 && name[1] !== MARK ? name.slice(1) : MARK + name;
}

/** What a file calls the symbol that the model calls `name`. */
export function fileName(name: string): string {
  if (name === '') return name;
  return name.startsWith(MARK) ? name.slice(1) : `_${name}`;
}

/** Is the model's name of the name in bytes [start, end) one with a mark? Else it is what stands behind its first byte. */
export function isMarked(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2) return end > start;
  return bytes[start] !== UNDERSCORE || bytes[start + 1] === MARK_BYTE;
}

/** The mark and the name in bytes [start, end). */
export function markedName(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const marked = new Uint8Array(end - start + 1);
  marked[0] = MARK_BYTE;
  marked.set(bytes.subarray(start, end), 1);
  return marked;
}
