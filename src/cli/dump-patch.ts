// A patch file as `ipbp dump` shows it, as lines and as records. Pure; the shape is patch/image/image.ts's.
import { hex } from '../codes/error.js';
import { identityText } from '../patch/program/base-program.js';
import type { PatchImage } from '../patch/image/image.js';
import { byteCount, counted } from './text.js';

/** A patch file that was decoded. */
export interface DecodedPatch {
  readonly image: PatchImage;
  readonly digest: Uint8Array;
}

function digits(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A heading and its indented lines; nothing when there are none. */
function block<T>(what: string, items: readonly T[], lineOf: (item: T) => string): string[] {
  return items.length === 0 ? [] : [`${what}: ${items.length}`, ...items.map((item) => `  ${lineOf(item)}`)];
}

/** A place in the process: the executable's own addresses, or `module 2 + 0x10`. */
function place(module: number, at: number): string {
  return module === 0 ? hex(at) : `module ${module} + ${hex(at)}`;
}

/** Lines of a patch file. Addresses are the executable's: patches lie below it, at negative ones. */
export function patchLines({ image, digest }: DecodedPatch, name: string): string[] {
  const memory = image.segments.reduce((sum, segment) => sum + segment.size, 0);
  return [
    `${name}: patch ${digits(digest)}`,
    `  ${byteCount(memory)} of memory, thread-local room used to ${counted(image.tlsUsed, 'byte')}`,
    ...block('modules', image.modules, (module) => `${module.name} ${identityText(module)}`),
    ...block('after', image.after, digits),
    ...block('items', image.items, ({ verdict, kind, name: item, reason }) => {
      return `${verdict} ${kind} ${item}${reason === undefined ? '' : `: ${reason}`}`;
    }),
    ...block('warnings', image.warnings, ({ code, message }) => `${code} ${message}`),
    ...block('segments', image.segments, ({ protection, address, size, bytes }) => {
      return `${protection} ${hex(address)} ${size} bytes, ${bytes.length} given`;
    }),
    ...block('redirects', image.cells, ({ module, at, oldBytes, newBytes, guardFrom, guardTo }) => {
      return `${place(module, at)} ${digits(oldBytes)} → ${digits(newBytes)}, no thread in +${guardFrom}…+${guardTo}`;
    }),
    ...block('slots', image.slots, ({ module, at, oldTarget, newTarget }) => {
      return `${place(module, at)} → ${hex(newTarget)}, before ${hex(oldTarget)}`;
    }),
    ...block('symbols', image.symbols, ({ kind, address, size, name: symbol }) => {
      return `${kind} ${hex(address)} ${size} bytes ${symbol}`;
    }),
    ...block('rebases', image.rebases, ({ at, module, value }) => `${hex(at)} = ${place(module, value)}`),
    ...block(
      'thread-local words',
      image.tlsWords,
      ({ at, size, value }) => `${hex(at)} ${size} bytes = room + ${hex(value)}`,
    ),
    ...block(
      'thread-local values',
      image.tlsInit,
      ({ offset, length, at }) => `room + ${hex(offset)} ${length} bytes from ${hex(at)}`,
    ),
    ...block('imports', image.imports, ({ at, name: symbol, weak, addend }) => {
      return `${hex(at)} = ${symbol}${addend === 0 ? '' : ` + ${hex(addend)}`}${weak ? ' (weak)' : ''}`;
    }),
    ...block('checks', image.checks, ({ module, at, bytes }) => `${place(module, at)} ${digits(bytes)}`),
    ...(image.unwind === null ? [] : [`unwind table at ${hex(image.unwind)}`]),
    ...block('constructors', image.init, hex),
  ];
}

/** One record for the file, then one per thing in it; bytes as hex digits, those of segments as their number. */
export function patchRecords({ image, digest }: DecodedPatch, name: string): object[] {
  const { tlsUsed, unwind, init } = image;
  return [
    { file: { name, format: 'patch', digest: digits(digest), after: image.after.map(digits), tlsUsed, unwind, init } },
    ...image.modules.map((module) => ({ module: { ...module, id: digits(module.id) } })),
    ...image.items.map((item) => ({ item })),
    ...image.warnings.map((warning) => ({ warning })),
    ...image.segments.map(({ bytes, ...segment }) => ({ segment: { ...segment, bytes: bytes.length } })),
    ...image.cells.map(({ oldBytes, newBytes, ...cell }) => ({
      cell: { ...cell, oldBytes: digits(oldBytes), newBytes: digits(newBytes) },
    })),
    ...image.slots.map((slot) => ({ slot })),
    ...image.symbols.map((symbol) => ({ symbol })),
    ...image.rebases.map((rebase) => ({ rebase })),
    ...image.tlsWords.map((word) => ({ tlsWord: word })),
    ...image.tlsInit.map((tlsInit) => ({ tlsInit })),
    ...image.imports.map((entry) => ({ import: entry })),
    ...image.checks.map(({ bytes, ...check }) => ({ check: { ...check, bytes: digits(bytes) } })),
  ];
}
