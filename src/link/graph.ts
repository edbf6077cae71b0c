// The link graph: atoms (the unit of everything) and edges (references). Built from objects by atoms.ts, walked by
// the passes. No format and no machine is named here.
import type { ObjectFile, ObjectSymbol, SectionKind } from '../formats/object-file.js';
import type { FixupRow } from '../reloc/fixup.js';
import type { Machine } from '../reloc/machine.js';

/**
 * What an edge points to, before anything is bound.
 * - `name` is set when other objects, or the running program, can know the target by it; null for anonymous data,
 *   literals and labels, which are what their content is.
 * - `atom` is set when the same object defines the target; it starts at `offset` of that atom (addend not included).
 * - `label` marks a place inside a function's own body (a jump table's entry): it always means the new copy.
 */
export interface Target {
  readonly name: string | null;
  /** The name as the object has it, which may end in what `name` leaves out: archives' indexes know it by that. */
  readonly spelling: string | null;
  readonly atom: Atom | null;
  readonly offset: number;
  readonly label: boolean;
  readonly weak: boolean;
  readonly kind: ObjectSymbol['kind'];
  /** Of a function whose file says it: see ObjectSymbol. */
  readonly signature?: string | null;
  /** Value of an absolute symbol, else null. */
  readonly absolute: number | null;
}

/** One reference: the field at `offset` of its atom is to be computed by `row` from `target` and `addend`. */
export interface Edge {
  readonly offset: number;
  readonly row: FixupRow;
  readonly target: Target;
  readonly addend: number;
  /** The second symbol of a difference (T in the row's expression), whose address is taken off. */
  readonly minus?: Target;
}

/** The description of how to unwind one code atom: a frame record (FDE) with the record it shares (CIE). */
export interface Frame {
  /** Bytes of the shared record, with the edges inside it (the personality), offsets relative to the record. */
  readonly common: { readonly bytes: Uint8Array; readonly edges: readonly Edge[] };
  /** Bytes of the record itself and its edges (start of the code, its LSDA), offsets relative to the record. */
  readonly bytes: Uint8Array;
  readonly edges: readonly Edge[];
  /** Bytes of code that it describes. */
  readonly length: number;
  /** The LSDA atom it refers to, or null. */
  readonly lsda: Atom | null;
}

/**
 * The same in few bits, where a system's unwinder has tables of such: a row for each piece of code. Its encoding may say
 * that the code's frame record is to be looked at.
 */
export interface CompactFrame {
  /** The code that it describes: where in its atom, and how many bytes. */
  readonly offset: number;
  readonly length: number;
  /** The system's: nothing here looks into it. */
  readonly encoding: number;
  readonly personality: Edge | null;
  readonly lsda: Edge | null;
}

/** A symbol as it lies in an atom. */
export interface AtomSymbol {
  /** The one that tells what it is: see {@link LinkObject.nameOf}. */
  readonly name: string;
  /** As it stands in the file. */
  readonly rawName: string;
  readonly offset: number;
  readonly size: number;
  readonly kind: ObjectSymbol['kind'];
  /** Of a function whose file says it: see ObjectSymbol. */
  readonly signature?: string | null;
  readonly local: boolean;
  readonly weak: boolean;
  /** False for anonymous data and compiler-made labels: see names.ts. */
  readonly stable: boolean;
}

/** The smallest piece that is linked, compared and redirected: one function, one static, one literal. */
export interface Atom {
  readonly object: LinkObject;
  /** Index of the section it was cut from. */
  readonly section: number;
  readonly kind: SectionKind;
  /** The first stable symbol's name, else the section's. For messages. */
  readonly name: string;
  readonly sectionName: string;
  readonly size: number;
  readonly align: number;
  /** What is at its end may be padding: see Section. */
  readonly padded: boolean;
  /** Content before fixups: a view into the object, empty for zero-filled atoms. */
  readonly bytes: Uint8Array;
  readonly mergeable: boolean;
  readonly strings: boolean;
  readonly entrySize: number;
  readonly symbols: readonly AtomSymbol[];
  /** Rising by offset. Computed at first use. */
  readonly edges: readonly Edge[];
  /** Unwind records of a code atom. Computed at first use. */
  readonly frames: readonly Frame[];
  /** By rising offset. Computed at first use. */
  readonly compactFrames: readonly CompactFrame[];
}

/** An object opened for linking. Atoms are made when they are asked for: an object may hold 20,000 sections. */
export interface LinkObject {
  readonly name: string;
  readonly file: ObjectFile;
  readonly machine: Machine;
  /** The name under which the program knows what this file calls `rawName`. */
  nameOf(rawName: string): string;
  /** Name of the source file symbol, which linked files keep before the locals that came from this object. */
  readonly sourceName: string | null;
  /** The atom of a section; null for sections that are not loaded. */
  atom(section: number): Atom | null;
  /** All loaded atoms, in the order of the file (unwind tables are not among them). */
  atoms(): readonly Atom[];
  /** Where this object defines a name: a stable one of any binding, or a compiler-made one that others can see. */
  definition(name: string): { readonly atom: Atom; readonly symbol: AtomSymbol } | null;
}
