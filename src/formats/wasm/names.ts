// The name section: what functions, globals and data segments of a module are called. Parts of it that nobody here asks
// for are kept as they are. Core, appendix "Name Section".
import type { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import * as wasm from './constants.js';
import { readIndex, readName, readParts, readVector, type WithoutWidth, writeName } from './value-types.js';

/** One name; entries come by rising index, each index once. */
export interface IndexName {
  readonly index: number;
  readonly name: string;
}

/** A part of the section. */
export type NamePart =
  | { readonly kind: 'module'; readonly name: string; readonly lengthWidth: number }
  | { readonly kind: NamedSpace; readonly names: readonly IndexName[]; readonly lengthWidth: number }
  | { readonly kind: 'other'; readonly id: number; readonly bytes: Uint8Array; readonly lengthWidth: number };

/** Spaces whose names are read, and the numbers of their parts. */
const SPACES = [
  ['function', wasm.NAME_FUNCTION],
  ['table', wasm.NAME_TABLE],
  ['memory', wasm.NAME_MEMORY],
  ['global', wasm.NAME_GLOBAL],
  ['element', wasm.NAME_ELEMENT],
  ['data', wasm.NAME_DATA],
] as const;
export type NamedSpace = (typeof SPACES)[number][0];

/** Reads a name section's content. IPBP1001 and IPBP1002 for broken ones. */
export function readNames(reader: ByteReader): NamePart[] {
  return readParts(reader, 'name', readPart);
}

function readPart(part: ByteReader, id: number): WithoutWidth<NamePart> {
  if (id === wasm.NAME_MODULE) return { kind: 'module', name: readName(part) };
  const space = SPACES.find(([, number]) => number === id);
  if (space === undefined) return { kind: 'other', id, bytes: part.take(part.remaining) };
  return { kind: space[0], names: readVector(part, readIndexName) };
}

function readIndexName(reader: ByteReader): IndexName {
  return { index: readIndex(reader), name: readName(reader) };
}

/** The names of one space; none where the section has no such part. */
export function namesIn(parts: readonly NamePart[], space: NamedSpace): readonly IndexName[] {
  return parts.flatMap((part) => (part.kind === space ? part.names : []));
}

/** The section's content. */
export function encodeNames(parts: readonly NamePart[]): Uint8Array {
  const w = new ByteWriter(4096);
  for (const part of parts) {
    const content = new ByteWriter(1024);
    switch (part.kind) {
      case 'module':
        writeName(content, part.name);
        break;
      case 'other':
        content.raw(part.bytes);
        break;
      default:
        content.uleb(part.names.length);
        for (const { index, name } of part.names) writeName(content.uleb(index), name);
    }
    w.u8(partNumber(part)).uleb(content.length, part.lengthWidth).raw(content.finish());
  }
  return w.finish();
}

function partNumber(part: NamePart): number {
  if (part.kind === 'module') return wasm.NAME_MODULE;
  if (part.kind === 'other') return part.id;
  return SPACES.find(([space]) => space === part.kind)?.[1] ?? 0;
}
