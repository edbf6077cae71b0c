// Sees what a rustc at work has finished, before it exits: an object when it is closed in the output directory, and
// the whole session when its directory gets its final name. rustc renames that directory after all objects and the
// list of them are written and before it calls the linker (measured: 30-50 ms before it exits). What is done with an
// object is the watcher's business: until the session is finished another may follow, or rustc may fail.
import { readFileSync, watch, type FSWatcher } from 'node:fs';
import { basename, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { readObjectFile } from '../../formats/read-object.js';
import { debugFileName, newestSession } from '../cargo/incremental.js';
import type { Unit } from '../cargo/unit.js';

/** An object that rustc has closed. */
export interface ClosedObject {
  readonly bytes: Uint8Array;
  /** The file that holds what was split off of its debug information; null where there is none. */
  readonly debugBytes: Uint8Array | null;
}

export interface ReplayEvents {
  /**
   * rustc wrote an object that can be read. `name` is what the finished session will call it; the bytes may still be
   * replaced, so compare them with the session's file before they count. One that is in no session comes too.
   */
  onObject(name: string, object: ClosedObject): void;
  /** The session's objects are all there, under their last name. At most once. */
  onFinished(): void;
}

export interface ReplayWatch {
  stop(): void;
}

/**
 * Watches one replay; start it before rustc. Where the system lets nothing be watched no event comes, and the end of
 * rustc is as early as anything is known.
 * @param directory the unit's `incremental/<crate>-<id>`
 */
export function watchReplay(unit: Unit, directory: string, events: ReplayEvents): ReplayWatch {
  const before = newestSession(directory);
  let finished = false;
  const watchers = [
    // Objects of unchanged codegen units are hard-linked here: created, never written, so they tell no 'change'.
    startWatching(unit.outDir, (event, file) => {
      const name = event === 'change' ? sessionName(unit, file) : null;
      if (name === null || finished) return;
      const path = join(unit.outDir, file);
      const bytes = wholeObject(path);
      // LLVM closes this one before the object. It may be deleted with the link, so it is read now.
      if (bytes !== null) events.onObject(name, { bytes, debugBytes: bytesIfThere(debugFileName(path)) });
    }),
    startWatching(directory, (event, file) => {
      if (event !== 'rename' || finished || !/^s-/.test(file) || /(-working|\.lock)$/.test(file)) return;
      // Sessions that rustc deletes tell the same.
      const newest = newestSession(directory);
      if (newest === null || newest === before || basename(newest) !== file) return;
      finished = true;
      events.onFinished();
    }),
  ];
  return {
    stop() {
      finished = true;
      for (const watcher of watchers) watcher?.close();
    },
  };
}

function startWatching(directory: string, listener: (event: string, file: string) => void): FSWatcher | null {
  try {
    const watcher = watch(directory, (event, file) => {
      if (file !== null) listener(event, file);
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}

/** `<crate>-<hash>.<codegen unit>[.<invocation>].rcgu.o` → `<codegen unit>.o`; null for every other file. */
export function sessionName(unit: Pick<Unit, 'key'>, file: string): string | null {
  if (!file.startsWith(`${unit.key}.`) || !file.endsWith('.rcgu.o')) return null;
  const [codegenUnit, ...more] = file.slice(unit.key.length + 1, -'.rcgu.o'.length).split('.');
  return codegenUnit === undefined || codegenUnit === '' || more.length > 1 ? null : `${codegenUnit}.o`;
}

function bytesIfThere(path: string): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

/** An object's bytes, or null while they are not all there: compilers write the table of sections last. */
function wholeObject(path: string): Uint8Array | null {
  try {
    const bytes = readFileSync(path);
    return readObjectFile(bytes, path).sections.length > 1 ? bytes : null;
  } catch (error) {
    if (error instanceof IpbpError || (error instanceof Error && 'code' in error)) return null;
    throw error;
  }
}
