// Types of values and functions, and limits of tables and memories: read, written, and as text. Core, "Types". Of garbage
// collected ones only references to them are read: no compiler of ours makes others.
import type { ByteReader } from '../../bytes/reader.js';
import { encodeText } from '../../bytes/text.js';
import type { ByteWriter } from '../../bytes/writer.js';
import { IpbpError } from '../../codes/error.js';
import * as wasm from './constants.js';

/** A type of one byte, or a reference to a heap type (signed: an index, or a negative short form). */
export type ValueType = number | { readonly nullable: boolean; readonly heap: number };

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** How large a table or memory is, and may become. */
export interface Limits {
  /** Shared between threads. */
  readonly shared: boolean;
  /** Its addresses have 64 bits. */
  readonly wide: boolean;
  readonly minimum: number;
  readonly maximum: number | null;
  /** Exponent of a page's size where that is not the usual one. */
  readonly pageExponent: number | null;
}

const NAMES = new Map<number, string>([
  [wasm.TYPE_I32, 'i32'],
  [wasm.TYPE_I64, 'i64'],
  [wasm.TYPE_F32, 'f32'],
  [wasm.TYPE_F64, 'f64'],
  [wasm.TYPE_V128, 'v128'],
  [wasm.TYPE_FUNCREF, 'funcref'],
  [wasm.TYPE_EXTERNREF, 'externref'],
]);

/** An index of one of the module's spaces: unsigned, 32 bits. */
export function readIndex(reader: ByteReader): number {
  const start = reader.position;
  const value = reader.uleb();
  if (value > 0xffff_ffff) reader.malformed('an index is too large', { expected: '32 bits' }, start);
  return value;
}

/** A part of such a section before it is known in how many bytes its length is written. */
export type WithoutWidth<T> = T extends unknown ? Omit<T, 'lengthWidth'> : never;

/**
 * The parts of a section that is a list of them: a number, a length and a window of that many bytes each.
 * @param section what it is called where a part holds less than its length says (IPBP1002)
 */
export function readParts<T extends object>(
  reader: ByteReader,
  section: string,
  read: (part: ByteReader, id: number) => T,
): (T & { readonly lengthWidth: number })[] {
  const parts: (T & { readonly lengthWidth: number })[] = [];
  while (!reader.ended) {
    const id = reader.u8();
    const before = reader.position;
    const size = readIndex(reader);
    const lengthWidth = reader.position - before;
    const part = reader.window(reader.position, size);
    reader.skip(size);
    parts.push({ ...read(part, id), lengthWidth });
    if (!part.ended) part.malformed(`a part of the ${section} section is longer than what it holds`);
  }
  return parts;
}

/** A name: length and UTF-8. */
export function readName(reader: ByteReader): string {
  return reader.text(readIndex(reader));
}

/** Length and UTF-8. */
export function writeName(writer: ByteWriter, name: string): void {
  const bytes = encodeText(name);
  writer.uleb(bytes.length).raw(bytes);
}

/** `count` entries; IPBP1001 before many were read where the count is larger than the bytes. */
export function readVector<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const count = readIndex(reader);
  const entries: T[] = [];
  for (let index = 0; index < count; index++) entries.push(read(reader));
  return entries;
}

/** IPBP1002 for what is none. */
export function readValueType(reader: ByteReader): ValueType {
  const start = reader.position;
  const byte = reader.u8();
  if (byte === wasm.TYPE_REF || byte === wasm.TYPE_REF_NULL) {
    return { nullable: byte === wasm.TYPE_REF_NULL, heap: reader.sleb() };
  }
  if (byte < wasm.TYPE_SHORT_FIRST || byte > wasm.TYPE_I32) {
    reader.malformed('no type of a value', { actual: `0x${byte.toString(16)}` }, start);
  }
  return byte;
}

/** As {@link readValueType} reads it. */
export function writeValueType(writer: ByteWriter, type: ValueType): void {
  if (typeof type === 'number') writer.u8(type);
  else writer.u8(type.nullable ? wasm.TYPE_REF_NULL : wasm.TYPE_REF).sleb(type.heap);
}

