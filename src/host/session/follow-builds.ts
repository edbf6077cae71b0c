// Follows the builds of one running program where ipbp starts none (`--no-build`): when a cargo that an editor or a user
// started has compiled crates that the program is made of, their objects become a patch. A build counts when all of it
// is done: a library whose users are still to be compiled may fit only with what they become. Following the sources
// instead, and compiling them, is follow.ts.
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { sourceFiles } from '../cargo/dep-info.js';
import { newestCompile, watchDirectories, windowOf, type CargoCompile } from '../cargo/finished-compiles.js';
import { fingerprintDirectories, waitForCargo } from '../cargo/freshness.js';
import type { LinkInputs } from '../cargo/link-arguments.js';
import { outputsOf, type Unit } from '../cargo/unit.js';
import { sameFile } from '../files/same-file.js';
import { inBackground, type Report } from './background.js';
import type { Held } from './held.js';
import { outcomeTeller, requireKept, type FollowContext, type Follower } from './follow.js';
import { tellInlined } from './inlined-away.js';

export interface FollowBuildsContext extends Omit<FollowContext, 'compiler' | 'rebuild'> {
  /** What may be linked now. */
  readonly archives: () => Promise<LinkInputs>;
  /** Hears of what goes wrong while nobody waits. */
  readonly report: Report;
}

/** What a look at cargo's records found. */
interface Found {
  /** Compiled since the last look. */
  readonly compiled: ReadonlyMap<Unit, CargoCompile>;
  /** rustc failed for one of the crates, or works. */
  readonly incomplete: boolean;
  /** Compiled, but not as those of the program were. */
  readonly foreign: readonly Unit[];
  /** Crates that were compiled after one that uses them. */
  readonly outdated: readonly Unit[];
}

