// Which object each piece of an image's code is of, for debuggers: they look for a function's lines in its object.
import type { LinkedImage } from '../../link/linked-image.js';
import type { ImageSource } from './image.js';

/** By the names of objects, in the order of the image. */
export function sourcesOf({ atoms, addressOf }: LinkedImage): readonly ImageSource[] {
  const sources = new Map<string, { readonly name: string; readonly address: number }[]>();
  for (const atom of atoms) {
    if (atom.kind !== 'code') continue;
    const functions = sources.get(atom.object.name) ?? [];
    sources.set(atom.object.name, functions);
    for (const { rawName, kind, stable, offset } of atom.symbols) {
      if (kind === 'function' && stable) functions.push({ name: rawName, address: addressOf(atom) + offset });
    }
  }
  return [...sources].flatMap(([object, functions]) => (functions.length === 0 ? [] : { object, functions }));
}
