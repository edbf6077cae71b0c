// A patch whose code lies in no memory, as the module that the process instantiates; with its description it is a file that
// `readPatch` reads. How such a module is made is src/link/emit-instance.ts's.
import type { Format } from '../../formats/object-file.js';
import { emitInstance } from '../../link/emit-instance.js';
import type { TabledFacts } from '../program/tabled-facts.js';
import type { PatchImage } from './image.js';
import { encodePatchFile, type PatchFile } from './image-file.js';

/** The program: its format, and what is known of it. */
export interface InstanceTarget {
  readonly format: Format;
  readonly facts: TabledFacts;
}

/** The module; without its description it is what an agent is sent. */
export function instanceOf(
  image: PatchImage,
  { format, facts }: InstanceTarget,
  description: Uint8Array | null = null,
): Uint8Array {
  const { code, segments, slots } = image;
  if (code === null) throw new Error('internal: a patch whose code lies in memory');
  return emitInstance(format, {
    ...{ code, segments, description },
    redirects: slots.map(({ at, newTarget }) => ({ at, to: newTarget })),
    globals: facts.globals,
    imports: facts.imports,
    sharedPages: facts.sharedPages,
  });
}

/** The module with all else that there is to know of the patch in a section of its own. */
export function encodePatchInstance(image: PatchImage, target: InstanceTarget): PatchFile {
  const { bytes: description, digest } = encodePatchFile(image);
  return { bytes: instanceOf(image, target, description), digest };
}