/** IPBP1003 for types of other forms. */
export function readFunctionType(reader: ByteReader): FunctionType {
  const start = reader.position;
  const form = reader.u8();
  if (form !== wasm.TYPE_FUNC) {
    throw new IpbpError('IPBP1003', 'this type is not supported', {
      expected: 'a function type',
      actual: `0x${form.toString(16)}`,
      where: reader.where(start),
    });
  }
  return { params: readVector(reader, readValueType), results: readVector(reader, readValueType) };
}

/** As {@link readFunctionType} reads it. */
export function writeFunctionType(writer: ByteWriter, { params, results }: FunctionType): void {
  writer.u8(wasm.TYPE_FUNC);
  for (const types of [params, results]) {
    writer.uleb(types.length);
    for (const type of types) writeValueType(writer, type);
  }
}

/** As text: `i32`, `ref 3`. */
export function valueTypeText(type: ValueType): string {
  if (typeof type === 'number') return NAMES.get(type) ?? `0x${type.toString(16)}`;
  return `ref ${type.nullable ? 'null ' : ''}${type.heap}`;
}

/** As text, the same for equal types: `(i32, i64) -> i32`. */
export function functionTypeText({ params, results }: FunctionType): string {
  const list = (types: readonly ValueType[]): string => types.map(valueTypeText).join(', ');
  return `(${list(params)}) -> ${results.length === 1 ? list(results) : `(${list(results)})`}`;
}

const NUMBERS = new Map([...NAMES].map(([number, name]) => [name, number]));

function parseValueType(text: string): ValueType {
  const number = NUMBERS.get(text) ?? (text.startsWith('0x') ? Number(text) : null);
  if (number !== null) return number;
  const [, nullable, heap] = /^ref (null )?(-?\d+)$/.exec(text) ?? [];
  if (heap === undefined) throw new RangeError(`no type of a value: ${text}`);
  return { nullable: nullable !== undefined, heap: Number(heap) };
}

/** The type that {@link functionTypeText} spells so. RangeError for another text. */
export function parseFunctionType(text: string): FunctionType {
  const [, params, many, one] = /^\(([^()]*)\) -> (?:\(([^()]*)\)|([^()]+))$/.exec(text) ?? [];
  const list = (types: string): ValueType[] => (types === '' ? [] : types.split(', ').map(parseValueType));
  if (params === undefined) throw new RangeError(`no type of a function: ${text}`);
  return { params: list(params), results: list(many ?? one ?? '') };
}

/** IPBP1002 for unknown flags. */
export function readLimits(reader: ByteReader): Limits {
  const start = reader.position;
  const flags = reader.u8();
  const known = wasm.LIMITS_HAS_MAXIMUM | wasm.LIMITS_SHARED | wasm.LIMITS_64 | wasm.LIMITS_PAGE_SIZE;
  if ((flags & ~known) !== 0) reader.malformed('unknown limits', { actual: `0x${flags.toString(16)}` }, start);
  const wide = (flags & wasm.LIMITS_64) !== 0;
  const size = (): number => (wide ? reader.uleb() : readIndex(reader));
  return {
    shared: (flags & wasm.LIMITS_SHARED) !== 0,
    wide,
    minimum: size(),
    maximum: (flags & wasm.LIMITS_HAS_MAXIMUM) === 0 ? null : size(),
    pageExponent: (flags & wasm.LIMITS_PAGE_SIZE) === 0 ? null : readIndex(reader),
  };
}

/** As {@link readLimits} reads it. */
export function writeLimits(writer: ByteWriter, limits: Limits): void {
  const { shared, wide, minimum, maximum, pageExponent } = limits;
  writer.u8(
    (maximum === null ? 0 : wasm.LIMITS_HAS_MAXIMUM) +
      (shared ? wasm.LIMITS_SHARED : 0) +
      (wide ? wasm.LIMITS_64 : 0) +
      (pageExponent === null ? 0 : wasm.LIMITS_PAGE_SIZE),
  );
  writer.uleb(minimum);
  if (maximum !== null) writer.uleb(maximum);
  if (pageExponent !== null) writer.uleb(pageExponent);
}
