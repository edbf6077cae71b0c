// Plans a patch while rustc still works: each object that it has closed is compared with the one that runs, the
// difference linked and laid out. The plan is used if the finished objects turn out to be just these, byte for byte;
// else it is made again. Nothing is sent from here: committing is patcher.ts.
import { readFileSync } from 'node:fs';
import type { InputFile, PlanResult } from '../../patch/engine.js';
import type { DeclarationChange } from '../../patch/guard/declarations.js';
import type { EngineDiff, LiveEngine } from '../../patch/live-engine.js';
import type { LinkInputs } from '../cargo/link-arguments.js';
import type { ClosedObject } from '../compile/replay-watch.js';
import type { LiveObjects } from './session-store.js';
import { objectId, type SplitObjects } from './split-objects.js';

/** A plan and what it took, in milliseconds. */
export interface Planned {
  readonly diff: EngineDiff;
  readonly plan: PlanResult;
  readonly diffMs: number;
  readonly linkMs: number;
  /** It was ready before it was asked for. */
  readonly ahead: boolean;
}

export interface Staging {
  /** An object of a unit was closed. Plans soon after, when no other follows at once. */
  add(key: string, name: string, object: ClosedObject): void;
  /**
   * The plan, if what it was made of is what differs now; made now otherwise.
   * @throws ArchivesNotKnown when it has to be made, `linkIsFinal` is not set and an archive is asked in vain
   */
  plan(request: StagedRequest): Planned;
  /** Forgets all: the program or its objects are others now. */
  clear(): void;
}

/** What differs, as a scan of finished sessions found it. */
export interface StagedRequest {
  readonly files: SplitObjects;
  /** `<unit key>/<object>` → its path. */
  readonly changed: ReadonlyMap<string, string>;
  /** Some objects are gone. */
  readonly removed: boolean;
  /** What rustc would link, as far as it is known; `final` when it is that of just these objects. */
  readonly link: LinkInputs | null;
  readonly linkIsFinal: boolean;
}

/** Thrown through the planner: which archives there are is not known before rustc has called its linker. */
export class ArchivesNotKnown extends Error {}

/** What is known of the program while rustc works. */
export interface StagingContext {
  readonly engine: Pick<LiveEngine, 'diff' | 'link'>;
  readonly current: () => LiveObjects;
  /** Objects that run, by their kept files, without those named `<unit key>/<object>`. */
  readonly split: (staged: ReadonlyMap<string, ClosedObject>) => SplitObjects;
  readonly archives: (link: LinkInputs | null) => readonly InputFile[];
  /** Asked for where objects do not describe types. */
  readonly declarations: () => readonly DeclarationChange[];
  /** Of the compile before: nearly always those of this one too. */
  readonly knownLink: () => LinkInputs | null;
}

interface Linked {
  readonly plan: PlanResult;
  readonly ms: number;
}

interface Compared {
  readonly diff: EngineDiff;
  readonly diffMs: number;
  /** Null where it hangs on archives that are not known yet. */
  readonly linked: Linked | null;
}

/** What was made when it was asked for. It may be asked for again: when a crate is compiled, and when all are. */
interface Asked extends Compared {
  readonly changed: ReadonlyMap<string, string>;
  readonly removed: boolean;
}

/** With more objects than these, more are to come: a plan that begins now would only be in their way. */
const MOST_AHEAD = 64;

