// What cargo says about when it last ran rustc for a unit, and whether that ended well: read from its `.fingerprint`
// directory, and told when it changes. The unit's own directory, as a build with other flags or a check has another
// hash there while it may write into the same incremental directory. Starts nothing, and changes nothing.
import { readFileSync, readdirSync, statSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { fingerprintDirectories } from './freshness.js';
import { codeHash, incrementalDirectory, newestSession, sessionWithin, type SessionWindow } from './incremental.js';
import type { Unit } from './unit.js';

/** The newest call of rustc by cargo. Times in milliseconds since 1970, as the file system has them. */
export interface CargoCompile {
  readonly startedAt: number;
  /** Null while rustc works, and after it failed. */
  readonly finishedAt: number | null;
  /** cargo's hash of flags, features, dependencies and all else but sources; null while rustc works, and after it failed. */
  readonly settings: string | null;
}

/** A directory that is replaced, or missed by the system's notices, is seen after this long. */
const LOOK_AGAIN_MS = 1000;
/** One build changes several files at once. */
const COALESCE_MS = 10;

/** Null where cargo has no record of the unit, as after `cargo clean`. */
export function newestCompile(unit: Unit): CargoCompile | null {
  let newest: CargoCompile | null = null;
  for (const directory of fingerprintDirectories(unit)) {
    const compile = compileIn(directory);
    if (compile !== null && (newest === null || compile.startedAt > newest.startedAt)) newest = compile;
  }
  return newest;
}

/** When the objects of a compile that ended well were written. */
export function windowOf({ startedAt, finishedAt }: CargoCompile): SessionWindow | null {
  return finishedAt === null ? null : { from: startedAt, to: finishedAt };
}

/**
 * True when the unit's newest incremental session holds other code than cargo's newest compile, as after a replay whose
 * edit was taken back when no session followed it: objects and outputs do not belong together.
 */
export function isReplayedSince(unit: Unit): boolean {
  const compile = newestCompile(unit);
  const window = compile === null ? null : windowOf(compile);
  const directory = incrementalDirectory(unit);
  if (window === null || directory === null) return false;
  return codeHash(sessionWithin(directory, window)) !== codeHash(newestSession(directory));
}

/**
 * cargo empties the file of the unit's hash, `bin-<name>`, `lib-<name>` and the like, then touches `invoked.timestamp`
 * and runs rustc; the hash is written when that has ended well.
 */
function compileIn(directory: string): CargoCompile | null {
  try {
    const startedAt = statSync(join(directory, 'invoked.timestamp')).mtimeMs;
    const hash = readdirSync(directory).find((name) => !name.includes('.') && !/^(dep|output)-/.test(name));
    const working = { startedAt, finishedAt: null, settings: null };
    if (hash === undefined) return working;
    const path = join(directory, hash);
    const { size, mtimeMs } = statSync(path);
    if (size === 0 || mtimeMs < startedAt) return working;
    return { startedAt, finishedAt: mtimeMs, settings: readFileSync(path, 'utf8') };
  } catch {
    return null;
  }
}

/**
 * Calls `onNews` when something in one of the directories changes, or one of them comes anew. Says no more than that:
 * whoever is told looks.
 * @param directories asked for again and again: they may not be there yet
 */
export function watchDirectories(directories: () => readonly string[], onNews: () => void): { stop(): void } {
  const watched = new Map<string, { readonly inode: number; readonly watcher: FSWatcher }>();
  let soon: NodeJS.Timeout | null = null;
  const news = (): void => {
    soon ??= setTimeout(() => {
      soon = null;
      onNews();
    }, COALESCE_MS);
  };
  const drop = (path: string): void => {
    watched.get(path)?.watcher.close();
    watched.delete(path);
  };
  const arm = (): boolean => {
    let anew = false;
    for (const path of directories()) {
      const inode = statSync(path, { throwIfNoEntry: false })?.ino;
      if (inode === watched.get(path)?.inode) continue;
      drop(path);
      anew = true;
      if (inode === undefined) continue;
      try {
        const watcher = watch(path, news);
        watcher.on('error', () => drop(path));
        watched.set(path, { inode, watcher });
      } catch {
        continue; // Gone again: it is looked for in a moment.
      }
    }
    return anew;
  };
  arm();
  const timer = setInterval(() => {
    if (arm()) news();
  }, LOOK_AGAIN_MS).unref();
  return {
    stop() {
      clearInterval(timer);
      if (soon !== null) clearTimeout(soon);
      for (const path of [...watched.keys()]) drop(path);
    },
  };
}
