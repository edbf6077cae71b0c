// Edits that cargo cannot see: it goes by times, and a source may be saved as of any time (archives, a clock that was
// set back, a tool that restores dates). A unit whose newest replay is of other code than cargo's newest compile, with
// no source newer than that, loses cargo's dep-info until the code is again what cargo compiled; then it comes back,
// and cargo has nothing to do. Edits that cargo sees for itself are left to it.
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sourceFiles } from '../cargo/dep-info.js';
import { depInfoFiles, fingerprintDirectories } from '../cargo/freshness.js';
import { newestCompile, windowOf } from '../cargo/finished-compiles.js';
import { codeHash, newestSession, sessionWithin } from '../cargo/incremental.js';
import type { Unit } from '../cargo/unit.js';
import type { HiddenRecord, OwnOutputs } from './own-outputs.js';

export interface UnseenEdits {
  /** Before a unit is replayed: what cargo compiled last is still there. `directory` is the unit's incremental one. */
  before(unit: Unit, directory: string): void;
  /**
   * After it.
   * @param edited its own sources changed
   * @param compiled rustc ended well
   * @returns true when the code is what cargo compiled last
   */
  after(unit: Unit, directory: string, edited: boolean, compiled: boolean): boolean;
}

interface Known {
  /** When cargo began the compile. */
  readonly startedAt: number;
  /** rustc's hash of the code that cargo compiled; null when its session is not there any more. */
  readonly hash: string | null;
  /** Its own sources changed since. */
  edited: boolean;
}

/** From now on: what cargo compiled last is found when a unit is first replayed. */
export function watchUnseenEdits({ hidden }: Pick<OwnOutputs, 'hidden'>): UnseenEdits {
  const known = new Map<string, Known>();
  return {
    before(unit, incremental) {
      const compile = newestCompile(unit);
      if (compile === null || compile.startedAt === known.get(unit.key)?.startedAt) return;
      for (const { kept } of hidden(unit)) rmSync(kept, { recursive: true, force: true });
      const window = windowOf(compile);
      const session = window === null ? null : sessionWithin(incremental, window);
      known.set(unit.key, { startedAt: compile.startedAt, hash: codeHash(session), edited: false });
    },
    after(unit, incremental, edited, compiled) {
      const state = known.get(unit.key);
      if (state === undefined) return false;
      const asCargo = compiled && state.hash !== null && codeHash(newestSession(incremental)) === state.hash;
      state.edited = !asCargo && (state.edited || edited);
      // A library's comes back with its files, when its replay has ended.
      if (unit.kind !== 'lib' && newestCompile(unit)?.startedAt === state.startedAt) show(hidden(unit));
      if (state.edited && !isSeen(unit)) hide(hidden(unit));
      return asCargo;
    },
  };
}

/** True when cargo finds a source that is newer than its dep-info, or gone; or finds no dep-info. */
function isSeen(unit: Unit): boolean {
  const times = fingerprintDirectories(unit).flatMap(depInfoFiles).map(timeOf);
  const compiledAt = Math.max(0, ...times);
  return times.length === 0 || sourceFiles(unit).some((file) => timeOf(file) > compiledAt);
}

function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
}

function hide(records: readonly HiddenRecord[]): void {
  for (const { record, kept } of records) {
    mkdirSync(kept, { recursive: true });
    for (const file of depInfoFiles(record)) renameSync(file, join(kept, basename(file)));
  }
}

function show(records: readonly HiddenRecord[]): void {
  for (const { record, kept } of records) {
    if (depInfoFiles(record).length > 0) continue;
    for (const file of depInfoFiles(kept)) renameSync(file, join(record, basename(file)));
  }
}
