// A module's known sections as data, one shape for each: what decode-sections.ts reads and encode-sections.ts writes.
// Indexes count imports first, as the module does.
import type { FunctionType, Limits, ValueType } from './value-types.js';

/** Where something lies in the file. */
export interface FileRange {
  readonly offset: number;
  readonly size: number;
}

export interface TableType {
  readonly element: ValueType;
  readonly limits: Limits;
}

export interface GlobalType {
  readonly type: ValueType;
  readonly mutable: boolean;
}

/** What an import is. Function and tag: index of its type. */
export type ImportKind =
  | { readonly kind: 'function'; readonly type: number }
  | { readonly kind: 'table'; readonly table: TableType }
  | { readonly kind: 'memory'; readonly limits: Limits }
  | { readonly kind: 'global'; readonly global: GlobalType }
  | { readonly kind: 'tag'; readonly type: number };

export type Import = ImportKind & {
  readonly module: string;
  readonly field: string;
  /** Of the field's name. */
  readonly name: FileRange;
};

/** What can be imported and exported. */
export const EXTERN_KINDS = ['function', 'table', 'memory', 'global', 'tag'] as const;
export type ExternKind = (typeof EXTERN_KINDS)[number];

export interface Export {
  readonly name: string;
  readonly kind: ExternKind;
  readonly index: number;
}

export interface Table extends TableType {
  /** Constant expression, where there is one. */
  readonly initial: Uint8Array | null;
}

export interface Global extends GlobalType {
  readonly initial: Uint8Array;
}

/** Where an element or data segment goes by itself; null when code puts it, or nothing does. */
export interface ActivePlace {
  /** Of the table or memory. */
  readonly index: number;
  /** A constant expression. */
  readonly offset: Uint8Array;
  /** The index is written although it is 0. */
  readonly explicit: boolean;
}

export interface ElementSegment {
  readonly place: ActivePlace | null;
  /** Without a place: only declares that its functions are referred to. */
  readonly declared: boolean;
  readonly type: ValueType;
  /** Indexes of functions, or constant expressions. */
  readonly items:
    | { readonly kind: 'functions'; readonly functions: readonly number[] }
    | { readonly kind: 'expressions'; readonly expressions: readonly Uint8Array[] };
}

export interface DataSegment {
  readonly place: ActivePlace | null;
  readonly bytes: Uint8Array;
  /** In the section's content; 0 where it was not read. */
  readonly start: number;
}

/** The code of one function: locals and instructions. */
export interface Body {
  readonly bytes: Uint8Array;
  /** In the section's content; 0 where it was not read. */
  readonly start: number;
  /** Bytes that its length takes, more than needed where it is padded; 0 for as many as are needed. */
  readonly lengthWidth: number;
}

/** What a section holds. Of a start section the function's index, of data count the count. */
export type SectionContent =
  | { readonly id: 'custom'; readonly name: string; readonly nameWidth: number; readonly bytes: Uint8Array }
  | { readonly id: 'type'; readonly types: readonly FunctionType[] }
  | { readonly id: 'import'; readonly imports: readonly Import[] }
  | { readonly id: 'function'; readonly types: readonly number[] }
  | { readonly id: 'table'; readonly tables: readonly Table[] }
  | { readonly id: 'memory'; readonly memories: readonly Limits[] }
  | { readonly id: 'global'; readonly globals: readonly Global[] }
  | { readonly id: 'export'; readonly exports: readonly Export[] }
  | { readonly id: 'start'; readonly function: number }
  | { readonly id: 'element'; readonly segments: readonly ElementSegment[] }
  | { readonly id: 'code'; readonly bodies: readonly Body[] }
  | { readonly id: 'data'; readonly segments: readonly DataSegment[] }
  | { readonly id: 'data count'; readonly count: number }
  | { readonly id: 'tag'; readonly types: readonly number[] };

export type SectionId = SectionContent['id'];

/** A section to be written. `lengthWidth` is as in {@link Body}. */
export type ModuleSection = SectionContent & { readonly lengthWidth: number };
