// What of Mach-O is given hostile input, and where the fields of a sound file are: read here from Apple's headers with
// plain offsets, apart from the readers under test.
import { readChainedFixups } from '../../src/formats/macho/chained-fixups.js';
import { readCodeSignature } from '../../src/formats/macho/code-signature.js';
import { readDyldInfo } from '../../src/formats/macho/dyld-info.js';
import { isMachoFile, type MachoFile } from '../../src/formats/macho/read.js';
import { readUnwindInfo } from '../../src/formats/macho/unwind-info.js';
import { readObjectFile } from '../../src/formats/read-object.js';
import type { Field, Seed } from './mutations.js';
import { each, partsOfModel } from './parts.js';

type Aims = Pick<Seed, 'fields' | 'hot' | 'records'>;

const LC_SYMTAB = 0x2;
const LC_DYSYMTAB = 0xb;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const LC_DYLD_INFO_ONLY = 0x8000_0022;
const LC_DYLD_CHAINED_FIXUPS = 0x8000_0034;
const FAT_MAGIC_BYTES = 0xcafebabe;

const HEADER = [4, 4, 4, 4, 4, 4, 4, 4] as const;
const SEGMENT = [4, 4, 8, 8, 8, 8, 8, 8, 4, 4, 4, 4] as const;
const SECTION = [8, 8, 8, 8, 8, 8, 4, 4, 4, 4, 4, 4, 4, 4] as const;
const NLIST = [4, 1, 1, 2, 8] as const;
/** Entries of a table that count as fields: those of large ones would drown the headers. */
const MOST_ENTRIES = 24;

/** Fields one behind the other, from an offset on. */
function row(offset: number, sizes: readonly number[]): Field[] {
  let at = offset;
  return sizes.map((size) => ({ offset: (at += size) - size, size }));
}

/**
 * The fields of a Mach-O file, or of a universal one and its first part: headers, load commands, symbols, relocations.
 * @param hot names of the sections that other changes go to: by a prefix; and `linkedit` for what commands lead to
 */
export function machoAims(bytes: Uint8Array, hot: readonly string[]): Aims {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fields: Field[] = [];
  const records: { offset: number; size: number; count: number }[] = [];
  const ranges: (readonly [number, number])[] = [];
  let base = 0;
  if (view.getUint32(0, false) === FAT_MAGIC_BYTES) {
    const parts = view.getUint32(4, false);
    fields.push(
      ...row(0, [4, 4]),
      ...row(
        8,
        Array.from({ length: parts * 5 }, () => 4),
      ),
    );
    records.push({ offset: 8, size: 20, count: parts });
    base = view.getUint32(16, false);
  }
  fields.push(...row(base, HEADER));
  const table = (offset: number, sizes: readonly number[], count: number): void => {
    const size = sizes.reduce((sum, one) => sum + one, 0);
    if (count > 0) records.push({ offset: base + offset, size, count });
    for (let at = 0; at < Math.min(count, MOST_ENTRIES); at++) fields.push(...row(base + offset + at * size, sizes));
  };
  let at = base + 32;
  for (let command = 0; command < view.getUint32(base + 16, true); command++) {
    const [type, size] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const word = (offset: number): number => view.getUint32(at + offset, true);
    if (type === LC_SEGMENT_64) {
      fields.push(...row(at, SEGMENT));
      const sections = word(64);
      if (sections > 0) records.push({ offset: at + 72, size: 80, count: sections });
      for (let index = 0; index < sections; index++) {
        const section = at + 72 + index * 80;
        fields.push(...row(section, SECTION));
        const [content, length] = [view.getUint32(section + 48, true), Number(view.getBigUint64(section + 40, true))];
        if (content > 0 && hot.some((prefix) => startsWith(bytes, section, prefix))) {
          ranges.push([base + content, base + content + length]);
        }
        table(view.getUint32(section + 56, true), [4, 4], view.getUint32(section + 60, true));
      }
    } else {
      fields.push(
        ...row(
          at,
          Array.from({ length: size / 4 }, () => 4),
        ),
      );
      if (type === LC_SYMTAB) table(word(8), NLIST, word(12));
      else if (type !== LC_DYSYMTAB && hot.includes('linkedit')) ranges.push(...linkedit(view, base, at, type));
    }
    at += size;
  }
  return { fields, hot: ranges.filter(([start, end]) => end > start && end <= bytes.length), records };
}

/** What linkedit_data_command and dyld_info_command lead to; of others, numbers that lead nowhere are left out above. */
function linkedit(view: DataView, base: number, at: number, type: number): (readonly [number, number])[] {
  const pairs = type === LC_DYLD_INFO_ONLY ? [8, 16, 24, 32, 40] : view.getUint32(at + 4, true) === 16 ? [8] : [];
  return pairs.map((pair) => {
    const [offset, size] = [view.getUint32(at + pair, true), view.getUint32(at + pair + 4, true)];
    return [base + offset, base + offset + size];
  });
}

function startsWith(bytes: Uint8Array, at: number, prefix: string): boolean {
  return [...prefix].every((letter, index) => bytes[at + index] === letter.charCodeAt(0));
}

/** Reads all there is in an object or a linked file. */
export function readMachoWhole(bytes: Uint8Array, name: string): unknown {
  const file = readObjectFile(bytes, name);
  return each(...partsOfModel(file), ...(isMachoFile(file) ? partsOf(file, name) : []));
}

function partsOf(file: MachoFile, name: string): (() => unknown)[] {
  const { macho } = file;
  const { commands, segments, sections } = macho.headers;
  const command = (type: number): ((at: number) => number) | null => {
    const found = commands.find((one) => one.type === type && one.size >= (type === LC_DYLD_INFO_ONLY ? 48 : 16));
    if (found === undefined) return null;
    const content = file.range(found.offset, found.size);
    const view = new DataView(content.buffer, content.byteOffset, content.length);
    return (at) => view.getUint32(at, true);
  };
  const [chains, info] = [command(LC_DYLD_CHAINED_FIXUPS), command(LC_DYLD_INFO_ONLY)];
  const signature = command(LC_CODE_SIGNATURE);
  const base = macho.linked?.base ?? 0;
  const whole = { file: file.bytes, name, segments };
  return [
    () => macho.debugMap(),
    () => macho.dataInCode(),
    () => macho.indirectSymbols(),
    () => macho.linked?.functionStarts(),
    () => macho.linked?.exports(),
    () => signature && readCodeSignature(file.range(signature(8), signature(12)), name, signature(8)),
    () => chains && readChainedFixups({ ...whole, base, offset: chains(8), size: chains(12) }),
    () => {
      const part = (at: number): { offset: number; size: number } => ({
        offset: info?.(at) ?? 0,
        size: info?.(at + 4) ?? 0,
      });
      return (
        info && readDyldInfo({ ...whole, rebase: part(8), bind: part(16), weakBind: part(24), lazyBind: part(32) })
      );
    },
    ...sections
      .filter((section) => section.name === '__unwind_info')
      .map(
        ({ offset, size }) =>
          () =>
            readUnwindInfo(file.range(offset, size), name, offset),
      ),
  ];
}
