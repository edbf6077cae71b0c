// A linked patch as what becomes a module that the process instantiates beside the program's: what emitters are given, and
// under which names the module asks for what it shares with the program.
import type { ImageSegment, LinkedCode } from './linked-image.js';

/** The module that the patch imports from, and its memory and table there; globals have the names that objects know. */
export const SHARED = { module: 'env', memory: 'memory', table: '__indirect_function_table' } as const;

/** The section of data that the module does not put into memory itself, as each thread would do it again. */
export const DATA_SECTION = 'ipbp.data';

export interface PatchInstance {
  readonly code: LinkedCode;
  /** Data, by address. */
  readonly segments: readonly ImageSegment[];
  /** Elements of the table that lead to a function of the patch from now on, which is known by its own element. */
  readonly redirects: readonly { readonly at: number; readonly to: number }[];
  /** Of the program's globals: those that `code` names are among them. */
  readonly globals: readonly { readonly name: string; readonly mutable: boolean }[];
  /** What the program imports of its host, by the names that objects know: those that `code` names are among them. */
  readonly imports: readonly { readonly name: string; readonly module: string; readonly field: string }[];
  /** Pages that the memory may have at most where threads share it; null where each instance has its own. */
  readonly sharedPages: number | null;
  /** What is kept in the module and not run: the patch without its code and data; null for none. */
  readonly description: Uint8Array | null;
}
