// What a row of the matrix is: one edit (or command) on the running program, what ipbp must say to it, and what the
// program must answer before and after. Types and small makers only; the tables are in *-rows.ts.
import { type PatchedEvent } from '../../src/host/events.js';

/** What ipbp says at the end of a change or a command; `restarted`: refused, and the program started anew. */
export type Verdict = 'patched' | 'unchanged' | 'refused' | 'restarted' | 'compile-error' | 'undone';

/** One question to the program, and what it must answer. */
export interface Check {
  /** A path; `/ask/…` goes to the desk's own thread. A program of the terminal knows `screen` and `keys:…`. */
  readonly ask: string;
  readonly answer: string | RegExp;
  /** For what other threads do in their own time: ask again until right, for as many milliseconds. */
  readonly within?: number;
  /** Asked again and again until the answer has come: it lets go what waits. */
  readonly release?: string;
  /** What the program must have printed once it answered. */
  readonly log?: RegExp;
}

/** Requests that wait inside the program while the edit goes live. */
export interface InFlight {
  readonly ask: string;
  readonly count: number;
  /** Right as soon as all of them are inside. */
  readonly arrived: Check;
  /** Asked after the verdict: lets them go. */
  readonly release: string;
  /** What each of them must answer then. */
  readonly answer: string | RegExp;
}

/** A change to one source. */
export interface Edit {
  /** Path within the copy. */
  readonly file: string;
  /** What stands in the file now → what is saved. */
  apply(text: string): string;
}

/** What a row does. */
export type Action =
  /** Files are saved one after the other. */
  | { readonly kind: 'edit'; readonly edits: readonly Edit[] }
  /** All sources as they were at the start. */
  | { readonly kind: 'revert' }
  /** `ipbp undo N` or `ipbp redo N`. */
  | { readonly kind: 'command'; readonly args: readonly ['undo' | 'redo', string] };

export interface Row {
  readonly id: string;
  readonly name: string;
  readonly action: Action;
  /** Any of these is right. */
  readonly expect: readonly Verdict[];
  readonly before?: readonly Check[];
  readonly inFlight?: InFlight;
  readonly after: readonly Check[];
  /** Ends of function names that must be in the patch, with their verdict. Checked in unoptimised builds. */
  readonly functions?: Readonly<Record<string, PatchedEvent['functions'][number]['verdict']>>;
  /** Ends of function names that must not be in the patch. Checked in unoptimised builds. */
  readonly untouched?: readonly string[];
  /** True when `functions` names all of them. */
  readonly only?: boolean;
  /** Ends of names of statics and thread-locals, with the verdict each must have. Checked in unoptimised builds. */
  readonly data?: Readonly<Record<string, PatchedEvent['data'][number]['verdict']>>;
  /** How the number of threads that the desk's thread started must compare with the one before the row. */
  readonly threads?: 'more' | 'same';
  /**
   * True where an optimised build may have inlined the edited function into a loop that never ends: there a warning is
   * as good as the new behaviour, silence is not.
   */
  readonly inLoop?: boolean;
  /** True where the sources are put back after the row. */
  readonly putBack?: boolean;
  /** What a refusal's codes, or a compile error's text, must match. */
  readonly says?: RegExp;
}

/** A question for the desk's thread. */
export function desk(question: string, answer: string | RegExp, within?: number): Check {
  return { ask: `/ask/${question}`, answer, ...(within === undefined ? {} : { within }) };
}
