// What the engine says of an edit, offline: the plan as `ipbp build-patch` makes it, and the plan that is made in spite
// of a refusal, to show what would have happened.
import { readFileSync } from 'node:fs';
import { readObjectFile } from '../../src/formats/read-object.js';
import { findSharedLibraries } from '../../src/host/files/shared-libraries.js';
import { diffFiles, type FileDiff } from '../../src/patch/diff/diff-files.js';
import type { InputFile, PlanResult } from '../../src/patch/engine.js';
import type { PatchImage } from '../../src/patch/image/image.js';
import { DEFAULT_ROOM, planPatch } from '../../src/patch/plan.js';
import { archivesSource } from '../../src/patch/program/archive-source.js';
import { openBaseProgram } from '../../src/patch/program/base-program.js';
import { freshProgram } from '../../src/patch/program/program.js';
import type { Base } from './compile.js';
import { standardLibrary } from './place.js';

/** Refusals that protect values: of types, and of statics that no longer fit their place. */
const PROTECTING: ReadonlySet<string> = new Set(['IPBP3006', 'IPBP3015']);

export interface Verdict {
  readonly kind: 'taken' | 'refused' | 'other';
  /** Codes and messages of a refusal; why nothing was made of it otherwise. */
  readonly words: string;
  /** The patch; of a refused edit the one that the guard kept from being made. Null where there is none to make. */
  readonly image: PatchImage | null;
}

/** Plans the edit, and once more as if nothing guarded values. */
export function judge(base: Base, objects: readonly InputFile[]): Verdict {
  const diff = diffFiles(base.objects, objects);
  const plan = planned(base, diff, diff.replaced);
  switch (plan.kind) {
    case 'patch':
      return { kind: 'taken', words: plan.image.warnings.map(({ message }) => message).join('; '), image: plan.image };
    case 'unchanged':
      return { kind: 'other', words: plan.reason, image: null };
    case 'refused': {
      const words = plan.items
        .map(({ code, name, message, because }) => [`${code} ${name}: ${message}`, ...because].join('; '))
        .join('\n');
      const protects = plan.items.every(({ code }) => PROTECTING.has(code));
      // Without the objects before there is no layout that could have changed, and a static of any size fits.
      const unguarded = { ...diff, items: diff.items.map((item) => ({ ...item, rebind: false })) };
      const forced = planned(base, unguarded, []);
      return {
        kind: protects ? 'refused' : 'other',
        words,
        image: forced.kind === 'patch' ? forced.image : null,
      };
    }
  }
}

function planned(base: Base, diff: FileDiff, before: FileDiff['replaced']): PlanResult {
  const file = readObjectFile(readFileSync(base.executable), 'app');
  const { libraries } = findSharedLibraries(file, process.env);
  const named = libraries.map((library) => ({ name: library.name, open: () => library }));
  return planPatch({
    program: freshProgram(openBaseProgram(file, () => named)),
    diff,
    identity: diff,
    before,
    after: diff.changed,
    others: () => diff.unchanged(diff.names),
    archives: archivesSource(standardLibrary(base.place)),
    room: DEFAULT_ROOM,
    delivery: base.place.delivery,
  });
}
