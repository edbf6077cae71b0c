// Compiles what an edit touched: replays the changed units and, where a library's metadata changed, those that use
// it, dependencies first. Remembers what is still to be compiled after an error, so that a repair elsewhere does not
// lose it. One call at a time; the caller queues.
import { join } from 'node:path';
import type { LinkInputs } from '../cargo/link-arguments.js';
import { cargoBuilds, waitForCargo } from '../cargo/freshness.js';
import { incrementalDirectory } from '../cargo/incremental.js';
import { externState, watchInterfaces } from './interfaces.js';
import { createOwnOutputs } from './own-outputs.js';
import { replay, type FinishedObjects, type ReplayContext } from './replay.js';
import type { ClosedObject } from './replay-watch.js';
import { watchUnseenEdits } from './unseen-edits.js';
import type { UnitGraph } from '../cargo/capture-store.js';
import type { Unit } from '../cargo/unit.js';

export type CompileResult =
  | {
      readonly kind: 'ok';
      /** Of rustc, all units together. */
      readonly ms: number;
      readonly rendered: string;
      /** Units that were compiled, in order. */
      readonly units: readonly Unit[];
    }
  | {
      readonly kind: 'errors';
      readonly ms: number;
      readonly rendered: string;
      /** Units that were compiled before the one with errors. */
      readonly units: readonly Unit[];
    };

/** What is left to compile when one unit's objects are final. */
export type Remaining = 'nothing' | 'dependants' | 'changed';

/** All objects of a unit are final; its rustc has yet to end. */
export interface EarlyObjects {
  readonly unit: Unit;
  /** `dependants`: only crates that use one that was compiled; `changed`: also some whose own sources changed. */
  readonly remaining: Remaining;
  /** As in {@link CompileResult}, until now. */
  readonly ms: number;
  readonly rendered: string;
  readonly crates: readonly string[];
}

/** Told while rustc works. */
export interface CompileWatch {
  /** Unit key → its incremental directory. */
  readonly directories: ReadonlyMap<string, string>;
  onObject(unit: Unit, name: string, object: ClosedObject): void;
  /** Awaited before the next unit is compiled and before `compile` returns. Must not reject. */
  onObjectsFinal(objects: EarlyObjects): Promise<void>;
}

export interface Compiler {
  /** Keys of the units whose sources changed. */
  markChanged(keys: Iterable<string>): void;
  /** Something waits to be compiled: after an error, also without a new change. */
  pending(): boolean;
  compile(watch?: CompileWatch): Promise<CompileResult>;
  /** What the newest compile of a unit (by its key; the binary) would have linked; null before the first. */
  linkInputs(key?: string): LinkInputs | null;
}

/**
 * @param program its graph is asked for at every compile: a build by cargo may change it
 * @param stopped asked while waiting for another cargo's lock
 */
export function createCompiler(
  program: { readonly graph: UnitGraph },
  context: ReplayContext,
  stopped: () => boolean,
): Compiler {
  const waiting = new Set<string>();
  /** Of those that wait, the ones whose own sources changed. */
  const edited = new Set<string>();
  const outputs = createOwnOutputs(join(context.directory, 'outputs'));
  const unseen = watchUnseenEdits(outputs);
  const interfaces = watchInterfaces(program.graph.units, outputs);
  const links = new Map<string, LinkInputs>();
  const remaining = (unit: Unit, interfaceChanged: boolean): Remaining => {
    if ([...waiting].some((key) => edited.has(key))) return 'changed';
    const users = interfaceChanged ? (program.graph.dependants.get(unit.key) ?? []) : [];
    return waiting.size > 0 || users.length > 0 ? 'dependants' : 'nothing';
  };
  const waitAgain = ({ key }: Unit, wasEdited: boolean): void => {
    waiting.add(key);
    if (wasEdited) edited.add(key);
  };
  return {
    markChanged(keys) {
      for (const key of keys) {
        waiting.add(key);
        edited.add(key);
      }
    },
    pending: () => waiting.size > 0,
    linkInputs: (key) => links.get(key ?? program.graph.units.at(-1)?.key ?? '') ?? null,
    async compile(watch) {
      let ms = 0;
      let rendered = '';
      const units: Unit[] = [];
      const { graph } = program;
      for (const [index, unit] of graph.units.entries()) {
        if (!waiting.has(unit.key)) continue;
        await waitForCargo([unit], stopped);
        // Taken out first: a change that comes during the replay puts it in again.
        waiting.delete(unit.key);
        const wasEdited = edited.delete(unit.key);
        interfaces.before(unit);
        const externs = externState(unit);
        let early: Promise<void> = Promise.resolve();
        const directory = watch?.directories.get(unit.key) ?? incrementalDirectory(unit);
        if (directory !== null) unseen.before(unit, directory);
        const news =
          watch === undefined || directory === null
            ? null
            : {
                directory,
                onObject: (name: string, object: ClosedObject) => watch.onObject(unit, name, object),
                onFinished(finished: FinishedObjects) {
                  early = watch.onObjectsFinal({
                    unit,
                    remaining: remaining(unit, interfaces.mayDiffer(unit)),
                    ms: ms + finished.ms,
                    rendered: rendered + finished.rendered,
                    crates: [...units, unit].map(({ crate }) => crate),
                  });
                },
              };
        let result;
        try {
          result = await replay(unit, { ...context, outputs, earlier: graph.units.slice(0, index) }, news);
        } catch (error) {
          waitAgain(unit, wasEdited);
          throw error;
        } finally {
          await early;
        }
        const compiled = result.kind === 'ok';
        if (directory !== null && unseen.after(unit, directory, wasEdited, compiled)) outputs.forget(unit);
        ms += result.ms;
        if (result.kind === 'errors') {
          waitAgain(unit, wasEdited);
          // A cargo that builds takes libraries away before it writes them anew: what rustc missed will be there.
          if (!stopped() && (cargoBuilds(unit) || externState(unit) !== externs)) {
            await waitForCargo([unit], stopped);
            const again = await this.compile(watch);
            return {
              ...again,
              ms: ms + again.ms,
              rendered: rendered + again.rendered,
              units: [...units, ...again.units],
            };
          }
          return { kind: 'errors', ms, rendered: rendered + result.rendered, units };
        }
        rendered += result.rendered;
        units.push(unit);
        if (result.link !== null) links.set(unit.key, result.link);
        if (interfaces.differs(unit)) for (const user of graph.dependants.get(unit.key) ?? []) waiting.add(user);
        interfaces.settle(unit);
      }
      return { kind: 'ok', ms, rendered, units };
    },
  };
}
