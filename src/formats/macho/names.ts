// Symbol names of Mach-O and of the model. Mach-O puts `_` before every name of a language, so that the model's name is
// what stands behind it; what has none was made by a compiler or an assembler (`ltmp0`, `l_anon.1`) and gets LLVM's mark of
// a name that nothing is put before, the byte 1. Writers turn every name that was read back to exactly what it was.

const MARK = '\x01';
/** The byte of the mark, for who puts names together as bytes. */
export const MARK_BYTE = 1;
export const UNDERSCORE = 0x5f;

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
