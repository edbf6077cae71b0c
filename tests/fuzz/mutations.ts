// Changes to bytes as plain data: made by fast-check, so that a failing case shrinks and can be told in a line, and
// applied to whatever seed it is. Numbers in a change are taken modulo what there is; nothing here knows a format.
import * as fc from 'fast-check';

/** A place of a seed that means something: a number of `size` bytes, or one written out in decimal digits. */
export interface Field {
  readonly offset: number;
  readonly size: number;
  readonly digits?: boolean;
}

/** What changes are applied to. */
export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly fields: readonly Field[];
  /** Ranges [start, end) that most changes go to; all of the bytes where there are none. */
  readonly hot: readonly (readonly [number, number])[];
  /** Runs of equal records, such as section headers: one may be laid over another, which makes overlaps and cycles. */
  readonly records: readonly { readonly offset: number; readonly size: number; readonly count: number }[];
  /** A file that belongs to it and is not changed. */
  readonly partner: Uint8Array | null;
}

const KINDS = ['field', 'byte', 'flip', 'word', 'record', 'copy', 'fill', 'remove', 'insert', 'cut'] as const;

/** One change: its kind and three numbers, which mean what {@link mutate} makes of them. */
export type Change = readonly [kind: (typeof KINDS)[number], where: number, what: number, more: number];

const number = fc.nat(0xffff_ffff);
const change: fc.Arbitrary<Change> = fc.tuple(
  // Fields and records reach deepest; a cut or a shift ruins everything behind it.
  fc.oneof(
    { weight: 8, arbitrary: fc.constant('field' as const) },
    { weight: 3, arbitrary: fc.constant('record' as const) },
    { weight: 6, arbitrary: fc.constantFrom('byte' as const, 'flip' as const, 'word' as const) },
    { weight: 2, arbitrary: fc.constantFrom(...KINDS) },
  ),
  number,
  number,
  number,
);

/** Up to six changes; none is possible, too. */
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(change, { minLength: 1, maxLength: 6 });

/** The seed's bytes with the changes applied in order: always a copy. */
export function mutate(seed: Seed, list: readonly Change[]): Uint8Array {
  let bytes = new Uint8Array(seed.bytes);
  for (const one of list) bytes = apply(seed, bytes, one);
  return bytes;
}

function apply(seed: Seed, bytes: Uint8Array<ArrayBuffer>, [kind, where, what, more]: Change): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return bytes;
  const at = placeOf(seed, bytes.length, where, more);
  switch (kind) {
    case 'field': {
      const field = seed.fields[where % Math.max(1, seed.fields.length)];
      if (field !== undefined) setField(seed, bytes, field, what, more);
      return bytes;
    }
    case 'record': {
      const run = seed.records[where % Math.max(1, seed.records.length)];
      if (run === undefined) return bytes;
      const [from, to] = [what % run.count, more % run.count];
      const start = run.offset + from * run.size;
      if (start < bytes.length) bytes.copyWithin(run.offset + to * run.size, start, start + run.size);
      return bytes;
    }
    case 'byte':
      bytes[at] = what % 256;
      return bytes;
    case 'flip':
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (what % 8));
      return bytes;
    case 'word':
      setField(seed, bytes, { offset: at, size: [2, 4, 8, 4][more % 4] ?? 4 }, what, more);
      return bytes;
    case 'copy': {
      const from = what % bytes.length;
      bytes.copyWithin(at, from, from + 1 + (more % Math.min(256, bytes.length)));
      return bytes;
    }
    case 'fill':
      return bytes.fill([0, 0xff, 0x80, 0x01][what % 4] ?? 0, at, at + 1 + (more % 64));
    case 'remove': {
      const size = 1 + (more % 16);
      return joined(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + size)));
    }
    case 'insert':
      return joined(bytes.subarray(0, at), new Uint8Array(1 + (more % 16)).fill(what % 256), bytes.subarray(at));
    case 'cut':
      return bytes.slice(0, what % (bytes.length + 1));
  }
}

/** Three of four places lie in the hot ranges, where there are any. */
function placeOf(seed: Seed, length: number, where: number, more: number): number {
  const range = seed.hot[more % Math.max(1, seed.hot.length)];
  if (range === undefined || where % 4 === 0) return where % length;
  const [start, end] = range;
  return Math.min(length - 1, start + (where % Math.max(1, end - start)));
}

/** The extremes, what the field holds and its neighbours, what another field holds, and any number. */
function setField(seed: Seed, bytes: Uint8Array, field: Field, what: number, more: number): void {
  if (field.offset + field.size > bytes.length) return;
  const other = seed.fields[more % Math.max(1, seed.fields.length)] ?? field;
  const values: readonly (() => bigint)[] = [
    () => EXTREMES[more % EXTREMES.length] ?? 0n,
    () => EXTREMES[more % EXTREMES.length] ?? 0n,
    () => readField(bytes, field) + BigInt((more % 17) - 8),
    () => readField(bytes, field) * BigInt(2 + (more % 4)),
    () => readField(bytes, other),
    () => readField(bytes, other) - readField(bytes, field),
    () => BigInt(bytes.length) + BigInt((more % 5) - 2),
    () => BigInt(more),
    () => BigInt(more % bytes.length),
  ];
  writeField(bytes, field, values[what % values.length]?.() ?? 0n);
}

const EXTREMES: readonly bigint[] = [
  ...[0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xff00n, 0xfff1n, 0xfff2n, 0xffffn, 0x10000n],
  ...[0x7fff_ffffn, 0x8000_0000n, 0xffff_fff0n, 0xffff_ffffn, 0x1_0000_0000n, 2n ** 53n - 1n, 2n ** 53n],
  ...[2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 8n, 2n ** 64n - 1n],
];

function readField(bytes: Uint8Array, { offset, size, digits }: Field): bigint {
  const part = bytes.subarray(offset, offset + size);
  if (digits === true) return BigInt(/^\d+/.exec(String.fromCharCode(...part))?.[0] ?? '0');
  return part.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
}

function writeField(bytes: Uint8Array, { offset, size, digits }: Field, value: bigint): void {
  if (digits === true) {
    const text = value.toString().slice(0, size).padEnd(size);
    for (let index = 0; index < size; index++) bytes[offset + index] = text.charCodeAt(index);
    return;
  }
  let rest = BigInt.asUintN(size * 8, value);
  for (let index = 0; index < size; index++, rest /= 256n) bytes[offset + index] = Number(rest % 256n);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