/** Starts to watch. What was built until now is what the program runs. */
export function followBuilds(context: FollowBuildsContext): Follower {
  const { held } = context;
  const { units, dependants } = held.graph;
  const inlined = tellInlined(context.emit, true);
  const { emit } = inlined;
  const tell = outcomeTeller({ ...context, emit });
  const finished = new Map(units.map((unit) => [unit.key, newestCompile(unit)?.finishedAt ?? null]));
  // The files of a shared library, and cargo's record of it, bear no hash: they are those of any build.
  const libraries = new Map(
    units.filter(({ extraFilename }) => extraFilename === '').map((unit) => [unit.key, newestCompile(unit)?.settings]),
  );
  const isForeign = ({ key }: Unit, { settings }: CargoCompile): boolean =>
    libraries.has(key) && settings !== libraries.get(key);
  const otherPrograms = watchForOtherPrograms(held);
  const contents = watchContents();
  const directories = [...new Set([...units.flatMap(fingerprintDirectories), dirname(held.executable)])];
  let waiting = false;
  /** Compiled, and nothing was told of it yet. */
  const fresh = new Map<Unit, CargoCompile>();
  /** What other builds have replaced, and nothing was told of it yet. */
  const others = new Set<string>();
  let stopped = false;
  for (const unit of units) contents.changes(sourceFiles(unit));
  inlined.follow(units.flatMap(sourceFiles));

  const look = (): Found => {
    const compiled = new Map<Unit, CargoCompile>();
    const foreign: Unit[] = [];
    const newest = new Map<string, CargoCompile>();
    let incomplete = false;
    for (const unit of units) {
      const compile = newestCompile(unit);
      if (compile === null) continue;
      newest.set(unit.key, compile);
      if (compile.finishedAt === null) incomplete = true;
      else if (compile.finishedAt === finished.get(unit.key)) continue;
      else if (!isForeign(unit, compile)) compiled.set(unit, compile);
      else {
        foreign.push(unit);
        finished.set(unit.key, compile.finishedAt);
      }
    }
    const begun = (key: string): number => newest.get(key)?.startedAt ?? 0;
    const outdated = units.filter(({ key }) => (dependants.get(key) ?? []).some((user) => begun(user) < begun(key)));
    return { compiled, incomplete, foreign, outdated };
  };

  const step = async (): Promise<void> => {
    const patcher = context.patcher();
    if (stopped || patcher === null) return;
    const { compiled, incomplete, foreign, outdated } = look();
    for (const { crate } of foreign) others.add(`crate ${crate}`);
    for (const [unit, compile] of compiled) {
      finished.set(unit.key, compile.finishedAt);
      patcher.compiled(unit, windowOf(compile) ?? undefined);
      fresh.set(unit, compile);
    }
    for (const outcome of await patcher.followOpened([...compiled.keys()].map(({ key }) => key)))
      await tell(outcome, null);
    if (incomplete) return;
    if (fresh.size === 0 && otherPrograms.replaced()) others.add(held.executable);
    if (others.size > 0) {
      const message = `${[...others].join(' and ')}: now of a build with other settings, features or dependencies, which is not followed`;
      others.clear();
      emit({ event: 'note', code: 'IPBP5030', message });
    }
    if (fresh.size === 0) return;
    const built = new Map(fresh);
    fresh.clear();
    const sources = [...built.keys()].flatMap(sourceFiles);
    const files = contents.changes(sources);
    if (files.length > 0) emit({ event: 'change', files });
    requireKept(held);
    inlined.begin(files);
    held.sources.compiledSince(Math.min(...[...built.values()].map(({ startedAt }) => startedAt)));
    const scan = patcher.scan();
    const link = await context.archives();
    emit({
      event: 'compiled',
      ms: timeOf([...built.values()]),
      objects: scan.changed,
      crates: [...built.keys()].map(({ crate }) => crate),
      rendered: '',
    });
    try {
      if (outdated.length === 0) return await tell(await patcher.patch(scan, link), null);
      const early = patcher.patchEarly(scan, link, true);
      if (early !== null) return await tell(await early, null);
      if (scan.changed === 0) return emit({ event: 'unchanged', reason: 'rustc wrote the same object files' });
      const names = outdated.map(({ crate }) => crate).join(', ');
      const message = `more than bodies changed in ${names}: waiting until cargo has built what uses it`;
      emit({ event: 'note', code: null, message });
    } finally {
      inlined.end();
      inlined.follow(sources);
    }
  };

  /** In the queue only when cargo is done: what is asked of the session meanwhile need not wait for it. */
  const afterCargo = async (): Promise<void> => {
    if (waiting) return;
    waiting = true;
    try {
      await waitForCargo(units, () => stopped);
    } finally {
      waiting = false;
    }
    context.exclusively(step);
  };
  const catchUp = (): void => inBackground(afterCargo, context.report);
  const watcher = watchDirectories(() => directories, catchUp);

  return {
    directories,
    catchUp,
    stop() {
      stopped = true;
      watcher.stop();
    },
  };
}

function timeOf(compiles: readonly CargoCompile[]): number {
  const start = Math.min(...compiles.map(({ startedAt }) => startedAt));
  return Math.max(...compiles.map(({ finishedAt }) => finishedAt ?? start)) - start;
}

/** Sees when cargo has put another build's program in the place of ours: its crates are not the running ones. */
function watchForOtherPrograms({ executable, root }: Held): {
  /** Since it was last asked. */
  replaced(): boolean;
} {
  const own = outputsOf(root).executable;
  let known = inodeOf(executable);
  return {
    replaced() {
      const now = inodeOf(executable);
      if (now === null || now === known) return false;
      known = now;
      return !sameFile(executable, own);
    },
  };
}

function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

/** Which files hold something else than when last asked. All do the first time. */
function watchContents(): { changes(files: readonly string[]): string[] } {
  const known = new Map<string, string>();
  return {
    changes: (files) =>
      [...new Set(files)].filter((file) => {
        const hash = hashOf(file);
        if (known.get(file) === hash) return false;
        known.set(file, hash);
        return true;
      }),
  };
}

function hashOf(path: string): string {
  try {
    return createHash('sha1').update(readFileSync(path)).digest('base64');
  } catch {
    return 'missing';
  }
}
