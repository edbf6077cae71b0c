// Libraries of the workspace that the program opens by itself: which of them an edit waits for, what of the edits until
// then is applied when one is opened, and noticing that. Finding them in the process is library-engines.ts; sending is
// patcher.ts.
import { readFileSync } from 'node:fs';
import type { InputFile, PlanResult } from '../../patch/engine.js';
import type { EngineDiff } from '../../patch/live-engine.js';
import type { PluginLibrary } from '../cargo/capture-store.js';
import { compareSets, type SetDifference } from '../cargo/incremental.js';
import type { LinkInputs } from '../cargo/link-arguments.js';
import { outputsOf } from '../cargo/unit.js';
import type { Held } from './held.js';
import { inputFile } from './kept-files.js';
import type { FollowedModules } from './library-engines.js';
import type { LiveObjects } from './session-store.js';
import { splitObjects } from './split-objects.js';

/** How often the process is looked at while an edit waits. */
const LOOK_MS = 250;

/** What was edited before a library was opened, as a plan for it. */
interface CatchUpPlan {
  readonly diff: EngineDiff;
  readonly plan: PlanResult;
  readonly diffMs: number;
  readonly linkMs: number;
}

export interface OpenedLibraries {
  /** Objects of a unit differ from those that run. */
  edited(key: string): void;
  /** An edit waits for a library to be opened. */
  awaited(): boolean;
  /** Those of what differs that are in libraries which are not open; `isAll`: nothing else differs. Null when none is. */
  closedAmong(
    differences: ReadonlyMap<string, SetDifference>,
  ): { readonly message: string; readonly isAll: boolean } | null;
  /** What the program has opened is followed; each with the plan of what it lacks, null where that is nothing. */
  follow(
    keys: readonly string[] | undefined,
  ): Promise<readonly { readonly library: string; readonly plan: () => CatchUpPlan | null }[]>;
}

/** @param current the objects whose code the program runs, where it has opened all */
export function createOpenedLibraries(
  held: Held,
  modules: FollowedModules,
  current: () => LiveObjects,
): OpenedLibraries {
  const edited = new Set<string>();
  const closed = (): readonly PluginLibrary[] =>
    held.graph.plugins.filter(({ library }) => !modules.libraries.has(library) && !modules.outOfReach.has(library));
  const plan = ({ library, keys }: PluginLibrary): CatchUpPlan | null => {
    const start = performance.now();
    const newest = new Map([...current()].filter(([key]) => keys.has(key)));
    const differences = new Map(
      [...newest].map(([key, now]) => [key, compareSets(held.objects.get(key) ?? new Map(), now)]),
    );
    if ([...differences.values()].every(({ changed, removed }) => changed.length + removed.length === 0)) return null;
    const files = splitObjects(held.objects, { newest, differences }, new Map());
    const diff = modules.diffIn(library, files.before, files.after);
    const diffed = performance.now();
    const declarations = (): ReturnType<Held['sources']['changes']> => held.pluginSources.get(library)?.changes() ?? [];
    const linked = modules.engine.link(diff, { others: files.others, archives: [], declarations });
    return { diff, plan: linked, diffMs: diffed - start, linkMs: performance.now() - diffed };
  };
  return {
    edited: (key) => void edited.add(key),
    awaited: () => closed().some(({ keys }) => [...keys].some((key) => edited.has(key))),
    closedAmong(differences) {
      const differs = (key: string): boolean => {
        const { changed, removed } = differences.get(key) ?? { changed: [], removed: [] };
        return changed.length + removed.length > 0;
      };
      const followed = held.graph.plugins.filter(({ library }) => modules.libraries.has(library));
      const isElsewhere = (key: string): boolean =>
        held.graph.linked.has(key) || followed.some(({ keys }) => keys.has(key));
      const late = closed().filter(({ keys }) => [...keys].some((key) => differs(key) && !held.graph.linked.has(key)));
      if (late.length === 0) return null;
      const names = late.map(({ library }) => library.slice(library.lastIndexOf('/') + 1)).join(', ');
      return {
        message: `the program has not opened ${names}: what changed goes live when it does`,
        isAll: [...differences.keys()].every((key) => !differs(key) || !isElsewhere(key)),
      };
    },
    async follow(keys) {
      const wanted = closed().filter((one) => (keys ?? [...edited]).some((key) => one.keys.has(key)));
      const found = await modules.followOpened(wanted);
      return found.map((one) => ({ library: one.library, plan: () => plan(one) }));
    },
  };
}

/** Calls `look` to follow what was opened when something was, and an edit is `awaited` to go live with it. */
export function whenOpened(
  awaited: () => boolean,
  { graph, isShown }: Held,
  pid: number,
  look: () => void,
): NodeJS.Timeout | null {
  if (graph.plugins.length === 0) return null;
  let seen = '';
  return setInterval(() => {
    if (!awaited()) return;
    // Where the system does not show what is mapped, the agent is asked each time.
    const now = isShown ? mappedFiles(pid) : null;
    if (now === seen) return;
    seen = now ?? '';
    look();
  }, LOOK_MS).unref();
}

/** The files that a process has mapped as code, as one text. */
function mappedFiles(pid: number): string {
  try {
    const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
    return lines.filter((line) => line.includes('/') && line.includes(' r-xp ')).join('\n');
  } catch {
    return '';
  }
}

/** What rustc named, without the rlibs of followed crates: their objects are given themselves. */
export function archiveFiles(held: Held, link: Pick<LinkInputs, 'archives'> | null): InputFile[] {
  const own = new Set(held.graph.units.map((unit) => outputsOf(unit).rlib));
  return (link?.archives ?? []).filter((path) => !own.has(path)).map((path) => inputFile(path, path));
}

/** The crates that a unit names, as long as no linker was asked. */
export function compiledAgainst({ graph }: Held, key: string): Pick<LinkInputs, 'archives'> {
  const externs = graph.units.find((unit) => unit.key === key)?.externs ?? [];
  return { archives: externs.map(({ path }) => path).filter((path) => path.endsWith('.rlib')) };
}
