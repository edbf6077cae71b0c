// The sources of all that is live, as the guard compares them where objects do not describe types. Reads the files; what
// they declare is for patch/guard/declarations.ts.
import { readFileSync, statSync } from 'node:fs';
import { extname, relative } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { createDeclarations, type DeclarationChange } from '../../patch/guard/declarations.js';
import { sourceFiles } from '../cargo/dep-info.js';
import type { Unit } from '../cargo/unit.js';

/** The declarations of a running program. */
export interface LiveSources {
  /**
   * What the files declare now otherwise than when values of it may have been made.
   * @throws IpbpError IPBP5032 when one was saved after the time that {@link compiledSince} gave
   */
  changes(): readonly DeclarationChange[];
  /** The code of the sources that were last compared is live. */
  live(): void;
  /** What is compared next was compiled from the files as they were at this time (milliseconds since 1970). */
  compiledSince(time: number): void;
}

/** Reads the sources that the units were just built from. Which units there are may change later. */
export function readLiveSources(units: () => readonly Unit[]): LiveSources {
  const known = createDeclarations();
  let compared = readSources(units());
  let compiledAt = Infinity;
  known.add(compared);
  return {
    changes() {
      requireUnchanged(units(), compiledAt);
      compared = readSources(units());
      return known.changes(compared);
    },
    live: () => known.add(compared),
    compiledSince: (time) => void (compiledAt = time),
  };
}

/** By the time of the last change of any kind: an editor or git may give a file an old date. */
function requireUnchanged(units: readonly Unit[], since: number): void {
  if (since === Infinity) return;
  for (const file of units.flatMap(sourceFiles)) {
    const changedAt = statSync(file, { throwIfNoEntry: false })?.ctimeMs ?? Infinity;
    if (changedAt <= since) continue;
    throw new IpbpError('IPBP5032', 'a source was saved after cargo began to build', { where: file });
  }
}

/** Path as messages give it → text; null where a file is gone. */
function readSources(units: readonly Unit[]): ReadonlyMap<string, string | null> {
  const texts = new Map<string, string | null>();
  for (const unit of units) {
    for (const file of sourceFiles(unit))
      if (extname(file) === '.rs') texts.set(relative(unit.cwd, file), textOf(file));
  }
  return texts;
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
