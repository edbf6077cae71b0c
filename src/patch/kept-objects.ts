// What the last comparison had open stays open for the next one, with all that was read of it: that mostly begins with what
// the last one ended with, or, where nothing came of it, with what that one began with. Files are read again each time, and
// only the very same bytes are taken for the same object.
import { sameBytes } from '../bytes/same.js';
import { readObjectWith } from '../formats/read-object.js';
import { openLinkObject } from '../link/atoms.js';
import type { LinkObject } from '../link/graph.js';
import type { InputFile } from './engine.js';
import { renamer, type NameMap } from './identity/name-map.js';

/** More than this is not kept, in bytes of files: what is read of them takes several times as much. */
const MOST_KEPT = 8 * 1024 * 1024;

/** One side of a comparison. */
interface NamedObjects {
  readonly objects: readonly LinkObject[];
  /** Under which they are open. */
  readonly names: NameMap;
}

/** What the last comparison had open. */
interface KeptObjects {
  /**
   * Opens it under these names, or gives it as it is open.
   * @throws IpbpError IPBP1001 to IPBP1003 for a broken file or one that cannot be linked
   */
  open(file: InputFile, names: NameMap): LinkObject;
  /** These are open now; forgets all others. */
  keep(sides: readonly NamedObjects[]): void;
}

/** Begins with nothing. */
export function keptObjects(): KeptObjects {
  let kept: readonly NamedObjects[] = [];
  return {
    open(file, names) {
      const bytes = file.read();
      // What is beside a file may be another one, or be gone, and the object does not say so.
      const isSame = (object: LinkObject): boolean =>
        object.name === file.name && object.file.debugFile === undefined && sameBytes(object.file.bytes, bytes);
      for (const side of file.debugFile === undefined ? kept : []) {
        const object = side.objects.find(isSame);
        if (object === undefined) continue;
        return side.names === names ? object : openLinkObject(object.file, renamer(names));
      }
      return openLinkObject(readObjectWith({ ...file, read: () => bytes }), renamer(names));
    },
    keep(sides) {
      const size = sides.flatMap(({ objects }) => objects).reduce((sum, { file }) => sum + file.bytes.length, 0);
      kept = size > MOST_KEPT ? [] : sides;
    },
  };
}
