// rustc's incremental directories: which belongs to a unit, its newest finished session, the objects in it and how
// they differ from those a program runs. rustc names objects by codegen unit, and hard-links unchanged ones from
// session to session, so (name, inode) tells without reading. Keeping copies is in kept-files.ts.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { outputsOf, type Unit } from './unit.js';

/** One object file as it lies on disk. Times in milliseconds, sizes in bytes. */
export interface ObjectStat {
  /** File name, `<codegen unit>.o`. */
  readonly name: string;
  readonly path: string;
  readonly inode: number;
  readonly size: number;
  readonly mtimeMs: number;
  /** The file that holds what was split off of its debug information (`split-debuginfo`); null where there is none. */
  readonly debugPath: string | null;
}

/** A unit's objects by file name. */
export type ObjectSet = ReadonlyMap<string, ObjectStat>;

/**
 * The directory `incremental/<crate>-<id>` of a unit. The id is a hash that only rustc knows; where several of the
 * same crate exist (tests, features, profiles share them) it is the one whose codegen units the unit's own output
 * names: an executable's FILE symbols, an rlib's members. Null when there is none with a finished session.
 */
export function incrementalDirectory(unit: Unit): string | null {
  const candidates = list(unit.incrementalRoot)
    .filter((name) => name.startsWith(`${unit.crate}-`) && !name.slice(unit.crate.length + 1).includes('-'))
    .map((name) => join(unit.incrementalRoot, name))
    .filter((directory) => newestSession(directory) !== null);
  const [first, ...more] = candidates;
  if (first === undefined) return null;
  if (more.length === 0) return first;
  const { executable, rlib, sharedLibrary } = outputsOf(unit);
  const output = [unit.kind === 'bin' ? executable : rlib, sharedLibrary].find((path) => existsSync(path));
  if (output === undefined) return first;
  const content = readFileSync(output);
  let best = first;
  let bestScore = -1;
  for (const candidate of candidates) {
    const session = newestSession(candidate);
    if (session === null) continue;
    const names = objectNames(session).slice(0, 8);
    const score = names.filter((name) => content.includes(name.slice(0, -2))).length / Math.max(1, names.length);
    if (score > bestScore) [best, bestScore] = [candidate, score];
  }
  return best;
}

function noObjects(unit: Unit): IpbpError {
  return new IpbpError('IPBP5009', `crate ${unit.crate} has no finished incremental session`, {
    where: unit.incrementalRoot,
  });
}

/** The newest session that rustc finished, or null. */
export function newestSession(directory: string): string | null {
  const newest = finishedSessions(directory)[0];
  return newest === undefined ? null : join(directory, newest);
}

/**
 * Names, newest first. While rustc works a session's name ends in `-working`. One from the future was written while
 * the clock was wrong, and rustc keeps it until then: the others are newer.
 */
function finishedSessions(directory: string): string[] {
  const now = stampOf(Date.now() + 1000);
  return list(directory)
    .filter((name) => name.startsWith('s-') && !name.endsWith('-working') && !name.endsWith('.lock'))
    .map((name) => ({ name, stamp: sessionStamp(name) }))
    .sort((a, b) => Number(a.stamp > now) - Number(b.stamp > now) || (a.stamp < b.stamp ? 1 : -1))
    .map(({ name }) => name);
}

/**
 * Follows one incremental directory: each call gives the session that rustc finished since the call before, the newest
 * of several, or where there is none the last one again. The time in a session's name alone would not do: after the
 * clock was set back, what rustc writes is older than what is there.
 */
export function sessionFollower(directory: string): () => string | null {
  let seen = new Set(finishedSessions(directory));
  let chosen: string | undefined;
  return () => {
    const names = finishedSessions(directory);
    const newest = names.find((name) => !seen.has(name)) ?? names.find((name) => name === chosen) ?? names[0];
    seen = new Set(names);
    chosen = newest;
    return newest === undefined ? null : join(directory, newest);
  };
}

/** A stretch of time, in milliseconds since 1970. */
export interface SessionWindow {
  readonly from: number;
  readonly to: number;
}

/** The newest finished session that a rustc began within the window, or null. */
export function sessionWithin(directory: string, { from, to }: SessionWindow): string | null {
  const [first, last] = [stampOf(Math.floor(from)), stampOf(Math.ceil(to))];
  const found = finishedSessions(directory).find((name) => {
    const stamp = sessionStamp(name);
    return first <= stamp && stamp <= last;
  });
  return found === undefined ? null : join(directory, found);
}

/** rustc's hash of the crate's code, at the end of a session's name: `s-<time>-<random>-<hash>`. Null for none. */
export function codeHash(session: string | null): string | null {
  return session === null ? null : (basename(session).split('-')[3] ?? null);
}

/** `s-<microseconds in base 36>-…`, padded so that strings compare as numbers. */
function sessionStamp(name: string): string {
  return (name.split('-')[1] ?? '').padStart(16, '0');
}

function stampOf(milliseconds: number): string {
  return (milliseconds * 1000).toString(36).padStart(16, '0');
}

function objectNames(session: string): string[] {
  return list(session).filter(isObjectName);
}

function isObjectName(name: string): boolean {
  return name.endsWith('.o');
}

/** `main.o` → `main.dwo`: how rustc calls the file that holds what it split off, in its sessions and where it writes. */
export function debugFileName(object: string): string {
  return object.replace(/\.o$/, '.dwo');
}

/** The objects of the unit's newest finished session, or of another (`choose`). Throws IPBP5009 when there is none. */
export function scanObjects(
  unit: Unit,
  directory: string,
  choose: () => string | null = () => newestSession(directory),
): ObjectSet {
  // rustc may delete an older session while we list it: look again then.
  for (let attempt = 0; attempt < 5; attempt++) {
    const session = choose();
    if (session === null) break;
    try {
      const objects = new Map<string, ObjectStat>();
      const names = list(session);
      const all = new Set(names);
      for (const name of names.filter(isObjectName)) {
        const path = join(session, name);
        const { ino, size, mtimeMs } = statSync(path);
        const debugPath = all.has(debugFileName(name)) ? debugFileName(path) : null;
        objects.set(name, { name, path, inode: ino, size, mtimeMs, debugPath });
      }
      return objects;
    } catch {
      continue;
    }
  }
  throw noObjects(unit);
}

/** How two sets of one unit differ. */
export interface SetDifference {
  /** Names whose content differs, or that only the newer set has. */
  readonly changed: readonly string[];
  /** Names that only the older set has. */
  readonly removed: readonly string[];
  /** Names with other inodes but equal bytes: an edit and its return. */
  readonly sameBytes: readonly string[];
}

/** Compares by (name, inode), and by content where the inode differs. Throws IPBP5014 when one has gone. */
export function compareSets(older: ObjectSet, newer: ObjectSet): SetDifference {
  const changed: string[] = [];
  const sameBytes: string[] = [];
  for (const [name, now] of newer) {
    const before = older.get(name);
    if (before === undefined) changed.push(name);
    else if (sameObject(before, now)) continue;
    else if (before.size === now.size && readObject(before).equals(readObject(now))) sameBytes.push(name);
    else changed.push(name);
  }
  const removed = [...older.keys()].filter((name) => !newer.has(name));
  return { changed, removed, sameBytes };
}

function readObject({ path }: ObjectStat): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new IpbpError('IPBP5014', 'an object could not be read', { where: path, cause });
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** The same file, untouched. The time guards against an inode that was freed and given away again. */
export function sameObject(a: ObjectStat, b: ObjectStat): boolean {
  return a.inode === b.inode && a.size === b.size && a.mtimeMs === b.mtimeMs;
}
