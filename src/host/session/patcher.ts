// One patch from objects on disk to the program's answer, and undo and redo. Takes the times; keeps the history of
// object sets in step with the engine's. When to do it and what to tell is the session's.
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { InputFile, RefusedItem } from '../../patch/engine.js';
import type { TransactionResult } from '../../patch/wire/frames.js';
import type { LiveEngine } from '../../patch/live-engine.js';
import type { PatchImage } from '../../patch/image/image.js';
import type { AgentConnection } from '../agent/agent-connection.js';
import type { Held } from './build-start.js';
import { patchedItems, type PatchedEvent, type PatchTimes } from '../events.js';
import { compareSets, scanObjects, type ObjectSet, type SetDifference } from '../cargo/incremental.js';
import { inputFile, keepObjects, sameFile } from './kept-files.js';
import type { LinkInputs } from '../cargo/link-arguments.js';
import { createHistory, type LiveObjects } from './session-store.js';
import { outputsOf } from '../cargo/unit.js';

/** What a warm-up compares at the most. */
const WARM_UP_OBJECTS = 4;
const WARM_UP_BYTES = 512 * 1024;

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
  /** Compares the newest objects with what runs. Cheap: (name, inode). */
  scan(): Scan;
  /** Links what differs and applies it. */
  patch(scan: Scan, link: LinkInputs | null): Promise<PatchOutcome>;
  applyFile(path: string): Promise<PatchOutcome>;
  /** Null when there is nothing to undo. `now` is the newest live patch afterwards, 0 for none. */
  undo(): Promise<{ readonly patch: number; readonly now: number } | RefusedOutcome | null>;
  redo(): Promise<PatchOutcome | null>;
  records(): readonly PatchRecord[];
}

/** The process has taken a patch: its number, and when its answer came. */
interface Sent {
  readonly kind: 'sent';
  readonly patch: number;
  readonly liveAt: number;
}

type RefusedOutcome = Extract<PatchOutcome, { kind: 'refused' }>;

/** The newest objects beside those that run. */
export interface Scan {
  readonly newest: LiveObjects;
  /** By unit key. */
  readonly differences: ReadonlyMap<string, SetDifference>;
  /** Object files that differ. */
  readonly changed: number;
  readonly startedAt: number;
  readonly ms: number;
}

interface NumberedPatch {
  readonly patch: number;
  readonly image: PatchImage;
}

