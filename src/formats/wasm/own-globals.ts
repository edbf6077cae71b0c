// Globals of a linked module that its code uses beside its functions' own values: where its stack is, and where a thread's
// own data. Found by name.
import * as wasm from './constants.js';
import type { WasmFacts } from './facts.js';
import { namesIn, type NamePart } from './names.js';

/** What linkers call them, and objects. */
export const STACK_POINTER = '__stack_pointer';
export const THREAD_BASE = '__tls_base';

/** Index of the stack pointer; linkers put it first, and a module that lost the names of its globals has it there. */
export function stackPointerOf(facts: WasmFacts, names: readonly NamePart[]): number | null {
  const named = globalCalled(STACK_POINTER, names);
  if (named !== null) return named;
  const imported = facts.imports('global').length;
  const first = facts.content('global')?.globals[0];
  return first !== undefined && first.mutable && first.type === wasm.TYPE_I32 ? imported : null;
}

/** Index of the global that each thread sets; null where nothing is a thread's own. */
export function threadBaseOf(facts: WasmFacts, names: readonly NamePart[]): number | null {
  const index = globalCalled(THREAD_BASE, names);
  // Without threads it is a number that never changes, and thread-locals are plain statics.
  const own = index === null ? undefined : facts.content('global')?.globals[index - facts.imports('global').length];
  return own?.mutable === true ? index : null;
}

function globalCalled(wanted: string, names: readonly NamePart[]): number | null {
  return namesIn(names, 'global').find(({ name }) => name === wanted)?.index ?? null;
}
