// A patch that is a library, as lines of text that a small program can follow without an agent: what to open, which words
// to fill and which slots to change. Numbers are decimal and count from the executable's first byte, or lie in the range
// that stands for a library.
import { writeFileSync } from 'node:fs';
import type { ObjectFile } from '../src/formats/object-file.js';
import type { PatchImage } from '../src/patch/image/image.js';
import { libraryOf } from '../src/patch/image/library.js';

/** The lines; the library is written to `path`. Throws for a patch that asks for more than lines can say. */
export function patchScript(image: PatchImage, target: ObjectFile, path: string): string {
  const { library, rebases, imports, slots, cells, tlsWords, init } = image;
  if (library === null || cells.length > 0 || tlsWords.length > 0 || init.length > 0)
    throw new Error('this patch needs an agent');
  writeFileSync(path, libraryOf(image, target));
  return [
    `library ${library.at} ${library.size} ${path}`,
    ...rebases.map(({ at, value }) => `word ${at} ${value}`),
    ...imports.map(({ at, addend, name }) => `import ${at} ${addend} ${name}`),
    ...slots.map(({ at, oldTarget, newTarget }) => `slot ${at} ${oldTarget} ${newTarget}`),
    '',
  ].join('\n');
}
