// A linked Mach-O file: header and load commands in front of segments that are laid out already, __LINKEDIT behind them,
// an identifier made of the content and a signature. mach-o/loader.h. What stands in __LINKEDIT others encode.
import { sha256 } from '@noble/hashes/sha2.js';
import { alignUp } from '../../bytes/align.js';
import { ByteWriter } from '../../bytes/writer.js';
import { encodeText } from '../../bytes/text.js';
import { codeSignatureSize, encodeCodeSignature, pageHashes, rehashPage } from './code-signature.js';
import * as macho from './constants.js';
import type { EncodedSymbols } from './encode-symbols.js';
import type { LoadedRange } from './loader-fixups.js';

/** One section, where it lies. */
export interface LinkedSection {
  readonly segment: string;
  readonly name: string;
  readonly address: number;
  readonly size: number;
  /** In the file; 0 for what is zero-filled. */
  readonly offset: number;
  /** A power of two, in bytes. */
  readonly align: number;
  /** Type and attributes. */
  readonly flags: number;
  /** Of stubs and pointers: their first row in the table of indirect symbols. */
  readonly indirect: number;
  /** Bytes of one stub. */
  readonly stubSize: number;
}

/** One segment. Segments rise by address and by offset; the first begins at offset 0, with the header. */
export interface LinkedSegment extends LoadedRange {
  readonly name: string;
  readonly memorySize: number;
  /** A subset of "rwx". */
  readonly protection: 'r' | 'rx' | 'rw';
  /** Not written any more once its fixups are done. */
  readonly readOnlyLater: boolean;
  readonly sections: readonly LinkedSection[];
}

/** A library that is needed, or the name of the one that is written. Versions are packed: 16, 8 and 8 bits. */
export interface LibraryName {
  readonly name: string;
  readonly currentVersion: number;
  readonly compatibilityVersion: number;
}

/** How a needed library is named, in the order of ordinals. */
export interface NeededLibrary extends LibraryName {
  readonly kind: 'needed' | 'weak' | 'reexported' | 'upward';
}

/** What the load commands say, but for where things lie in __LINKEDIT. */
export interface LinkedHeader {
  readonly machine: 'arm64' | 'x86_64';
  /** MH_DYLIB or MH_BUNDLE. */
  readonly fileType: number;
  /** Flags of the header. */
  readonly flags: number;
  /** What others name it by: of libraries only. */
  readonly identity: LibraryName | null;
  readonly needed: readonly NeededLibrary[];
  readonly searchPaths: readonly string[];
  /** The platform's number, the least version of it and the one it was made with, packed. */
  readonly build: { readonly platform: number; readonly minimum: number; readonly sdk: number };
  /** All but __LINKEDIT. */
  readonly segments: readonly LinkedSegment[];
  /** Which form the fixups have. */
  readonly fixups: 'chained' | 'opcodes';
  /** Without a signature, and without an identifier. */
  readonly unsigned?: boolean;
  readonly unidentified?: boolean;
}

/** What __LINKEDIT holds. */
export interface LinkEdit {
  readonly fixups:
    | { readonly kind: 'chained'; readonly data: Uint8Array }
    | {
        readonly kind: 'opcodes';
        readonly rebase: Uint8Array;
        readonly bind: Uint8Array;
        readonly weakBind: Uint8Array;
        readonly lazyBind: Uint8Array;
      };
  readonly exports: Uint8Array;
  readonly functionStarts: Uint8Array;
  readonly dataInCode: Uint8Array;
  readonly symbols: EncodedSymbols;
  /** Of stubs and pointers: the symbol of each, by index. */
  readonly indirect: readonly number[];
  /** By which name the signature knows the file. */
  readonly identifier: string;
}

/** Size of a page, to which segments are aligned in file and memory. */
export function pageSizeOf(machine: LinkedHeader['machine']): number {
  return machine === 'arm64' ? 0x4000 : 0x1000;
}

const PROTECTION = { r: 1, rw: 3, rx: 5 } as const;
const LIBRARY_COMMANDS = {
  needed: macho.LC_LOAD_DYLIB,
  weak: macho.LC_LOAD_WEAK_DYLIB,
  reexported: macho.LC_REEXPORT_DYLIB,
  upward: macho.LC_LOAD_UPWARD_DYLIB,
} as const;

interface Piece {
  readonly offset: number;
  readonly size: number;
}

/** Where everything in __LINKEDIT lies. */
type Pieces = Record<(typeof PIECES)[number], Piece>;
const PIECES = [
  'chained',
  'rebase',
  'bind',
  'weakBind',
  'lazyBind',
  'exports',
  'functionStarts',
  'dataInCode',
  'entries',
  'indirect',
  'strings',
  'signature',
] as const;

