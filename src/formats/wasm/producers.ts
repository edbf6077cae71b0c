// Small custom sections: which tools made a file (`producers`), which features it uses (`target_features`), what of
// dynamic linking it needs (`dylink.0`). Tool conventions, ProducersSection.md, Linking.md and DynamicLinking.md.
import type { ByteReader } from '../../bytes/reader.js';
import * as wasm from './constants.js';
import { readIndex, readName, readVector } from './value-types.js';

/** Fields such as `language` and `processed-by`. */
export interface Producer {
  readonly field: string;
  readonly values: readonly { readonly name: string; readonly version: string }[];
}

/** `+` the file uses it, `-` it must not be linked with what does. */
export interface TargetFeature {
  readonly prefix: string;
  readonly name: string;
}

/** What of `dylink.0` is of use. */
export interface DynamicLinking {
  readonly memorySize: number;
  /** Powers of two, as they stand there. */
  readonly memoryAlign: number;
  readonly tableSize: number;
  readonly tableAlign: number;
  readonly needed: readonly string[];
}

/** Reads the content of `producers`. */
export function readProducers(reader: ByteReader): Producer[] {
  return readVector(reader, (entry) => ({
    field: readName(entry),
    values: readVector(entry, (value) => ({ name: readName(value), version: readName(value) })),
  }));
}

/** Reads the content of `target_features`. */
export function readTargetFeatures(reader: ByteReader): TargetFeature[] {
  return readVector(reader, (entry) => ({ prefix: entry.text(1), name: readName(entry) }));
}

/** Reads the content of `dylink.0`. */
export function readDynamicLinking(reader: ByteReader): DynamicLinking {
  let sizes = { memorySize: 0, memoryAlign: 0, tableSize: 0, tableAlign: 0 };
  const needed: string[] = [];
  while (!reader.ended) {
    const id = reader.u8();
    const size = readIndex(reader);
    const part = reader.window(reader.position, size);
    reader.skip(size);
    if (id === wasm.WASM_DYLINK_MEM_INFO) {
      const [memorySize, memoryAlign] = [readIndex(part), readIndex(part)];
      sizes = { memorySize, memoryAlign, tableSize: readIndex(part), tableAlign: readIndex(part) };
    }
    if (id === wasm.WASM_DYLINK_NEEDED) needed.push(...readVector(part, readName));
  }
  return { ...sizes, needed };
}
