// Makes an object one that can be linked into any program: what it defines is seen by nobody else, so it may bring
// copies of what the program has too (a std of its own). Pure; formats/rewrite-object.ts makes the file.
import { NO_EDITS, type ObjectEdits } from '../formats/object-edits.js';
import type { ObjectFile } from '../formats/object-file.js';

/**
 * Edits by which all that `file` defines becomes local and is called `name`, but for the symbols in `entries`. What it
 * lacks stays to be found by the linker. One name for all, so that nobody who looks a name up in the program finds a
 * copy from here.
 */
export function enclose(file: ObjectFile, name: string, entries: ReadonlySet<string>): ObjectEdits {
  const symbols = new Map<number, { readonly name: string; readonly binding: 'local' }>();
  for (const { index, kind, section, name: old } of file.symbols) {
    if (index === 0 || kind === 'section' || entries.has(old)) continue;
    if (section !== 'undefined') symbols.set(index, { name, binding: 'local' });
  }
  return { ...NO_EDITS, symbols };
}
