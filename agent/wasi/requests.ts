// What the thread with the connection asks of the thread with the program, and what it is told. Types only.
import type { MemoryRange, PageMessages, PagePatch } from '../../src/patch/wire/page-frames.js';
import type { InstanceState } from '../web/patched-instance.js';

/** Asked one at a time. */
export type Request =
  | { readonly ask: 'apply'; readonly patch: PagePatch; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly ask: 'undo' | 'redo'; readonly patch: number }
  | { readonly ask: 'reserve'; readonly wanted: PageMessages['reserve'] }
  /** The instance has all patches that there are, or no host answers: it need not wait any more. */
  | { readonly ask: 'start' };

/** The answer to each but `start`. */
export interface Answer {
  readonly state: InstanceState;
  readonly range: MemoryRange | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** What the thread with the connection is started with. */
export interface ConnectionData {
  readonly url: string;
  readonly token: string;
  readonly name: string;
  readonly state: InstanceState;
  /** Counts requests that were sent. */
  readonly sent: Int32Array<SharedArrayBuffer>;
}
