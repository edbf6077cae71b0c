// A section of the result: made of the inputs' by outputs.ts, given its place by place.ts.
import type { SectionKind } from '../../formats/object-file.js';

/** A part of the image that has a protection of its own, by the target's name for it; `none` for what is not loaded. */
export type Region = string;

export interface OutputSection {
  readonly number: number;
  readonly name: string;
  kind: SectionKind;
  readonly alloc: boolean;
  writable: boolean;
  executable: boolean;
  mergeable: boolean;
  strings: boolean;
  entrySize: number;
  align: number;
  region: Region;
  /** Numbers of the sections that it holds, in order. */
  readonly members: number[];
  size: number;
  /** No bytes in the file. */
  zero: boolean;
  address: number;
  /** In the file. */
  offset: number;
}
