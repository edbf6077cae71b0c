// What a program has remembered of the libraries in it, so that a patch that is a library is not known to it: the
// standard library lists them for its first backtrace and keeps the list, as does the crate that it has this from. The
// list is an Option in a static; where that is put back to what it was at the start, the next backtrace makes it anew.
// Knows the static by its name and its initial bytes, nothing of how an Option is laid out.
import type { BaseProgram } from './base-program.js';

/** A word of the program's data and what it held at the start. */
export interface InitialWord {
  readonly at: number;
  readonly word: Uint8Array;
}

/** `backtrace::symbolize::gimli::Cache::with_global::MAPPINGS_CACHE`, mangled in either way; std has it in a module. */
const LIST = /9symbolize5gimli.*14MAPPINGS_CACHE/;

const WORD = 8;

const known = new WeakMap<BaseProgram, readonly InitialWord[]>();

/** The only word of these bytes that is not zero: the mark of an Option that holds nothing. Null where that is not so. */
function markIn(bytes: Uint8Array): number | null {
  let mark: number | null = null;
  for (let at = 0; at + WORD <= bytes.length; at += WORD) {
    if (bytes.subarray(at, at + WORD).every((byte) => byte === 0)) continue;
    if (mark !== null) return null;
    mark = at;
  }
  return mark;
}

/**
 * The words to be put back when a library has come. Any moment serves: the list that a backtrace is being made from stays
 * where it is, and is never freed. Empty for a program that has no such list, or one of a form that is not known.
 */
export function rememberedImages(base: BaseProgram): readonly InitialWord[] {
  const done = known.get(base);
  if (done !== undefined) return done;
  const words: InitialWord[] = [];
  for (const [name, items] of base.items) {
    if (!LIST.test(name)) continue;
    for (const { kind, address, size } of items) {
      const bytes = kind === 'data' && address % WORD === 0 ? base.read(address, size) : null;
      const mark = bytes === null ? null : markIn(bytes);
      if (bytes === null || mark === null) continue;
      words.push({ at: address + mark, word: bytes.slice(mark, mark + WORD) });
    }
  }
  known.set(base, words);
  return words;
}
