// The symbol index of an archive: GNU's "/" and "/SYM64/" (big-endian, gABI "Archive File"), BSD's "__.SYMDEF" and
// "__.SYMDEF_64" (ranlib, in the machine's byte order, here little-endian).
import type { ByteReader } from '../bytes/reader.js';
import { LIMITS } from '../bytes/limits.js';
import { decodeText, encodeText } from '../bytes/text.js';
import { fileName, isMarked, markedName, modelName } from './macho/names.js';
import { indexNames, type NameIndex } from './name-index.js';

export type IndexKind = 'gnu' | 'gnu64' | 'bsd' | 'bsd64';

/** An entry: the name is bytes [start, end), `member` the index of the member that defines it. */
export type VisitSymbol = (bytes: Uint8Array, start: number, end: number, member: number) => void;

/** Which members define a symbol, by their indexes, rising. */
export interface ArchiveIndex {
  each(visit: VisitSymbol): void;
  definersOf(symbol: string): readonly number[];
  all(): ReadonlyMap<string, readonly number[]>;
}

/** An index of names that are decoded already. */
export function decodedIndex(all: ReadonlyMap<string, readonly number[]>): ArchiveIndex {
  return {
    each(visit) {
      for (const [name, members] of all) {
        const bytes = encodeText(name);
        for (const member of members) visit(bytes, 0, bytes.length, member);
      }
    },
    definersOf: (symbol) => all.get(symbol) ?? [],
    all: () => all,
  };
}

/**
 * Reads the index that `reader` is a window of; names stay undecoded until `all` is called. `memberAt` maps the offset of a
 * member's header to its index. Throws IPBP1001 or IPBP1002 for a broken index, also at a lookup that meets an offset with
 * no member.
 */
export function readArchiveIndex(
  reader: ByteReader,
  kind: IndexKind,
  memberAt: ReadonlyMap<number, number>,
): ArchiveIndex {
  switch (kind) {
    case 'gnu':
      return gnuIndex(reader, 4, memberAt);
    case 'gnu64':
      return gnuIndex(reader, 8, memberAt);
    case 'bsd':
      return bsdIndex(reader, 4, memberAt);
    case 'bsd64':
      return bsdIndex(reader, 8, memberAt);
  }
}

/** A count, that many member offsets, that many names in the same order. */
function gnuIndex(reader: ByteReader, wordSize: 4 | 8, memberAt: ReadonlyMap<number, number>): ArchiveIndex {
  const word = (): number => (wordSize === 4 ? reader.u32be() : reader.u64be());
  const count = word();
  reader.need(count * wordSize);
  const members = new Uint32Array(count);
  for (let entry = 0; entry < count; entry++) members[entry] = memberIndex(reader, word(), memberAt);
  const namesAt = reader.position;
  let names: NameIndex | null = null;
  const theNames = (): NameIndex => (names ??= indexNames(reader.seek(namesAt), count));
  return {
    // Without the index over the names, which costs more than the walk: a link looks at each once.
    each(visit) {
      const { bytes } = reader;
      let start = namesAt;
      for (let entry = 0; entry < count; entry++) {
        let end = start;
        while (end < bytes.length && bytes[end] !== 0) end++;
        if (end >= bytes.length) reader.seek(bytes.length).need(1);
        visit(bytes, start, end, members[entry] as number);
        start = end + 1;
      }
    },
    definersOf: (symbol) =>
      unique(
        theNames()
          .find(symbol)
          .map((entry) => members[entry] as number),
      ),
    all() {
      const all = new Map<string, number[]>();
      for (let entry = 0; entry < count; entry++) add(all, theNames().nameAt(entry), members[entry] as number);
      return tidy(all);
    },
  };
}

/** Pairs of name offset and member offset, then the names, which several pairs may share. */
function bsdIndex(reader: ByteReader, wordSize: 4 | 8, memberAt: ReadonlyMap<number, number>): ArchiveIndex {
  const word = (): number => (wordSize === 4 ? reader.u32() : reader.u64());
  const pairs = reader.window(reader.position + wordSize, word());
  reader.seek(wordSize + pairs.length);
  const namesSize = word();
  const names = reader.window(reader.position, namesSize);
  const pairWord = (): number => (wordSize === 4 ? pairs.u32() : pairs.u64());
  const count = Math.floor(pairs.length / (wordSize * 2));
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  const members = new Uint32Array(count);
  // Without this bound a hostile index could have one long name looked at a million times.
  let left = names.length * LIMITS.nameReuse;
  for (let entry = 0; entry < count; entry++) {
    const start = pairWord();
    names.seek(start).need(1);
    const end = names.bytes.indexOf(0, start);
    if (end < 0) names.malformed('a string does not end', { expected: 'a NUL byte' }, start);
    left -= end - start;
    if (left < 0) names.malformed('the names of an archive index overlap too much', {}, start);
    if (end - start > LIMITS.nameBytes) names.malformed('a name is too long', {}, start);
    starts[entry] = start;
    ends[entry] = end;
    members[entry] = memberIndex(pairs, pairWord(), memberAt);
  }
  let index: NameIndex | null = null;
  return {
    each(visit) {
      const { bytes } = names;
      for (let entry = 0; entry < count; entry++) {
        visit(bytes, starts[entry] as number, ends[entry] as number, members[entry] as number);
      }
    },
    definersOf: (symbol) =>
      unique((index ??= indexNames(names, count, starts)).find(symbol).map((entry) => members[entry] as number)),
    all() {
      const all = new Map<string, number[]>();
      for (let entry = 0; entry < count; entry++) {
        const name = decodeText(names.bytes, starts[entry], ends[entry]);
        add(all, name, members[entry] as number);
      }
      return tidy(all);
    },
  };
}

/** An index whose names are those of Mach-O files, by the names that the model has for them. */
export function inModelNames(index: ArchiveIndex): ArchiveIndex {
  return {
    each(visit) {
      index.each((bytes, start, end, member) => {
        if (isMarked(bytes, start, end)) {
          const marked = markedName(bytes, start, end);
          visit(marked, 0, marked.length, member);
        } else visit(bytes, Math.min(start + 1, end), end, member);
      });
    },
    definersOf: (symbol) => index.definersOf(fileName(symbol)),
    all: () => new Map(Array.from(index.all(), ([name, members]) => [modelName(name), members])),
  };
}

function memberIndex(reader: ByteReader, offset: number, memberAt: ReadonlyMap<number, number>): number {
  const index = memberAt.get(offset);
  if (index === undefined) {
    return reader.malformed('the archive index names a member that does not exist', { actual: `offset ${offset}` });
  }
  return index;
}

/** Sorts the members of every name and drops those named twice. */
function tidy(all: Map<string, number[]>): ReadonlyMap<string, readonly number[]> {
  for (const [name, members] of all) if (members.length > 1) all.set(name, unique(members));
  return all;
}

function add(all: Map<string, number[]>, name: string, member: number): void {
  const definers = all.get(name);
  if (definers === undefined) all.set(name, [member]);
  else definers.push(member);
}

function unique(members: number[]): number[] {
  return members.length < 2 ? members : [...new Set(members)].sort((a, b) => a - b);
}
