// Archives (ar): static libraries and rlibs. Members are listed at once, opened when asked for, and found by the
// archive's own symbol index. There is no one specification: the GNU form is described in the gABI ("Archive File"),
// BSD's in its ar(5), thin archives in the documentation of GNU ar. Reading members is read-object's business.
import { LIMITS } from '../bytes/limits.js';
import type { ByteReader } from '../bytes/reader.js';
import { openWindows, wholeSource, type ByteSource, type Windows } from '../bytes/source.js';
import { decodeText } from '../bytes/text.js';
import { IpbpError, hex } from '../codes/error.js';
import { decodedIndex, inModelNames, readArchiveIndex } from './archive-index.js';
import type { ArchiveIndex, IndexKind, VisitSymbol } from './archive-index.js';
import { detectFormat, SIGNATURE_SIZE } from './detect.js';
import type { MachineName, ObjectFile } from './object-file.js';
import { readObjectFile } from './read-object.js';
import { sliceFor } from './universal.js';

const HEADER_SIZE = 60;

/** One file inside. `offset` and `size` are those of its content in the archive. */
export interface ArchiveMember {
  readonly index: number;
  readonly name: string;
  readonly headerOffset: number;
  readonly offset: number;
  readonly size: number;
}

/** How an archive is laid out: Apple's linkers want BSD's form, all others GNU's. */
export type ArchiveForm = 'gnu' | 'apple';

/** An open archive. Results are kept, the archive's bytes are viewed and never copied. */
export interface Archive {
  readonly name: string;
  /** A thin archive only names its members' files; who opens it says how they are read. */
  readonly thin: boolean;
  /** What writes it again should give it: by what its first object is. */
  readonly form: ArchiveForm;
  /** Without the index and the table of long names. */
  readonly members: readonly ArchiveMember[];
  /** Indexes of the members that define a name, rising; the cheap way to ask, as it decodes no other name. */
  definersOf(symbol: string): readonly number[];
  /** Calls `visit` for every entry of the index, in its order: the name is bytes [start, end), undecoded. */
  eachSymbol(visit: VisitSymbol): void;
  /** The whole index, decoded: symbol → indexes of members. */
  symbolIndex(): ReadonlyMap<string, readonly number[]>;
  memberBytes(index: number): Uint8Array;
  /** The member as an object; null for rustc's metadata and everything else that is no object. */
  member(index: number): ObjectFile | null;
}

/** Reads the file that a member of a thin archive names, by a path from the archive's folder. */
export type ReadMember = (name: string) => Uint8Array;

/**
 * Opens a GNU, BSD or thin archive; of a source only what is asked for is read. Without `readMember`, members of a thin
 * one are listed and not read: asking for one is IPBP1003. Of a universal file it is the part for `machine`.
 * @throws IpbpError IPBP1001 for a truncated one, IPBP1002 for a malformed one or no archive at all
 */
export function openArchive(
  input: Uint8Array | ByteSource,
  name: string,
  readMember: ReadMember | null = null,
  machine: MachineName | null = null,
): Archive {
  const source = sliceFor(input instanceof Uint8Array ? wholeSource(input) : input, name, machine);
  const file: Windows = openWindows(source, name);
  const start = source.read(0, Math.min(SIGNATURE_SIZE, source.size));
  if (detectFormat(start) !== 'archive') file.malformed('not an archive', { expected: '!<arch>' }, 0);
  const thin = start[2] === 0x74; // "!<t"
  const { members, indexMember } = listMembers(file, thin);
  const byOffset = new Map(members.map((member) => [member.headerOffset, member.index]));
  const opened = new Map<number, ObjectFile | null>();
  let index: ArchiveIndex | null = null;

  const memberAt = (at: number): ArchiveMember => {
    const member = members[at];
    if (member === undefined) file.malformed('no such member', { actual: `${at} of ${members.length}` }, 0);
    return member;
  };
  const archive: Archive = {
    name,
    thin,
    get form() {
      return holdsMacho() ? 'apple' : 'gnu';
    },
    members,
    definersOf: (symbol) => theIndex().definersOf(symbol),
    eachSymbol: (visit) => {
      theIndex().each(visit);
    },
    symbolIndex: () => theIndex().all(),
    memberBytes(at) {
      const member = memberAt(at);
      if (thin && readMember !== null) return readMember(member.name);
      if (thin) {
        throw new IpbpError('IPBP1003', 'a thin archive does not hold its members', {
          expected: 'an archive made without the T option of ar',
          actual: member.name,
          where: `${name}, offset ${hex(member.headerOffset)}`,
        });
      }
      return source.read(member.offset, member.size);
    },
    member(at) {
      let object = opened.get(at);
      if (object === undefined) opened.set(at, (object = openMember(archive, memberAt(at), machine)));
      return object;
    },
  };
  /** What its first object is, all are; other members are no objects. */
  const holdsMacho = (): boolean => {
    if (thin) return false;
    for (const { offset, size } of members) {
      const format = detectFormat(source.read(offset, Math.min(SIGNATURE_SIZE, size)));
      if (format !== null) return format === 'macho' || format === 'universal';
    }
    return false;
  };
  const theIndex = (): ArchiveIndex => {
    if (index !== null) return index;
    if (indexMember === null) return (index = indexFromMembers(archive));
    const read = readArchiveIndex(file.window(indexMember.offset, indexMember.size), indexMember.kind, byOffset);
    return (index = holdsMacho() ? inModelNames(read) : read);
  };
  return archive;
}

