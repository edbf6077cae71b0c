// String tables that grow: what is there keeps its place, so that names nobody changes need not be read.
import { ByteWriter } from '../../bytes/writer.js';

/** A string table with more names behind those it had. */
export interface GrowingNames {
  /** Offset of a name; equal new names share one. The empty name is at 0 (gABI "String Table"). */
  add(name: string): number;
  bytes(): Uint8Array;
}

/** Starts with the bytes of a string table, which may be empty. */
export function growNames(before: Uint8Array): GrowingNames {
  const added = new ByteWriter(1024);
  const offsets = new Map<string, number>();
  const start = Math.max(before.length, 1);
  return {
    add(name) {
      if (name === '') return 0;
      let offset = offsets.get(name);
      if (offset === undefined) {
        offset = start + added.length;
        offsets.set(name, offset);
        added.cstring(name);
      }
      return offset;
    },
    bytes() {
      if (added.length === 0) return before;
      const all = new Uint8Array(start + added.length);
      all.set(before);
      all.set(added.finish(), start);
      return all;
    },
  };
}
