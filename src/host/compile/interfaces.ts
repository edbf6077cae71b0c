// What of a library its dependants see (its metadata), and whether it is still what they were compiled with. Kept in
// the session, not read before and after a replay: another cargo or session may have compiled the library in between,
// and then the replay itself changes nothing.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { outputsOf, type Unit } from '../cargo/unit.js';
import type { OwnOutputs } from './own-outputs.js';

export interface Interfaces {
  /** To be called before a library is compiled. */
  before(unit: Unit): void;
  /** After it: true when its dependants have to be compiled again. */
  differs(unit: Unit): boolean;
  /**
   * Before it is compiled to the end: true also where that cannot be seen yet, as what its dependants see is written last.
   */
  mayDiffer(unit: Unit): boolean;
  /** Its dependants will be compiled with what is there now. */
  settle(unit: Unit): void;
}

interface Seen {
  readonly file: string | null;
  /** Null until it is needed: most libraries are never edited. */
  readonly hash: string | null;
}

/** From now on; the dependants are taken to be compiled with what is on disk. */
export function watchInterfaces(units: readonly Unit[], { locate }: Pick<OwnOutputs, 'locate'>): Interfaces {
  /** What dependants are compiled against: the metadata, or where cargo asked for none of its own, the library. */
  const interfaceFile = (unit: Unit): string => locate(unit, outputWithInterface(unit));
  const seen = new Map<string, Seen>();
  for (const unit of units) {
    if (unit.kind === 'lib') seen.set(unit.key, { file: fileIdentity(interfaceFile(unit)), hash: null });
  }
  const differs = (unit: Unit): boolean => {
    const known = seen.get(unit.key);
    // A library that a build by cargo brought is not known yet.
    return unit.kind === 'lib' && (known?.hash == null || known.hash !== contentHash(interfaceFile(unit)));
  };
  return {
    before(unit) {
      const known = seen.get(unit.key);
      const file = interfaceFile(unit);
      if (known === undefined || known.hash !== null || known.file !== fileIdentity(file)) return;
      seen.set(unit.key, { file: known.file, hash: contentHash(file) });
    },
    differs,
    mayDiffer: (unit) => unit.kind === 'lib' && (outputWithInterface(unit) !== outputsOf(unit).rmeta || differs(unit)),
    settle(unit) {
      if (unit.kind !== 'lib') return;
      const file = interfaceFile(unit);
      seen.set(unit.key, { file: fileIdentity(file), hash: contentHash(file) });
    },
  };
}

function outputWithInterface(unit: Unit): string {
  const { rmeta, rlib, sharedLibrary } = outputsOf(unit);
  return [rmeta, rlib].find((path) => existsSync(path)) ?? sharedLibrary;
}

/** The files of the crates that a unit was compiled against, as they are now. */
export function externState(unit: Unit): string {
  return unit.externs.map(({ path }) => fileIdentity(path) ?? 'missing').join(' ');
}

function fileIdentity(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}`;
}

function contentHash(path: string): string | null {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return null;
  }
}
