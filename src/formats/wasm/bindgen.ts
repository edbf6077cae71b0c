// What wasm-bindgen will make of a linked module, as far as patches have to know. It runs functions that describe types
// and takes them out; and where the module calls imports and conversions, it puts other calls, or instructions, that hand
// JavaScript's values over. Nothing here knows which: what is needed is only that such calls stay direct, so that they are
// found and changed. docs: `crates/cli-support/src/descriptors.rs` and `transforms/externref` of wasm-bindgen.
import { decodeText } from '../../bytes/text.js';
import type { WasmFacts } from './facts.js';
import * as wasm from './constants.js';
import { visitCalls } from './instructions.js';

/** The section in which wasm-bindgen's macros say what they made. */
const BINDGEN_SECTION = '__wasm_bindgen_unstable';
/** Of a crate's part of it, what says the version. */
const LONGEST_HEADER = 1024;
/** Imports from here are the page's, or wasm-bindgen's own. */
const PLACEHOLDER = '__wbindgen_placeholder__';
/** What a description calls, a part of a type each time; longer names mark functions that are replaced. */
const DESCRIBE = '__wbindgen_describe';
/** Of exports that only describe. */
const DESCRIPTION_PREFIX = '__wbindgen_describe_';

/** Functions by their indexes. */
export interface BindgenParts {
  /** It runs them, and nobody else: they may neither call through the table nor lie in it. */
  readonly descriptions: ReadonlySet<number>;
  /** Calls of them become others. */
  readonly replaced: readonly number[];
}

/** The version of wasm-bindgen that made a module's sections, which the command line must have; null where there are none. */
export function bindgenVersion(facts: WasmFacts): string | null {
  const content = facts.custom(BINDGEN_SECTION);
  if (content === null) return null;
  // Every crate's part begins with a length and a JSON text; the section of wasm-bindgen's own crate tells the same.
  const text = decodeText(content.subarray(0, LONGEST_HEADER));
  return /"version":"([^"]*)"/.exec(text)?.[1] ?? null;
}

/** Null for a module that wasm-bindgen has nothing to do with, or is done with. */
export function bindgenParts(facts: WasmFacts): BindgenParts | null {
  if (facts.indexOf(wasm.SECTION_CUSTOM, BINDGEN_SECTION) < 0) return null;
  const imports = facts.imports('function');
  const describing = new Set<number>();
  const marking = new Set<number>();
  imports.forEach(({ module, field }, index) => {
    if (module !== PLACEHOLDER || !field.startsWith(DESCRIBE)) return;
    describing.add(index);
    if (field !== DESCRIBE) marking.add(index);
  });
  const calls = facts.bodies().map(({ bytes }) => {
    const callees: number[] = [];
    visitCalls(bytes, ({ callee }) => callees.push(callee));
    return callees;
  });
  const marked = calls.flatMap((callees, at) => (callees.some((one) => marking.has(one)) ? at + imports.length : []));
  const exported = (facts.content('export')?.exports ?? []).flatMap(({ kind, name, index }) =>
    kind === 'function' && name.startsWith(DESCRIPTION_PREFIX) ? index : [],
  );
  const callers: number[][] = [];
  calls.forEach((callees, at) => {
    for (const callee of callees) (callers[callee] ??= []).push(at + imports.length);
  });
  const run = reached([...exported, ...marked], (index) => calls[index - imports.length] ?? []);
  const describes = reached([...describing], (index) => callers[index] ?? []);
  const own = new Set(marked);
  return {
    descriptions: new Set([...run].filter((index) => describes.has(index) && !own.has(index))),
    replaced: [...imports.flatMap((_, index) => (describing.has(index) ? [] : index)), ...marked],
  };
}

function reached(from: readonly number[], next: (index: number) => readonly number[]): ReadonlySet<number> {
  const found = new Set(from);
  for (const index of found) for (const other of next(index)) found.add(other);
  return found;
}
