// Changes to a relocatable object as plain data, in the words of the model: what a pass wants to be different. Each
// format's rewriter (elf/rewrite.ts, macho/rewrite.ts) makes the new file of it; nothing here knows one.
import type { Binding, ObjectSymbol, Relocation } from './object-file.js';

/** A loaded section that the object did not have: instructions, or initialised, writable data. */
export interface NewSection {
  /** A word; of it and the kind each format makes such a name as its own sections have. */
  readonly name: string;
  readonly kind: 'code' | 'data';
  /** A power of two. */
  readonly align: number;
  readonly bytes: Uint8Array;
  readonly relocations: readonly Relocation[];
}

/**
 * What exists keeps its index wherever an edit or the model names it; new things are counted on from there: the i-th new
 * symbol is `symbols.length + i` of the file, the i-th new section `sections.length + i`.
 */
export interface ObjectEdits {
  /** By symbol index: another name and binding. A symbol that becomes local gets the default visibility. */
  readonly symbols: ReadonlyMap<number, { readonly name: string; readonly binding: Binding }>;
  readonly newSymbols: readonly Omit<ObjectSymbol, 'index'>[];
  readonly newSections: readonly NewSection[];
  /** By section index: bytes that follow what the section has. Only where `takesMore` says that they may. */
  readonly appended: ReadonlyMap<number, Uint8Array>;
  /** By section index: all its relocations, in place of those it has; addends explicit. */
  readonly relocations: ReadonlyMap<number, readonly Relocation[]>;
}

/** Edits that change nothing. */
export const NO_EDITS: ObjectEdits = {
  symbols: new Map(),
  newSymbols: [],
  newSections: [],
  appended: new Map(),
  relocations: new Map(),
};
