// One patch from objects on disk to the program's answer, and undo and redo. Takes the times; keeps the history of
// object sets in step with the engine's. Planning ahead is in staging.ts; when to do it and what to tell is the
// session's.
import { join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { RefusedItem } from '../../patch/engine.js';
import type { EngineDiff } from '../../patch/live-engine.js';
import type { PatchImage } from '../../patch/image/image.js';
import type { Held } from './held.js';
import { changedElsewhere, type FollowedModules } from './library-engines.js';
import { patchedItems, type PatchedEvent, type PatchTimes } from '../events.js';
import {
  compareSets,
  scanObjects,
  sessionFollower,
  sessionWithin,
  type ObjectSet,
  type SessionWindow,
  type SetDifference,
} from '../cargo/incremental.js';
import { inputFile, keepObjects } from './kept-files.js';
import type { LinkInputs } from '../cargo/link-arguments.js';
import type { ProgramLink, Taken } from './program-link.js';
import { createHistory, type LiveObjects } from './session-store.js';
import { archiveFiles, createOpenedLibraries } from './opened-libraries.js';
import { tellStillInside, type AfterPatch } from './still-inside.js';
import { changedPaths, splitObjects, splitStaged, warmUpObjects, type NewestObjects } from './split-objects.js';
import { ArchivesNotKnown, changesOnlyBodies, createStaging, type Planned } from './staging.js';
import type { ClosedObject } from '../compile/replay-watch.js';
import type { Unit } from '../cargo/unit.js';

const NO_DIFFERENCE: SetDifference = { changed: [], removed: [], sameBytes: [] };

/** What became of a change. */
export type PatchOutcome =
  | { readonly kind: 'unchanged'; readonly reason: string }
  | { readonly kind: 'refused'; readonly items: readonly RefusedItem[] }
  | { readonly kind: 'patched'; readonly event: Omit<PatchedEvent, 'event' | 'at' | 'sinceSaveMs'> };

/** One patch of the history, for `ipbp status`. */
export interface PatchRecord {
  readonly patch: number;
  readonly functions: readonly string[];
  readonly live: boolean;
}

export interface Patcher {
  /** Makes the engine ready for the first edit with a few of the program's own objects. For an idle moment. */
  warmUp(): void;
  /**
   * A unit's objects are new and ours. Only then they are looked at: another cargo that builds with other flags writes
   * into the same incremental directory.
   * @param within when they were written; where it is not given, the newest that were not seen yet are theirs
   */
  compiled(unit: Unit, within?: SessionWindow): void;
  /** Compares the newest objects with what runs. Cheap: (name, inode). */
  scan(): Scan;
  /** An object that rustc has closed while it still works: planned with, so that the patch is ready when all are. */
  stage(key: string, name: string, object: ClosedObject): void;
  /** Forgets what was staged and not patched. */
  unstage(): void;
  /** Links what differs and applies it. */
  patch(scan: Scan, link: LinkInputs | null): Promise<PatchOutcome>;
  /**
   * The same before rustc has said what it would link. Null where that, or a verdict other than a patch, has to wait
   * for the end of the compile: nothing was done then.
   * @param bodiesOnly only if nothing but functions' bodies changed: crates that use these are still to be compiled
   */
  patchEarly(scan: Scan, link: LinkInputs | null, bodiesOnly: boolean): Promise<PatchOutcome> | null;
  /** Undoes the newest patch for good: it cannot be redone. */
  takeBack(): Promise<UndoneOutcome | RefusedOutcome | null>;
  /**
   * Follows what the program has opened by itself: of each such library, what became of the edits that were made before.
   * @param keys only libraries that are made of one of these units; not given: those for which an edit waits
   */
  followOpened(keys?: readonly string[]): Promise<readonly PatchOutcome[]>;
  /** An edit waits for a library to be opened. */
  awaitsLibrary(): boolean;
  applyFile(path: string): Promise<PatchOutcome>;
  /** Null when there is nothing to undo. */
  undo(): Promise<UndoneOutcome | RefusedOutcome | null>;
  redo(): Promise<PatchOutcome | null>;
  records(): readonly PatchRecord[];
}

/** The process has taken a patch: its number, and when its answer came. */
interface Sent extends Pick<Taken, 'warnings'> {
  readonly kind: 'sent';
  readonly patch: number;
  readonly liveAt: number;
}

/** `now` is the newest live patch afterwards, 0 for none. */
interface UndoneOutcome {
  readonly patch: number;
  readonly now: number;
}

type RefusedOutcome = Extract<PatchOutcome, { kind: 'refused' }>;

/** The newest objects beside those that run. */
export interface Scan extends NewestObjects {
  /** Object files that differ. */
  readonly changed: number;
  readonly startedAt: number;
  readonly ms: number;
}

/** Who hears of what has no part in a change's outcome. */
export interface PatcherListener extends AfterPatch {
  /** What changed is in a library that the program has not opened. */
  readonly notOpened: (message: string) => void;
}

interface NumberedPatch {
  readonly patch: number;
  readonly image: PatchImage;
}

/**
 * @param numbers gives patch numbers: a session's go on through restarts
 */
export function createPatcher(
  held: Held,
  modules: FollowedModules,
  program: ProgramLink,
  numbers: () => number,
  told: PatcherListener,
): Patcher {
  const { engine } = modules;
  const history = createHistory(held.objects);
  const live: NumberedPatch[] = [];
  const undone: NumberedPatch[] = [];
  const objectDirectory = (generation: number, key: string): string =>
    join(held.keptExecutable, '..', `objects-${generation}`, key);
  /** Units whose code is in a shared library that is not followed. */
  const beyond = (): ReadonlyMap<string, string> =>
    new Map([...held.graph.shared].filter(([, library]) => !modules.libraries.has(library)));
  const newestOf = new Map(held.objects);
  const sessions = new Map([...held.incremental.values()].map((path) => [path, sessionFollower(path)]));
  const unscanned = new Map<Unit, SessionWindow | undefined>();
  let scans = 0;
  let lastLink: LinkInputs | null = null;
  const staging = createStaging({
    engine,
    current: history.current,
    split: (staged) => splitStaged(history.current(), staged, beyond()),
    archives: (link) => archiveFiles(held, link),
    knownLink: () => lastLink,
    declarations: () => held.sources.changes(),
  });
  const opened = createOpenedLibraries(held, modules, history.current);

  /** Sends an image; on success engine and history know of it. `made`: what it was made from, null for a file. */
  const send = async (
    image: PatchImage,
    made: { readonly diff: EngineDiff; readonly objects: LiveObjects } | null,
  ): Promise<RefusedOutcome | Sent> => {
    const patch = numbers();
    const answer = await program.apply(patch, image, made?.objects);
    if (answer.kind === 'refused') return answer;
    const liveAt = performance.now();
    engine.applied(image, made?.diff ?? null, answer.moved);
    if (made !== null) held.sources.live();
    history.push(made?.objects ?? null);
    staging.clear();
    live.push({ patch, image });
    undone.length = 0;
    const isLive = (): boolean => live.some((one) => one.image === image);
    if (held.isShown) tellStillInside({ engine, image, pid: program.pid, isLive }, told);
    return { kind: 'sent', patch, liveAt, warnings: answer.warnings };
  };

  const lookAt = (unit: Unit, within: SessionWindow | undefined): void => {
    const directory = held.incremental.get(unit.key);
    if (directory === undefined) return;
    const newest = within === undefined ? sessions.get(directory) : () => sessionWithin(directory, within);
    const objects = scanObjects(unit, directory, newest);
    // Kept before they are read: rustc deletes sessions but the newest two.
    newestOf.set(unit.key, keepObjects(objects, newestOf.get(unit.key) ?? null, objectDirectory(scans, unit.key)));
  };

  const plan = (scan: Scan, link: LinkInputs | null, linkIsFinal: boolean): Planned => {
    lastLink = link;
    return staging.plan({
      files: splitObjects(history.current(), scan, beyond()),
      ...changedPaths(scan),
      link,
      linkIsFinal,
    });
  };

  const unchanged = (scan: Scan, reason: string): PatchOutcome => {
    history.replaceCurrent(scan.newest);
    staging.clear();
    return { kind: 'unchanged', reason };
  };

  const commit = async (
    scan: Pick<Scan, 'newest' | 'startedAt' | 'ms'>,
    planned: Pick<Planned, 'diff' | 'diffMs' | 'linkMs'>,
    image: PatchImage,
  ): Promise<PatchOutcome> => {
    const start = performance.now();
    const sent = await send(image, { diff: planned.diff, objects: scan.newest });
    if (sent.kind === 'refused') return sent;
    return patched(sent, image, {
      scan: scan.ms,
      diff: planned.diffMs,
      link: planned.linkMs,
      apply: sent.liveAt - start,
      total: sent.liveAt - scan.startedAt,
    });
  };

  const undo = async (): Promise<UndoneOutcome | RefusedOutcome | null> => {
    const step = engine.undoStep();
    const last = live.at(-1);
    if (step === null || last === undefined) return null;
    const answer = await program.undo(last.patch, step);
    if (answer.kind === 'refused') return answer;
    engine.undone();
    history.undo();
    staging.clear();
    live.pop();
    undone.push(last);
    return { patch: last.patch, now: live.at(-1)?.patch ?? 0 };
  };

  return {
    warmUp: () => engine.warmUp(warmUpObjects(history.current())),
    compiled: (unit, within) => void unscanned.set(unit, within),
    scan() {
      const startedAt = performance.now();
      const current = history.current();
      const newest = new Map<string, ObjectSet>();
      const differences = new Map<string, SetDifference>();
      let changed = 0;
      scans++;
      for (const [unit, within] of unscanned) lookAt(unit, within);
      unscanned.clear();
      for (const { key } of held.graph.units) {
        const after = newestOf.get(key);
        if (after === undefined) continue;
        newest.set(key, after);
        const before = current.get(key) ?? new Map();
        const difference = before === after ? NO_DIFFERENCE : compareSets(before, after);
        differences.set(key, difference);
        if (difference.changed.length + difference.removed.length > 0) opened.edited(key);
        changed += difference.changed.length + difference.removed.length;
      }
      return { newest, differences, changed, startedAt, ms: performance.now() - startedAt };
    },
    stage(key, name, object) {
      if (!beyond().has(key)) staging.add(key, name, object);
    },
    unstage: () => staging.clear(),
    async patch(scan, link) {
      const elsewhere = changedElsewhere(held, modules, scan);
      if (elsewhere.length > 0) {
        staging.clear();
        return { kind: 'refused', items: elsewhere };
      }
      if (scan.changed === 0) return unchanged(scan, 'rustc wrote the same object files');
      const closed = opened.closedAmong(scan.differences);
      if (closed !== null) told.notOpened(closed.message);
      if (closed?.isAll === true) return unchanged(scan, closed.message);
      const planned = plan(scan, link, true);
      switch (planned.plan.kind) {
        case 'unchanged':
          engine.taken(planned.diff);
          return unchanged(scan, planned.plan.reason);
        case 'refused':
          staging.clear();
          return planned.plan;
        case 'patch':
          return commit(scan, planned, planned.plan.image);
      }
    },
    patchEarly(scan, link, bodiesOnly) {
      if (scan.changed === 0 || changedElsewhere(held, modules, scan).length > 0) return null;
      let planned: Planned;
      try {
        planned = plan(scan, link, false);
      } catch (error) {
        // Whatever it is, it is to be said when the compile is over.
        if (error instanceof ArchivesNotKnown || error instanceof IpbpError) return null;
        throw error;
      }
      if (planned.plan.kind !== 'patch' || (bodiesOnly && !changesOnlyBodies(planned.diff))) return null;
      return commit(scan, planned, planned.plan.image);
    },
    async followOpened(keys) {
      const outcomes: PatchOutcome[] = [];
      for (const { library, ...catchUp } of await opened.follow(keys)) {
        staging.clear();
        const startedAt = performance.now();
        const planned = catchUp.plan();
        if (planned === null) continue;
        const { diff, plan } = planned;
        if (plan.kind === 'unchanged') continue;
        const outcome =
          plan.kind === 'refused'
            ? plan
            : await commit({ newest: history.current(), startedAt, ms: 0 }, { ...planned, diff }, plan.image);
        if (outcome.kind === 'refused') modules.abandon(library, 'what was edited before it was opened is not in it');
        outcomes.push(outcome);
      }
      return outcomes;
    },
    awaitsLibrary: () => opened.awaited(),
    async applyFile(path) {
      const start = performance.now();
      const image = engine.readPatch(inputFile(path, path));
      const read = performance.now();
      const sent = await send(image, null);
      if (sent.kind === 'refused') return sent;
      const end = sent.liveAt;
      return patched(sent, image, {
        scan: read - start,
        diff: 0,
        link: 0,
        apply: end - read,
        total: end - start,
      });
    },
    undo,
    async takeBack() {
      const outcome = await undo();
      if (outcome === null || 'items' in outcome) return outcome;
      engine.forgetUndone();
      history.forgetUndone();
      undone.pop();
      return outcome;
    },
    async redo() {
      const step = engine.redoStep();
      const next = undone.at(-1);
      if (step === null || next === undefined) return null;
      const start = performance.now();
      const answer = await program.redo(next.patch, step);
      if (answer.kind === 'refused') return answer;
      engine.redone();
      history.redo();
      staging.clear();
      undone.pop();
      live.push(next);
      const ms = performance.now() - start;
      const sent = { patch: next.patch, warnings: answer.warnings };
      return patched(sent, next.image, { scan: 0, diff: 0, link: 0, apply: ms, total: ms });
    },
    records() {
      const record =
        (isLive: boolean) =>
        (entry: NumberedPatch): PatchRecord => ({
          patch: entry.patch,
          functions: patchedItems(entry.image.items).functions.map(({ name }) => name),
          live: isLive,
        });
      return [...live.map(record(true)), ...[...undone].reverse().map(record(false))];
    },
  };
}

function patched(sent: Pick<Sent, 'patch' | 'warnings'>, image: PatchImage, ms: PatchTimes): PatchOutcome {
  const bytes = image.segments.reduce((sum, segment) => sum + segment.size, 0);
  const warnings = [...image.warnings, ...sent.warnings];
  return { kind: 'patched', event: { patch: sent.patch, ...patchedItems(image.items), bytes, ms, warnings } };
}
