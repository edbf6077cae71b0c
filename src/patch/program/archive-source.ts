// Definitions in archives, found by each archive's own symbol index: a member is opened when a name of it is needed and
// not before. Archives are asked in the linker's order.
import { openArchive, type Archive } from '../../formats/archive.js';
import { openLinkObject } from '../../link/atoms.js';
import type { LinkObject } from '../../link/graph.js';
import type { InputFile } from '../engine.js';
import type { DefinitionSource } from './surroundings.js';

/** An archive that is opened when it is first asked. */
interface LazyArchive {
  archive(): Archive;
  /** The member as a link object, each once: its atoms are known by identity. Null for what is no object. */
  member(index: number): LinkObject | null;
}

function lazyArchive(input: InputFile): LazyArchive {
  let opened: Archive | null = null;
  const members = new Map<number, LinkObject | null>();
  const archive = (): Archive => (opened ??= openArchive(input.read(), input.name));
  return {
    archive,
    member(index) {
      let object = members.get(index);
      if (object === undefined) {
        const file = archive().member(index);
        members.set(index, (object = file === null ? null : openLinkObject(file)));
      }
      return object;
    },
  };
}

/** Looks a name up in archives. Throws IPBP1001 to IPBP1003 where an archive that it comes to is broken. */
export function archivesSource(inputs: readonly InputFile[]): DefinitionSource {
  const archives = inputs.map(lazyArchive);
  return (name, spelling) => {
    for (const { archive, member } of archives) {
      for (const index of archive().definersOf(spelling)) {
        const found = member(index)?.definition(name) ?? null;
        if (found !== null && !found.symbol.local) return { atom: found.atom, offset: found.symbol.offset };
      }
    }
    return null;
  };
}