const PROGRAMS: ReadonlySet<string> = new Set(['rebase', 'bind', 'weakBind', 'lazyBind', 'indirect']);

/** Bytes of header and load commands. */
export function linkedHeaderSize(header: LinkedHeader): number {
  const nowhere = { offset: 0, size: 0 };
  const pieces = Object.fromEntries(PIECES.map((piece) => [piece, nowhere])) as Pieces;
  const symbols = { locals: 0, defined: 0, undefined: 0, indirect: 0 };
  const linkEdit = { address: 0, memorySize: 0, offset: 0, fileSize: 0 };
  return commandsOf(header, linkEdit, pieces, symbols).length;
}

/**
 * The whole file. `body` is all that lies before __LINKEDIT, room for the header included: whole pages.
 * The same bytes for the same content: its identifier is a hash of all else.
 */
export function writeLinked(body: Uint8Array, header: LinkedHeader, content: LinkEdit): Uint8Array<ArrayBuffer> {
  const page = pageSizeOf(header.machine);
  const last = header.segments.at(-1);
  if (last === undefined || body.length % page !== 0) throw new Error('internal: a linked file of no whole pages');
  const { fixups, symbols } = content;
  const indirect = new ByteWriter(content.indirect.length * 4);
  for (const index of content.indirect) indirect.u32(index);
  const { kind, ...tables } = fixups;
  const parts: Partial<Record<(typeof PIECES)[number], Uint8Array>> = {
    ...(kind === 'chained' && 'data' in tables ? { chained: tables.data } : tables),
    exports: content.exports,
    functionStarts: content.functionStarts,
    dataInCode: content.dataInCode,
    entries: symbols.entries,
    indirect: indirect.finish(),
    strings: symbols.strings,
  };
  let end = body.length;
  const pieces = Object.fromEntries(
    PIECES.map((piece) => {
      const offset = alignUp(end, piece === 'signature' ? 16 : 8);
      const signed = piece === 'signature' && header.unsigned !== true;
      const size = signed ? codeSignatureSize(content.identifier, offset) : (parts[piece]?.length ?? 0);
      end = size === 0 ? end : offset + size;
      // A program that does not exist is nowhere; a table without entries lies among the others.
      return [piece, { offset: size === 0 && PROGRAMS.has(piece) ? 0 : offset, size }];
    }),
  ) as Pieces;
  const linkEdit = {
    address: alignUp(last.address + last.memorySize, page),
    memorySize: alignUp(end - body.length, page),
    offset: body.length,
    fileSize: end - body.length,
  };
  const file = new Uint8Array(end);
  file.set(body);
  const commands = commandsOf(header, linkEdit, pieces, { ...symbols, indirect: content.indirect.length });
  file.set(commands);
  for (const piece of PIECES) {
    const bytes = parts[piece];
    if (bytes !== undefined && bytes.length > 0) file.set(bytes, pieces[piece].offset);
  }
  identify(file, header.unsigned === true ? end : pieces.signature.offset, commands, header, content.identifier);
  return file;
}

/** Fills in the identifier, a hash of the hashes of all pages, and the signature, which holds those hashes. */
function identify(file: Uint8Array, end: number, commands: Uint8Array, header: LinkedHeader, identifier: string): void {
  if (header.unsigned === true && header.unidentified === true) return;
  const hashed = file.subarray(0, end);
  const hashes = pageHashes(hashed);
  if (header.unidentified !== true) {
    const uuid = sha256(hashes).subarray(0, 16);
    // RFC 9562 §5.8: a UUID of a form of one's own.
    uuid[6] = ((uuid[6] as number) % 16) + 0x80;
    uuid[8] = ((uuid[8] as number) % 64) + 0x80;
    const at = uuidOffset(commands);
    file.set(uuid, at);
    rehashPage(hashes, hashed, at);
    rehashPage(hashes, hashed, at + 15);
  }
  if (header.unsigned === true) return;
  const text = header.segments[0] as LinkedSegment;
  const facts = { identifier, textOffset: text.offset, textSize: text.fileSize, executable: false };
  file.set(encodeCodeSignature(end, hashes, facts), end);
}

function uuidOffset(commands: Uint8Array): number {
  const view = new DataView(commands.buffer, commands.byteOffset, commands.byteLength);
  let at = macho.MACH_HEADER_64_SIZE;
  while (view.getUint32(at, true) !== macho.LC_UUID) at += view.getUint32(at + 4, true);
  return at + 8;
}

type Range = Pick<LinkedSegment, 'address' | 'memorySize' | 'offset' | 'fileSize'>;
type Counts = Pick<EncodedSymbols, 'locals' | 'defined' | 'undefined'> & { readonly indirect: number };