/** @param numbers gives patch numbers: a session's go on through restarts */
export function createPatcher(held: Held, engine: LiveEngine, agent: AgentConnection, numbers: () => number): Patcher {
  const history = createHistory(held.objects);
  const live: NumberedPatch[] = [];
  const undone: NumberedPatch[] = [];
  const objectDirectory = (generation: number, key: string): string =>
    join(held.keptExecutable, '..', `objects-${generation}`, key);
  let scans = 0;
  let executableChecked = false;

  const checkExecutable = (): void => {
    if (executableChecked) return;
    if (!sameFile(`/proc/${agent.program.pid}/exe`, held.keptExecutable))
      throw new IpbpError('IPBP5007', 'the process runs another file than the one that was kept', {
        expected: held.executable,
        actual: runningPath(agent.program.pid),
      });
    executableChecked = true;
  };

  /** Sends an image; on success engine and history know of it. `objects` as in {@link createHistory}. */
  const send = async (image: PatchImage, objects: LiveObjects | null): Promise<RefusedOutcome | Sent> => {
    checkExecutable();
    const patch = numbers();
    const answer = await agent.transact(patch, engine.transaction(image));
    if (answer.status !== 'applied') return notTaken(answer);
    const liveAt = performance.now();
    engine.applied(image);
    history.push(objects);
    live.push({ patch, image });
    undone.length = 0;
    return { kind: 'sent', patch, liveAt };
  };

  return {
    warmUp() {
      const objects = [...history.current()].flatMap(([key, set]) =>
        [...set].map(([name, { path, size }]) => ({ key, name, path, size })),
      );
      // The largest that are still quick to compare: they hold the most kinds of things.
      const chosen = objects
        .filter(({ size }) => size <= WARM_UP_BYTES)
        .sort((a, b) => b.size - a.size)
        .slice(0, WARM_UP_OBJECTS);
      engine.warmUp(chosen.map(({ key, name, path }) => inputFile(`${key}/${name}`, path)));
    },
    scan() {
      const startedAt = performance.now();
      const current = history.current();
      const newest = new Map<string, ObjectSet>();
      const differences = new Map<string, SetDifference>();
      let changed = 0;
      scans++;
      for (const unit of held.graph.units) {
        const directory = held.incremental.get(unit.key);
        if (directory === undefined) continue;
        const before = current.get(unit.key) ?? new Map();
        const now = scanObjects(unit, directory);
        const difference = compareSets(before, now);
        differences.set(unit.key, difference);
        changed += difference.changed.length + difference.removed.length;
        // Kept before they are read: rustc deletes sessions but the newest two.
        newest.set(unit.key, keepObjects(now, before, objectDirectory(scans, unit.key)));
      }
      return { newest, differences, changed, startedAt, ms: performance.now() - startedAt };
    },
    async patch(scan, link) {
      const elsewhere = changedElsewhere(held, scan);
      if (elsewhere.length > 0) return { kind: 'refused', items: elsewhere };
      const { before, after, others } = splitObjects(history.current(), scan, held);
      if (before.length === 0 && after.length === 0) {
        history.replaceCurrent(scan.newest);
        return { kind: 'unchanged', reason: 'rustc wrote the same object files' };
      }
      const diffStart = performance.now();
      const diff = engine.diff(before, after);
      const linkStart = performance.now();
      const plan = engine.link(diff, { others, archives: archiveFiles(held, link) });
      const linkEnd = performance.now();
      switch (plan.kind) {
        case 'unchanged':
          history.replaceCurrent(scan.newest);
          return plan;
        case 'refused':
          return plan;
        case 'patch': {
          const sent = await send(plan.image, scan.newest);
          if (sent.kind === 'refused') return sent;
          const end = sent.liveAt;
          return patched(sent.patch, plan.image, {
            scan: scan.ms,
            diff: linkStart - diffStart,
            link: linkEnd - linkStart,
            apply: end - linkEnd,
            total: end - scan.startedAt,
          });
        }
      }
    },
    async applyFile(path) {
      const start = performance.now();
      const image = engine.readPatch(inputFile(path, path));
      const read = performance.now();
      const sent = await send(image, null);
      if (sent.kind === 'refused') return sent;
      const end = sent.liveAt;
      return patched(sent.patch, image, {
        scan: read - start,
        diff: 0,
        link: 0,
        apply: end - read,
        total: end - start,
      });
    },
    async undo() {
      const step = engine.undoStep();
      const last = live.at(-1);
      if (step === null || last === undefined) return null;
      const answer = await agent.transact(last.patch, step.ops);
      if (answer.status !== 'applied') return notTaken(answer);
      engine.undone();
      history.undo();
      live.pop();
      undone.push(last);
      return { patch: last.patch, now: live.at(-1)?.patch ?? 0 };
    },
    async redo() {
      const step = engine.redoStep();
      const next = undone.at(-1);
      if (step === null || next === undefined) return null;
      const start = performance.now();
      const answer = await agent.transact(next.patch, step.ops);
      if (answer.status !== 'applied') return notTaken(answer);
      engine.redone();
      history.redo();
      undone.pop();
      live.push(next);
      const ms = performance.now() - start;
      return patched(next.patch, next.image, { scan: 0, diff: 0, link: 0, apply: ms, total: ms });
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

/** Objects that differ, before and after, and those that do not. Messages call them `crate/codegen-unit.o`. */
function splitObjects(
  current: LiveObjects,
  { newest, differences }: Scan,
  held: Held,
): { readonly before: InputFile[]; readonly after: InputFile[]; readonly others: InputFile[] } {
  const before: InputFile[] = [];
  const after: InputFile[] = [];
  const others: InputFile[] = [];
  for (const [key, now] of newest) {
    if (held.graph.shared.has(key)) continue;
    const was = current.get(key) ?? new Map();
    const { changed, removed } = differences.get(key) ?? { changed: [], removed: [] };
    const differing = new Set(changed);
    const file = (set: ObjectSet, name: string): InputFile[] => {
      const object = set.get(name);
      return object === undefined ? [] : [inputFile(`${key}/${name}`, object.path)];
    };
    for (const name of [...changed, ...removed]) before.push(...file(was, name));
    for (const name of changed) after.push(...file(now, name));
    for (const name of now.keys()) if (!differing.has(name)) others.push(...file(now, name));
  }
  return { before, after, others };
}

/** Code of the shared libraries that the executable needs lies out of a patch's reach. */
function changedElsewhere({ graph }: Held, { differences }: Scan): RefusedItem[] {
  return graph.units.flatMap((unit) => {
    const library = graph.shared.get(unit.key);
    const { changed, removed } = differences.get(unit.key) ?? { changed: [], removed: [] };
    if (library === undefined || changed.length + removed.length === 0) return [];
    const error = new IpbpError('IPBP5020', `the code of crate ${unit.crate} is in a shared library`);
    const because = [`it was linked into ${library}`, ...changed.map((name) => `${name} differs`)];
    return [{ code: error.code, name: unit.crate, message: error.summary, because }];
  });
}

/** What rustc named, without the rlibs of followed crates: their objects are given themselves. */
function archiveFiles(held: Held, link: LinkInputs | null): InputFile[] {
  const own = new Set(held.graph.units.map((unit) => outputsOf(unit).rlib));
  return (link?.archives ?? []).filter((path) => !own.has(path)).map((path) => inputFile(path, path));
}

function notTaken(answer: TransactionResult): RefusedOutcome {
  const item: RefusedItem = {
    code: 'IPBP4010',
    name: '',
    message: answer.message || answer.status,
    because: [answer.status],
  };
  return { kind: 'refused', items: [item] };
}

function patched(patch: number, image: PatchImage, ms: PatchTimes): PatchOutcome {
  const bytes = image.segments.reduce((sum, segment) => sum + segment.size, 0);
  return { kind: 'patched', event: { patch, ...patchedItems(image.items), bytes, ms, warnings: image.warnings } };
}

function runningPath(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return 'no process';
  }
}