function openMember(archive: Archive, member: ArchiveMember, machine: MachineName | null): ObjectFile | null {
  // rustc wraps its metadata in an object file that must never be linked.
  if (member.name === 'lib.rmeta') return null;
  const bytes = archive.memberBytes(member.index);
  const format = detectFormat(bytes);
  if (format === null || format === 'archive' || format === 'bitcode') return null;
  return readObjectFile(bytes, `${archive.name}(${member.name})`, machine);
}

/** For archives without an index: what `ar s` would put there (defined global and weak symbols, commons). */
function indexFromMembers(archive: Archive): ArchiveIndex {
  const all = new Map<string, number[]>();
  for (const { index } of archive.members) {
    for (const symbol of archive.member(index)?.symbols ?? []) {
      if (symbol.binding === 'local' || symbol.section === 'undefined') continue;
      const definers = all.get(symbol.name);
      if (definers === undefined) all.set(symbol.name, [index]);
      else if (definers.at(-1) !== index) definers.push(index);
    }
  }
  return decodedIndex(all);
}

/** The content of the index member and its form. */
export interface IndexMember {
  readonly kind: IndexKind;
  readonly offset: number;
  readonly size: number;
}

function listMembers(file: Windows, thin: boolean): { members: ArchiveMember[]; indexMember: IndexMember | null } {
  const members: ArchiveMember[] = [];
  let indexMember: IndexMember | null = null;
  let longNames: Uint8Array | null = null;
  /** Characters of long names that are left: names that overlap could cost the square of their table. */
  let left = 0;
  let headerOffset = SIGNATURE_SIZE;
  while (headerOffset + HEADER_SIZE <= file.length) {
    const header = file.window(headerOffset, HEADER_SIZE);
    const field = header.text(16).trimEnd();
    header.skip(12 + 6 + 6 + 8); // time, owner, group, mode
    const size = decimal(header, header.text(10));
    if (header.u8() !== 0x60 || header.u8() !== 0x0a) {
      header.malformed('a member header does not end', { expected: '"`\\n"' }, HEADER_SIZE - 2);
    }
    let offset = headerOffset + HEADER_SIZE;
    const kind = indexKind(field);
    const special = kind !== null || field === '//';
    const stored = special || !thin;
    if (stored) file.check(offset, size);
    if (field === '//') {
      longNames = file.window(offset, size).bytes;
      left = LIMITS.nameReuse * size;
    } else if (kind !== null) indexMember ??= { kind, offset, size };
    else {
      if (members.length >= LIMITS.archiveMembers) header.malformed('too many archive members', {}, 0);
      let name = field;
      let contentSize = size;
      const bsd = /^#1\/(\d+)$/.exec(field);
      const long = /^\/(\d+)$/.exec(field);
      if (bsd !== null) {
        const length = Number(bsd[1]);
        if (length > size) header.malformed('a member is shorter than its name', {}, 0);
        name = file.window(offset, length).text(length).replace(/\0+$/, '');
        offset += length;
        contentSize -= length;
      } else if (long !== null) {
        name = longName(header, longNames, Number(long[1]));
        left -= name.length;
        if (left < 0) header.malformed('the names of members overlap too much', {}, 0);
      } else if (field.endsWith('/')) name = field.slice(0, -1);
      const bsdIndex = bsd === null ? null : indexKind(name);
      if (bsdIndex !== null) indexMember ??= { kind: bsdIndex, offset, size: contentSize };
      else members.push({ index: members.length, name, headerOffset, offset, size: contentSize });
    }
    const end = headerOffset + HEADER_SIZE + (stored ? size : 0);
    // Members start at even offsets; the last one's padding may be missing.
    headerOffset = end + (end % 2);
  }
  if (headerOffset < file.length) file.check(headerOffset, HEADER_SIZE);
  return { members, indexMember };
}

function indexKind(name: string): IndexKind | null {
  switch (name) {
    case '/':
      return 'gnu';
    case '/SYM64/':
      return 'gnu64';
    case '__.SYMDEF':
    case '__.SYMDEF SORTED':
      return 'bsd';
    case '__.SYMDEF_64':
    case '__.SYMDEF_64 SORTED':
      return 'bsd64';
    default:
      return null;
  }
}

function decimal(reader: ByteReader, text: string): number {
  const digits = text.trim();
  if (!/^\d{1,10}$/.test(digits)) {
    reader.malformed('a member size is no number', { actual: JSON.stringify(text) }, reader.position - 10);
  }
  return Number(digits);
}

/** A name of the `//` member: it ends in "/\n" (GNU), or NUL (COFF tools). */
function longName(header: ByteReader, table: Uint8Array | null, start: number): string {
  if (table === null || start >= table.length) {
    return header.malformed('a member name is not in the table of long names', { actual: `/${start}` }, 0);
  }
  let end = start;
  while (end < table.length && table[end] !== 0x0a && table[end] !== 0) end++;
  if (end - start > LIMITS.nameBytes) header.malformed('a member name is too long', {}, 0);
  const text = decodeText(table, start, end);
  return text.endsWith('/') ? text.slice(0, -1) : text;
}
