// The shapes of what an object says of its types, by offset in .debug_info. Reading them is types.ts.
import type { Place } from './debug-sections.js';

/** A field. References to types are keys of {@link TypeTable.types}. */
export interface Member {
  readonly name: string | null;
  readonly type: number | null;
  /** Bytes from the start of the value; null where DWARF gives none (a union's) or computes it. */
  readonly offset: number | null;
  /** Position and width of a bit field as text, else empty. */
  readonly bits: string;
}

/** One of a variant part's cases: which discriminant selects it, and what is there then. */
export interface Variant {
  /** The discriminant's value as text (a list's bytes in hex); null for the case that is meant when no other fits. */
  readonly value: string | null;
  readonly members: readonly Member[];
}

/** Rust's enumerations with content and coroutines: fields that depend on a discriminant. */
export interface VariantPart {
  /** Where the discriminant is. Null for a single variant. */
  readonly discriminant: Member | null;
  readonly variants: readonly Variant[];
}

/** A structure, a union, or an enumeration with content. */
export interface CompositeType {
  readonly kind: 'composite';
  readonly path: string;
  /** The path begins anew here or goes on: whether a type stands inside another one. */
  readonly outer: number | null;
  readonly union: boolean;
  /** Null when it is only declared. */
  readonly size: number | null;
  readonly align: number | null;
  readonly members: readonly Member[];
  readonly variantParts: readonly VariantPart[];
}

/** An enumeration of plain values. */
export interface EnumerationType {
  readonly kind: 'enumeration';
  readonly path: string;
  readonly size: number | null;
  readonly enumerators: readonly { readonly name: string; readonly value: string }[];
}

export type DwarfType =
  | CompositeType
  | EnumerationType
  | { readonly kind: 'base'; readonly path: string; readonly size: number | null; readonly encoding: number | null }
  /** `name` gives the language's own (`&mut T`, `fn(u32)`); null for C's. */
  | { readonly kind: 'pointer'; readonly name: (() => string) | null; readonly target: number | null }
  /** `counts` outermost first; null where unknown. */
  | { readonly kind: 'array'; readonly element: number | null; readonly counts: readonly (number | null)[] }
  /** typedef, const, volatile: means its target. */
  | { readonly kind: 'alias'; readonly name: string | null; readonly target: number | null }
  /** Of a function, or unspecified: never part of a value. */
  | { readonly kind: 'opaque'; readonly name: string | null };

/** A function that the language gave no name but a number, as closures and coroutines. */
export interface NumberedFunction {
  /** `app::main::{closure#0}`. */
  readonly path: string;
  readonly linkageName: string;
}

/** What a function takes and gives. Types are keys of {@link TypeTable.types}; null for `()`. */
export interface DescribedFunction {
  readonly linkageName: string;
  /** With generic arguments: `core::mem::drop<u32>`. */
  readonly path: string;
  readonly returns: number | null;
  readonly parameters: readonly (number | null)[];
}

/** A static: which type it has. */
export interface DescribedStatic {
  readonly linkageName: string;
  readonly type: number;
}

/** A vtable of Rust: a constant that no symbol names. */
export interface DescribedVtable {
  /** `<app::Square as app::Shape>`. */
  readonly name: string;
  readonly place: Place;
}

export interface TypeTable {
  /** By offset in .debug_info. Declarations that some other entry completes are left out. */
  readonly types: ReadonlyMap<number, DwarfType>;
  readonly functions: readonly NumberedFunction[];
  readonly statics: readonly DescribedStatic[];
  readonly vtables: readonly DescribedVtable[];
}
