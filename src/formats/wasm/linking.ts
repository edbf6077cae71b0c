// The linking section of relocatable objects: symbols, what segments are called, constructors, groups. Linking, "Linking
// Metadata Section".
import type { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import { IpbpError } from '../../codes/error.js';
import * as wasm from './constants.js';
import type { FileRange } from './module.js';
import { readIndex, readParts, readVector, type WithoutWidth, writeName } from './value-types.js';

/** A name and where its bytes lie in the file; an empty range for one that was made here. */
export interface FileName {
  readonly text: string;
  readonly range: FileRange;
}

export interface SegmentInfo {
  readonly name: string;
  /** A power of two. */
  readonly align: number;
  readonly flags: number;
}

/** A symbol as it stands in the table. */
export type LinkingSymbol =
  | {
      readonly kind: 'function' | 'global' | 'tag' | 'table';
      readonly flags: number;
      /** In the space of its kind. */
      readonly index: number;
      /** Null for one that has its import's name. */
      readonly name: FileName | null;
    }
  | {
      readonly kind: 'data';
      readonly flags: number;
      readonly name: FileName;
      /** Null where it is undefined. Of an absolute one the offset is its value. */
      readonly place: { readonly segment: number; readonly offset: number; readonly size: number } | null;
    }
  | { readonly kind: 'section'; readonly flags: number; readonly index: number };

/** A function that runs at the start: lower priorities first. */
export interface InitFunction {
  readonly priority: number;
  readonly symbol: number;
}

/** What of a file belongs to a group of which a program has one only. */
export interface Comdat {
  readonly name: string;
  readonly flags: number;
  /** Kind (WASM_COMDAT_…) and index. */
  readonly members: readonly { readonly kind: number; readonly index: number }[];
}

/** A part of the section. */
export type LinkingPart = { readonly lengthWidth: number } & (
  | { readonly kind: 'segments'; readonly segments: readonly SegmentInfo[] }
  | { readonly kind: 'init'; readonly functions: readonly InitFunction[] }
  | { readonly kind: 'comdats'; readonly comdats: readonly Comdat[] }
  | { readonly kind: 'symbols'; readonly symbols: readonly LinkingSymbol[] }
  | { readonly kind: 'other'; readonly id: number; readonly bytes: Uint8Array }
);

const LARGEST_ALIGN = 31;

/** Reads a linking section's content. IPBP1003 for another version, IPBP1001 and IPBP1002 for broken ones. */
export function readLinking(reader: ByteReader): LinkingPart[] {
  const version = readIndex(reader);
  if (version !== wasm.LINKING_VERSION) {
    throw new IpbpError('IPBP1003', 'this version of the linking section is not supported', {
      expected: `${wasm.LINKING_VERSION}`,
      actual: `${version}`,
      where: reader.where(0),
    });
  }
  return readParts(reader, 'linking', readPart);
}

function readPart(part: ByteReader, id: number): WithoutWidth<LinkingPart> {
  switch (id) {
    case wasm.WASM_SEGMENT_INFO:
      return { kind: 'segments', segments: readVector(part, readSegmentInfo) };
    case wasm.WASM_INIT_FUNCS:
      return {
        kind: 'init',
        functions: readVector(part, (reader) => ({ priority: readIndex(reader), symbol: readIndex(reader) })),
      };
    case wasm.WASM_COMDAT_INFO:
      return { kind: 'comdats', comdats: readVector(part, readComdat) };
    case wasm.WASM_SYMBOL_TABLE:
      return { kind: 'symbols', symbols: readVector(part, readSymbol) };
    default:
      return { kind: 'other', id, bytes: part.take(part.remaining) };
  }
}

/** Reads a name and keeps where it is: symbols are asked for as columns, whose names are bytes. */
function readFileName(reader: ByteReader): FileName {
  const size = readIndex(reader);
  const range = { offset: reader.offset, size };
  return { text: reader.text(size), range };
}

function readSegmentInfo(reader: ByteReader): SegmentInfo {
  const name = readFileName(reader).text;
  const start = reader.position;
  const exponent = readIndex(reader);
  if (exponent > LARGEST_ALIGN) reader.malformed('an alignment is too large', { actual: `2^${exponent}` }, start);
  return { name, align: 2 ** exponent, flags: readIndex(reader) };
}

function readComdat(reader: ByteReader): Comdat {
  return {
    name: readFileName(reader).text,
    flags: readIndex(reader),
    members: readVector(reader, (member) => ({ kind: member.u8(), index: readIndex(member) })),
  };
}

const INDEXED = new Map([
  [wasm.SYMTAB_FUNCTION, 'function'],
  [wasm.SYMTAB_GLOBAL, 'global'],
  [wasm.SYMTAB_EVENT, 'tag'],
  [wasm.SYMTAB_TABLE, 'table'],
] as const);

function readSymbol(reader: ByteReader): LinkingSymbol {
  const start = reader.position;
  const number = reader.u8();
  const flags = readIndex(reader);
  const undefined_ = (flags & wasm.WASM_SYM_UNDEFINED) !== 0;
  if (number === wasm.SYMTAB_DATA) {
    const name = readFileName(reader);
    const place = undefined_ ? null : { segment: readIndex(reader), offset: reader.uleb(), size: reader.uleb() };
    return { kind: 'data', flags, name, place };
  }
  if (number === wasm.SYMTAB_SECTION) return { kind: 'section', flags, index: readIndex(reader) };
  const kind =
    INDEXED.get(number as 0) ?? reader.malformed('a symbol of an unknown kind', { actual: `${number}` }, start);
  const index = readIndex(reader);
  const named = !undefined_ || (flags & wasm.WASM_SYM_EXPLICIT_NAME) !== 0;
  return { kind, flags, index, name: named ? readFileName(reader) : null };
}

/** The section's content. */
export function encodeLinking(parts: readonly LinkingPart[]): Uint8Array {
  const w = new ByteWriter(4096).uleb(wasm.LINKING_VERSION);
  for (const part of parts) {
    const content = new ByteWriter(1024);
    const id = writePart(content, part);
    w.u8(id).uleb(content.length, part.lengthWidth).raw(content.finish());
  }
  return w.finish();
}

function writePart(w: ByteWriter, part: LinkingPart): number {
  switch (part.kind) {
    case 'segments':
      w.uleb(part.segments.length);
      for (const { name, align, flags } of part.segments) {
        writeName(w, name);
        w.uleb(Math.log2(align)).uleb(flags);
      }
      return wasm.WASM_SEGMENT_INFO;
    case 'init':
      w.uleb(part.functions.length);
      for (const { priority, symbol } of part.functions) w.uleb(priority).uleb(symbol);
      return wasm.WASM_INIT_FUNCS;
    case 'comdats':
      w.uleb(part.comdats.length);
      for (const { name, flags, members } of part.comdats) {
        writeName(w, name);
        w.uleb(flags).uleb(members.length);
        for (const { kind, index } of members) w.u8(kind).uleb(index);
      }
      return wasm.WASM_COMDAT_INFO;
    case 'symbols':
      w.uleb(part.symbols.length);
      for (const symbol of part.symbols) writeSymbol(w, symbol);
      return wasm.WASM_SYMBOL_TABLE;
    case 'other':
      w.raw(part.bytes);
      return part.id;
  }
}

function writeSymbol(w: ByteWriter, symbol: LinkingSymbol): void {
  switch (symbol.kind) {
    case 'data':
      w.u8(wasm.SYMTAB_DATA).uleb(symbol.flags);
      writeName(w, symbol.name.text);
      if (symbol.place !== null) w.uleb(symbol.place.segment).uleb(symbol.place.offset).uleb(symbol.place.size);
      return;
    case 'section':
      w.u8(wasm.SYMTAB_SECTION).uleb(symbol.flags).uleb(symbol.index);
      return;
    default: {
      const number = [...INDEXED].find(([, kind]) => kind === symbol.kind)?.[0] ?? 0;
      w.u8(number).uleb(symbol.flags).uleb(symbol.index);
      if (symbol.name !== null) writeName(w, symbol.name.text);
    }
  }
}
