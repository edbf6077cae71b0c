// Where the fields of whole and sound files are, so that changes can be aimed: read here from the specifications' tables
// with plain offsets, apart from the readers under test.
import type { Field, Seed } from './mutations.js';

type Aims = Pick<Seed, 'fields' | 'hot' | 'records'>;

/** Sizes of an ELF header's fields behind its identification, of a section header's, and of others (gABI). */
const EHDR = [2, 2, 4, 8, 8, 8, 4, 2, 2, 2, 2, 2, 2] as const;
const SHDR = [4, 4, 8, 8, 8, 8, 4, 4, 8, 8] as const;
const PHDR = [4, 4, 8, 8, 8, 8, 8, 8] as const;
const SYM = [4, 1, 1, 2, 8, 8] as const;
const RELA = [8, 4, 4, 8] as const;
const DYN = [8, 8] as const;

/** By sh_type: what a section's entries consist of. */
const ENTRIES: ReadonlyMap<number, readonly number[]> = new Map<number, readonly number[]>([
  [2, SYM],
  [4, RELA],
  [6, DYN],
  [11, SYM],
  [17, [4]],
  [5, [4]],
  [0x6ffffff6, [4]],
]);
/** Entries of a section that count as fields: those of large tables would drown the headers. */
const MOST_ENTRIES = 24;

/** Fields one behind the other, from an offset on. */
function row(offset: number, sizes: readonly number[]): Field[] {
  let at = offset;
  return sizes.map((size) => ({ offset: (at += size) - size, size }));
}

/**
 * The fields of an ELF file: headers, symbols, relocations, dynamic entries, group and hash words.
 * @param hot names of the sections that other changes go to: by a prefix
 */
export function elfAims(bytes: Uint8Array, hot: readonly string[]): Aims {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [programs, sections] = [Number(view.getBigUint64(32, true)), Number(view.getBigUint64(40, true))];
  const [programCount, count, names] = [view.getUint16(56, true), view.getUint16(60, true), view.getUint16(62, true)];
  const fields: Field[] = [...row(16, EHDR), ...[4, 5, 6, 7].map((offset) => ({ offset, size: 1 }))];
  const records = [{ offset: sections, size: 64, count }];
  if (programCount > 0) records.push({ offset: programs, size: 56, count: programCount });
  for (let index = 0; index < programCount; index++) fields.push(...row(programs + 56 * index, PHDR));
  const word = (section: number, at: number): number => Number(view.getBigUint64(sections + 64 * section + at, true));
  const ranges: (readonly [number, number])[] = [];
  for (let index = 0; index < count; index++) {
    fields.push(...row(sections + 64 * index, SHDR));
    const [offset, size] = [word(index, 24), word(index, 32)];
    const type = view.getUint32(sections + 64 * index + 4, true);
    if (type === 8 || size === 0) continue;
    const name = textAt(bytes, word(names, 24) + view.getUint32(sections + 64 * index, true));
    if (hot.some((prefix) => name.startsWith(prefix))) ranges.push([offset, offset + size]);
    const sizes = ENTRIES.get(type);
    if (sizes === undefined) continue;
    const entry = sizes.reduce((sum, one) => sum + one, 0);
    const all = Math.floor(size / entry);
    records.push({ offset, size: entry, count: all });
    for (let at = 0; at < Math.min(all, MOST_ENTRIES); at++) fields.push(...row(offset + entry * at, sizes));
  }
  return { fields, hot: ranges, records };
}

/** The fields of an archive's member headers, and the first words of its first member: mostly the index. */
export function archiveAims(bytes: Uint8Array): Aims {
  const fields: Field[] = [];
  const hot: (readonly [number, number])[] = [];
  const thin = bytes[2] === 0x74;
  let at = 8;
  for (let member = 0; at + 60 <= bytes.length; member++) {
    const name = textAt(bytes, at).slice(0, 16);
    const size = Number(textAt(bytes, at + 48).slice(0, 10));
    fields.push(
      { offset: at, size: 16, digits: true },
      { offset: at + 1, size: 15, digits: true },
      { offset: at + 48, size: 10, digits: true },
      { offset: at + 48, size: 10, digits: true },
    );
    hot.push([at, at + 60]);
    const special = name.startsWith('/ ') || name.startsWith('//') || name.startsWith('/SYM64/');
    if (member < 2) {
      hot.push([at + 60, Math.min(bytes.length, at + 60 + size)]);
      for (let word = 0; word < Math.min(24, size / 4 - 1); word++)
        fields.push({ offset: at + 60 + 4 * word, size: 4 });
    }
    at += 60 + (thin && !special ? 0 : size + (size % 2));
  }
  return { fields, hot, records: [] };
}

/** Bytes whose every place may be the start of a number. */
export function plainAims(bytes: Uint8Array): Aims {
  const fields = Array.from({ length: Math.min(bytes.length, 400) }, (_, offset) => ({
    offset,
    size: [1, 4, 8, 2][offset % 4] ?? 1,
  }));
  return { fields, hot: [], records: [] };
}

/** Texts whose words and marks are moved about as records. */
export function textAims(bytes: Uint8Array): Aims {
  const records = [1, 2, 4, 8].map((size) => ({
    offset: 0,
    size,
    count: Math.max(1, Math.floor(bytes.length / size)),
  }));
  return { fields: [], hot: [], records };
}

function textAt(bytes: Uint8Array, start: number): string {
  let text = '';
  for (let at = start; at < bytes.length && bytes[at] !== 0 && text.length < 100; at++) {
    text += String.fromCharCode(bytes[at] ?? 0);
  }
  return text;
}