/** Header and load commands. */
function commandsOf(header: LinkedHeader, linkEdit: Range, pieces: Pieces, counts: Counts): Uint8Array {
  const w = new ByteWriter(4096);
  const { machine, fileType, flags } = header;
  w.u32(macho.MH_MAGIC_64).u32(machine === 'arm64' ? macho.CPU_TYPE_ARM64 : macho.CPU_TYPE_X86_64);
  // CPU_SUBTYPE_ARM64_ALL is 0, CPU_SUBTYPE_X86_64_ALL is 3.
  w.u32(machine === 'arm64' ? 0 : 3).u32(fileType);
  w.fill(8).u32(flags).u32(0);
  let count = 0;
  const command = (number: number, write: () => void): void => {
    const at = w.length;
    w.u32(number).u32(0);
    write();
    w.align(8);
    w.setU32(at + 4, w.length - at);
    count++;
  };
  const piece = (number: number, { offset, size }: Piece): void => {
    command(number, () => w.u32(offset).u32(size));
  };
  for (const segment of header.segments) command(macho.LC_SEGMENT_64, () => putSegment(w, segment));
  const last = { ...linkEdit, name: '__LINKEDIT', protection: 'r', readOnlyLater: false, sections: [] } as const;
  command(macho.LC_SEGMENT_64, () => putSegment(w, last));
  const { identity } = header;
  if (identity !== null) command(macho.LC_ID_DYLIB, () => putLibrary(w, identity));
  if (header.fixups === 'chained') {
    piece(macho.LC_DYLD_CHAINED_FIXUPS, pieces.chained);
    piece(macho.LC_DYLD_EXPORTS_TRIE, pieces.exports);
  } else {
    command(macho.LC_DYLD_INFO_ONLY, () => {
      for (const name of ['rebase', 'bind', 'weakBind', 'lazyBind', 'exports'] as const) {
        w.u32(pieces[name].offset).u32(pieces[name].size);
      }
    });
  }
  command(macho.LC_SYMTAB, () => {
    const total = counts.locals + counts.defined + counts.undefined;
    w.u32(pieces.entries.offset).u32(total).u32(pieces.strings.offset).u32(pieces.strings.size);
  });
  command(macho.LC_DYSYMTAB, () => {
    const { locals, defined } = counts;
    w.u32(0).u32(locals).u32(locals).u32(defined);
    w.u32(locals + defined).u32(counts.undefined);
    // Tables of contents, modules and references are of old; relocations are of objects.
    w.fill(6 * 4)
      .u32(pieces.indirect.offset)
      .u32(counts.indirect)
      .fill(4 * 4);
  });
  if (header.unidentified !== true) command(macho.LC_UUID, () => w.fill(16));
  const { platform, minimum, sdk } = header.build;
  command(macho.LC_BUILD_VERSION, () => w.u32(platform).u32(minimum).u32(sdk).u32(0));
  for (const library of header.needed) command(LIBRARY_COMMANDS[library.kind], () => putLibrary(w, library));
  for (const path of header.searchPaths) command(macho.LC_RPATH, () => w.u32(12).cstring(path));
  piece(macho.LC_FUNCTION_STARTS, pieces.functionStarts);
  piece(macho.LC_DATA_IN_CODE, pieces.dataInCode);
  if (header.unsigned !== true) piece(macho.LC_CODE_SIGNATURE, pieces.signature);
  w.setU32(16, count);
  w.setU32(20, w.length - macho.MACH_HEADER_64_SIZE);
  return w.finish();
}

function putName(w: ByteWriter, name: string): void {
  const bytes = encodeText(name);
  if (bytes.length > 16) throw new Error(`internal: ${name} is too long for a section or segment`);
  w.raw(bytes).fill(16 - bytes.length);
}

function putSegment(w: ByteWriter, segment: LinkedSegment): void {
  const { name, address, memorySize, offset, fileSize, readOnlyLater, sections } = segment;
  const protection = PROTECTION[segment.protection];
  putName(w, name);
  w.u64(address).u64(memorySize).u64(offset).u64(fileSize);
  w.u32(protection).u32(protection).u32(sections.length);
  w.u32(readOnlyLater ? macho.SG_READ_ONLY : 0);
  for (const section of sections) {
    putName(w, section.name);
    putName(w, section.segment);
    w.u64(section.address).u64(section.size).u32(section.offset).u32(Math.log2(section.align));
    w.u32(0).u32(0).u32(section.flags).u32(section.indirect).u32(section.stubSize).u32(0);
  }
}

/** dylib_command behind its first two fields: where the name is, a time stamp as of Apple's linkers, versions. */
function putLibrary(w: ByteWriter, { name, currentVersion, compatibilityVersion }: LibraryName): void {
  w.u32(24).u32(2).u32(currentVersion).u32(compatibilityVersion).cstring(name);
}
