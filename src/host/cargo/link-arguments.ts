// What rustc told the recorder (scripts.ts) that stands in for the linker: the rlibs and libraries it would link.
// rustc names only what is really used, so this is read anew after every compile.
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { isStaticLink } from './link-with-agent.js';

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
  // ld(1) on macOS: all of this archive. Given to a compiler driver it is one word with the path.
  const whole = words.map((word) => word.replace(/^-Wl,-force_load,/, ''));
  const archives = whole.filter((word) => !word.startsWith('-') && /\.(rlib|a)$/.test(word)).map(absolute);
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
  return { archives: [...new Set([...archives, ...namedArchives(words, absolute)])], objects };
}

/**
 * What a static program is linked with by name (`-lc`), in folders that rustc names (`-L`): a C library that comes with
 * rustc, as musl's does. Others are looked up, by the loader, in the libraries that the program has loaded.
 */
function namedArchives(words: readonly string[], absolute: (word: string) => string): string[] {
  if (!isStaticLink(words)) return [];
  const folders = words.flatMap((word, index) => (word === '-L' ? [words[index + 1] ?? ''] : []));
  const names = words.filter((word) => /^-l./.test(word)).map((word) => `lib${word.slice(2)}.a`);
  return names.flatMap((name) => {
    const found = folders.map((folder) => join(absolute(folder), name)).find((path) => existsSync(path));
    return found === undefined ? [] : [found];
  });
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
