// Compares files: objects and archives of them, before and after. Opens them, leaves out what is the same byte for byte,
// and hands the rest to diff.ts.
import { sameBytes } from '../../bytes/same.js';
import { openArchive } from '../../formats/archive.js';
import { detectFormat } from '../../formats/detect.js';
import { sliceOf } from '../../formats/universal.js';
import type { ObjectFile } from '../../formats/object-file.js';
import { readObjectWith } from '../../formats/read-object.js';
import { openLinkObject } from '../../link/atoms.js';
import type { LinkObject } from '../../link/graph.js';
import { identify, type Identified } from '../identity/identity.js';
import { NO_NAMES, renamer, type NameMap } from '../identity/name-map.js';
import type { ObjectDiff } from './diff.js';
import type { InputFile } from '../engine.js';

/** A comparison of files. */
export interface FileDiff extends ObjectDiff, Omit<Identified, 'diff' | 'after'> {
  /** Objects on either side, members of archives included, and how many are the same byte for byte on both. */
  readonly objectsBefore: number;
  readonly objectsAfter: number;
  readonly identical: number;
  /** The objects that differ, as they were, and as they are now: those that the diff's items point into. */
  readonly replaced: readonly LinkObject[];
  readonly changed: readonly LinkObject[];
  /** The objects that are the same on both sides, under the names of before or the given ones; opened when asked for. */
  unchanged(names?: NameMap): readonly LinkObject[];
}

/** An object and the name that pairs it with its other version: without the archive, whose file name may differ. */
interface Opened {
  readonly key: string;
  readonly file: ObjectFile;
}

/**
 * Compares two lists of files. `isTaken` says which names the running program knows besides those of `before`.
 * @throws IpbpError IPBP1001 to IPBP1003 for broken files and formats that are not supported, IPBP2001 for unknown
 * relocations.
 */
export function diffFiles(
  before: readonly InputFile[],
  after: readonly InputFile[],
  isTaken: (identity: string) => boolean = () => false,
): FileDiff {
  const old = before.flatMap(openInput);
  const now = after.flatMap(openInput);
  const byKey = new Map<string, Opened[]>();
  for (const opened of old) byKey.set(opened.key, [...(byKey.get(opened.key) ?? []), opened]);
  const identical: Opened[] = [];
  const changed: Opened[] = [];
  const gone = new Set(old);
  for (const opened of now) {
    const twin = byKey.get(opened.key)?.find((one) => gone.has(one) && sameBytes(one.file.bytes, opened.file.bytes));
    if (twin === undefined) changed.push(opened);
    else {
      gone.delete(twin);
      identical.push(opened);
    }
  }
  const open = (list: Iterable<Opened>, names: NameMap): readonly LinkObject[] =>
    [...list].map((one) => openLinkObject(one.file, renamer(names)));
  const replaced = open(gone, NO_NAMES);
  const files = changed.map(({ file }) => file);
  const sets = new Map<NameMap, readonly LinkObject[]>();
  const unchanged = (names = NO_NAMES): readonly LinkObject[] => {
    const same = sets.get(names) ?? open(identical, names);
    sets.set(names, same);
    return same;
  };
  const {
    diff,
    after: opened,
    ...identity
  } = identify({ before: replaced, after: files, names: NO_NAMES, isTaken, unchanged });
  return {
    ...diff,
    ...identity,
    objectsBefore: old.length,
    objectsAfter: now.length,
    identical: identical.length,
    replaced,
    changed: opened,
    unchanged,
  };
}

/** The objects in a file: itself, or an archive's members that are objects. */
function openInput(input: InputFile): readonly Opened[] {
  const bytes = sliceOf(input.read(), input.name);
  if (detectFormat(bytes) !== 'archive')
    return [{ key: input.name, file: readObjectWith({ ...input, read: () => bytes }) }];
  const archive = openArchive(bytes, input.name);
  return archive.members.flatMap((member) => {
    const file = archive.member(member.index);
    return file === null ? [] : [{ key: member.name, file }];
  });
}
