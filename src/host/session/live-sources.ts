// The sources of all that is live, as the guard compares them where objects do not describe types. Reads the files; what
// they declare is for patch/guard/declarations.ts.
import { readFileSync } from 'node:fs';
import { extname, relative } from 'node:path';
import { createDeclarations, type DeclarationChange } from '../../patch/guard/declarations.js';
import { sourceFiles } from '../cargo/dep-info.js';
import type { Unit } from '../cargo/unit.js';

/** The declarations of a running program. */
export interface LiveSources {
  /** What the files declare now otherwise than when values of it may have been made. */
  changes(): readonly DeclarationChange[];
  /** The code of the sources that were last compared is live. */
  live(): void;
}

/** Reads the sources that the units were just built from. Which units there are may change later. */
export function readLiveSources(units: () => readonly Unit[]): LiveSources {
  const known = createDeclarations();
  let compared = readSources(units());
  known.add(compared);
  return {
    changes() {
      compared = readSources(units());
      return known.changes(compared);
    },
    live: () => known.add(compared),
  };
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
