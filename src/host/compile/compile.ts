// Compiles what an edit touched: replays the changed units and, where a library's metadata changed, those that use
// it, dependencies first. Remembers what is still to be compiled after an error, so that a repair elsewhere does not
// lose it. One call at a time; the caller queues.
import type { LinkInputs } from '../cargo/link-arguments.js';
import { waitForCargo } from '../cargo/freshness.js';
import { replay, type ReplayContext } from './replay.js';
import type { UnitGraph } from '../cargo/capture-store.js';

export type CompileResult =
  | {
      readonly kind: 'ok';
      /** Of rustc, all units together. */
      readonly ms: number;
      readonly rendered: string;
      /** Crates that were compiled, in order. */
      readonly crates: readonly string[];
    }
  | { readonly kind: 'errors'; readonly ms: number; readonly rendered: string };

export interface Compiler {
  /** Keys of the units whose sources changed. */
  markChanged(keys: Iterable<string>): void;
  /** Something waits to be compiled: after an error, also without a new change. */
  pending(): boolean;
  compile(): Promise<CompileResult>;
  /** What the newest compile of the binary would have linked; null before the first. */
  linkInputs(): LinkInputs | null;
}

/** @param stopped asked while waiting for another cargo's lock */
export function createCompiler(graph: UnitGraph, context: ReplayContext, stopped: () => boolean): Compiler {
  const waiting = new Set<string>();
  let link: LinkInputs | null = null;
  return {
    markChanged(keys) {
      for (const key of keys) waiting.add(key);
    },
    pending: () => waiting.size > 0,
    linkInputs: () => link,
    async compile() {
      let ms = 0;
      let rendered = '';
      const crates: string[] = [];
      for (const unit of graph.units) {
        if (!waiting.has(unit.key)) continue;
        await waitForCargo([unit], stopped);
        // Taken out first: a change that comes during the replay puts it in again.
        waiting.delete(unit.key);
        let result;
        try {
          result = await replay(unit, context);
        } catch (error) {
          waiting.add(unit.key);
          throw error;
        }
        ms += result.ms;
        if (result.kind === 'errors') {
          waiting.add(unit.key);
          return { kind: 'errors', ms, rendered: rendered + result.rendered };
        }
        rendered += result.rendered;
        crates.push(unit.crate);
        if (result.link !== null) link = result.link;
        if (result.interfaceChanged) for (const user of graph.dependants.get(unit.key) ?? []) waiting.add(user);
      }
      return { kind: 'ok', ms, rendered, crates };
    },
  };
}