/** Begins with nothing staged. */
export function createStaging(context: StagingContext): Staging {
  const { engine } = context;
  const staged = new Map<string, ClosedObject>();
  /** Written by every rustc, but in no session (the allocator's shim). */
  const foreign = new Set<string>();
  /** Not live: a new codegen unit, or a foreign one; the finished session will tell. */
  const unknown = new Set<string>();
  let timer: NodeJS.Immediate | null = null;
  let ahead: Compared | null = null;
  let asked: Asked | null = null;

  const compare = ({ before, after }: SplitObjects): { readonly diff: EngineDiff; readonly diffMs: number } => {
    const start = performance.now();
    const diff = engine.diff(before, after);
    return { diff, diffMs: performance.now() - start };
  };

  const link = (diff: EngineDiff, files: SplitObjects, inputs: LinkInputs | null, isFinal: boolean): Linked => {
    const start = performance.now();
    const plan = engine.link(diff, {
      others: files.others,
      archives: context.archives(inputs),
      declarations: context.declarations,
      onAbsent: () => {
        if (!isFinal) throw new ArchivesNotKnown();
      },
    });
    return { plan, ms: performance.now() - start };
  };

  const planAhead = (): void => {
    timer = null;
    if (staged.size === 0 || staged.size > MOST_AHEAD) return;
    const files = context.split(staged);
    try {
      const compared = compare(files);
      ahead = { ...compared, linked: null };
      ahead = { ...compared, linked: link(compared.diff, files, context.knownLink(), false) };
    } catch {
      // A broken object, or archives that are not known yet: what it is will be said when the objects are final.
    }
  };

  const isStaged = ({ files, changed, removed }: StagedRequest): boolean => {
    if (removed || changed.size !== staged.size) return false;
    const split = new Set(files.after.flatMap(({ name, debugFile }) => (debugFile === undefined ? [] : [name])));
    for (const [name, path] of changed) {
      const closed = staged.get(name);
      if (closed === undefined || !readFileSync(path).equals(closed.bytes)) return false;
      // rustc may have deleted what it had split off before it was seen.
      if (split.has(name) !== (closed.debugBytes !== null)) return false;
    }
    return true;
  };

  const wasAsked = ({ changed, removed }: StagedRequest): boolean =>
    asked !== null &&
    asked.removed === removed &&
    asked.changed.size === changed.size &&
    // Kept files do not change.
    [...changed].every(([name, path]) => asked?.changed.get(name) === path);

  const settleUnknown = ({ changed }: StagedRequest): void => {
    for (const name of unknown) if (!changed.has(name)) foreign.add(name);
    unknown.clear();
  };

  return {
    add(key, name, object) {
      const id = objectId(key, name);
      if (foreign.has(id)) return;
      const live = context.current().get(key)?.get(name);
      if (live === undefined) {
        unknown.add(id);
        return;
      }
      ahead = null;
      if (live.size === object.bytes.length && readFileSync(live.path).equals(object.bytes)) staged.delete(id);
      else staged.set(id, object);
      // At once, but after all that has come together.
      timer ??= setImmediate(planAhead);
    },
    plan(request) {
      if (timer !== null) {
        clearImmediate(timer);
        timer = null;
      }
      settleUnknown(request);
      const { files, changed, removed } = request;
      const usable = wasAsked(request) ? asked : ahead !== null && isStaged(request) ? ahead : null;
      const { diff, diffMs } = usable ?? compare(files);
      asked = { diff, diffMs, linked: usable?.linked ?? null, changed, removed };
      const linked = asked.linked ?? link(diff, files, request.link, request.linkIsFinal);
      asked = { ...asked, linked };
      return { diff, plan: linked.plan, diffMs, linkMs: linked.ms, ahead: usable?.linked != null };
    },
    clear() {
      if (timer !== null) clearImmediate(timer);
      timer = null;
      staged.clear();
      unknown.clear();
      ahead = null;
      asked = null;
    },
  };
}

/**
 * True if an edit changed what functions do and nothing else. Crates that hold copies of what is inlined or generic
 * are compiled after this one: until then the program runs its old copies beside the new bodies. Where a name moved to
 * another item, or an item became another one, those copies would mean the wrong one, or miss the new one.
 */
export function changesOnlyBodies(diff: EngineDiff): boolean {
  return (
    diff.moved.size === 0 &&
    diff.forked.size === 0 &&
    diff.refused.length === 0 &&
    diff.constructors.length === 0 &&
    diff.registrations.length === 0 &&
    diff.items.every(({ change, storage }) => change === 'body' || (change === 'added' && storage !== 'mutable'))
  );
}
