// What a session needs of whatever brings patches into its program: the agent of a process, or the agents of all the
// instances of a module. Types only.
import type { RefusedItem } from '../../patch/engine.js';
import type { PatchImage } from '../../patch/image/image.js';
import type { HistoryStep } from '../../patch/image/transaction.js';
import type { Moved } from '../../patch/wire/frames.js';
import type { Warning } from '../events.js';
import type { LiveObjects } from './session-store.js';

/** The program took it. */
export interface Taken {
  readonly kind: 'taken';
  /** Where what the patch brought lies in truth. */
  readonly moved: readonly Moved[];
  /** What the person should know besides. */
  readonly warnings: readonly Warning[];
}

/** Refused: nothing was changed. */
export type Answer = Taken | { readonly kind: 'refused'; readonly items: readonly RefusedItem[] };

/** The way into a program that runs. Steps come one after the other, in the engine's order. */
export interface ProgramLink {
  /** Of the process, for whoever looks at it from outside. */
  readonly pid: number;
  /** @param objects what the patch was made from; not given for a patch file */
  apply(patch: number, image: PatchImage, objects: LiveObjects | undefined): Promise<Answer>;
  undo(patch: number, step: HistoryStep): Promise<Answer>;
  redo(patch: number, step: HistoryStep): Promise<Answer>;
  /** Resolves when no patch can be brought in any more. */
  readonly closed: Promise<unknown>;
}
