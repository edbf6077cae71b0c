// What rustc told the recorder (scripts.ts) that stands in for the linker: the rlibs and libraries it would link.
// rustc names only what is really used, so this is read anew after every compile.
import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';

/** Paths are absolute. */
export interface LinkInputs {
  /** .rlib and .a files, in the linker's order. */
  readonly archives: readonly string[];
  /** Objects that are not codegen units of the crate itself (from build scripts, or `-C link-arg`). */
  readonly objects: readonly string[];
}

/** Reads a recording, or null where the linker was not called (a library, or a failed compile). */
export function readLinkInputs(path: string, cwd: string, crate: string): LinkInputs | null {
  const words = readWords(path);
  if (words === null) return null;
  const absolute = (word: string): string => (isAbsolute(word) ? word : resolve(cwd, word));
  const archives = words.filter((word) => !word.startsWith('-') && /\.(rlib|a)$/.test(word)).map(absolute);
  const objects = words
    .filter((word) => !word.startsWith('-') && word.endsWith('.o'))
    // rustc's own: `<crate>-<hash>.<codegen unit>.rcgu.o` and the list of exported symbols.
    .filter(
      (word) =>
        !word.endsWith('.rcgu.o') &&
        !word.endsWith('/symbols.o') &&
        !new RegExp(`${crate}-[^/]*\\.allocator`).test(word),
    )
    .map(absolute);
  return { archives: [...new Set(archives)], objects };
}

function readWords(path: string): string[] | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  const words = text.split('\0').filter((word) => word !== '');
  if (!words.some((word) => word.startsWith('@'))) return words;
  try {
    return [
      ...words.filter((word) => !word.startsWith('@')),
      ...splitResponse(readFileSync(`${path}.response`, 'utf8')),
    ];
  } catch {
    return words;
  }
}

/** A response file as rustc writes it for GNU-like linkers: one argument a line, blanks and backslashes escaped. */
export function splitResponse(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/^"(.*)"$/, '$1').replace(/\\(.)/g, '$1'))
    .filter((line) => line !== '');
}
