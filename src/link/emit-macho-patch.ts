// A linked patch as a Mach-O library, signed ad hoc, that dyld opens. The patch's pages lie in it as they do in the patch's
// own space (emit-macho-segments.ts), behind pages of the library's own with its header and with what unwinders read
// (emit-macho-front.ts). Only new thread-locals are the loader's work: words are filled by the process once it is open
// (docs/protocol.md). mach-o/loader.h.
import { alignUp } from '../bytes/align.js';
import { IpbpError } from '../codes/error.js';
import * as macho from '../formats/macho/constants.js';
import { debugMapRows, type DebugMapFunction } from '../formats/macho/debug-map.js';
import { encodeDyldInfo } from '../formats/macho/encode-dyld-info.js';
import { encodeSymbols, type EncodedSymbols, type SymbolRow } from '../formats/macho/encode-symbols.js';
import { encodeFunctionStarts } from '../formats/macho/function-starts.js';
import { fileName } from '../formats/macho/names.js';
import {
  linkedHeaderSize,
  pageSizeOf,
  writeLinked,
  type LinkedHeader,
  type LinkedSegment,
} from '../formats/macho/write-linked.js';
import { frontOf } from './emit-macho-front.js';
import { descriptionSegment, machineOf, patchSegments, textSegment, wholePages } from './emit-macho-segments.js';
import type { PatchLibrary } from './patch-library.js';

type Content = Omit<PatchLibrary, 'at' | 'size' | 'description'>;
/** By which name dyld and the signature know every patch: it is opened by a path. */
const NAME = 'ipbp-patch.dylib';
const SYSTEM = '/usr/lib/libSystem.B.dylib';
/** What gives threads their copies: dyld binds the first word of every descriptor to it. */
const BOOTSTRAP = '__tlv_bootstrap';
const DESCRIPTOR_SIZE = 24;
/** Where nothing says which system the program is for: the first macOS of both machines. */
const MACOS_11 = { platform: macho.PLATFORM_MACOS, minimum: 0xb_0000, sdk: 0xb_0000 };

/** Bytes of the pages that the library has in front of the patch's. */
export function machoPatchFront(content: Content): number {
  const at = content.segments[0]?.address ?? 0;
  // Everywhere the tables have the same size.
  const library = { ...content, at, size: 0, description: new Uint8Array(0) };
  const segments = [textSegment(0, null), ...patchSegments(library, 0), descriptionSegment(0, 0, 0)];
  const { end } = frontOf(library, linkedHeaderSize(headerOf(library, segments)));
  return alignUp(end, pageSizeOf(machineOf(content)));
}

/**
 * The file's bytes: the same for the same patch.
 * @throws IpbpError IPBP2002, IPBP2004, IPBP2035 for a patch that such a library cannot hold
 */
export function emitMachoPatch(library: PatchLibrary): Uint8Array<ArrayBuffer> {
  const machine = machineOf(library);
  const page = pageSizeOf(machine);
  const { at, description, threadLocals } = library;
  const textSize = (library.segments[0]?.address ?? at) - at;
  const pages = patchSegments(library, textSize);
  const last = pages.at(-1);
  const filled = last === undefined ? textSize : last.offset + last.fileSize;
  const behind = alignUp(last === undefined ? textSize : last.address + last.memorySize, page);
  const extra = description === null ? [] : [descriptionSegment(behind, filled, description.length)];
  const others = [...pages, ...extra.map((segment) => wholePages(segment, page))];
  const front = frontOf(library, linkedHeaderSize(headerOf(library, [textSegment(textSize, null), ...others])));
  if (front.end > textSize) {
    const message = 'a patch has too little room in front of its pages';
    throw new IpbpError('IPBP2004', message, { expected: `${front.end} bytes`, actual: String(textSize) });
  }

  const { unwindInfo, frames } = front;
  const segments = [textSegment(textSize, { __unwind_info: unwindInfo, __eh_frame: frames }), ...others];
  const body = new Uint8Array(Math.max(...segments.map(({ offset, fileSize }) => offset + fileSize)));
  body.set(unwindInfo.bytes, unwindInfo.at);
  body.set(frames.bytes, frames.at);
  library.segments.forEach(({ bytes }, i) => body.set(bytes, (pages[i] as LinkedSegment).offset));
  for (const { offset } of extra) body.set(description ?? [], offset);
  const starts = (threadLocals?.descriptors ?? []).flatMap((range) => {
    // The last word of each holds its offset, so there are bytes for all of them.
    if (range.size > body.length) throw new IpbpError('IPBP2004', 'thread-locals of a patch are not in its data');
    return Array.from({ length: range.size / DESCRIPTOR_SIZE }, (_, i) => range.at + i * DESCRIPTOR_SIZE - at);
  });
  const { lazyOffsets: _, ...programs } = encodeDyldInfo(body, {
    imports: [{ name: BOOTSTRAP, library: 1, weak: false }],
    rebases: [],
    binds: starts.map((address) => ({ address, symbol: 0, addend: 0 })),
    lazyBinds: [],
    strongDefinitions: [],
    segments,
  });
  const functions = library.functions.map(({ address }) => address - at).sort((a, b) => a - b);
  return writeLinked(body, headerOf(library, segments), {
    fixups: { kind: 'opcodes', ...programs },
    exports: new Uint8Array(0),
    functionStarts: encodeFunctionStarts(functions),
    dataInCode: new Uint8Array(0),
    symbols: symbolsOf(library, segments, front.lengths, starts.length > 0),
    indirect: [],
    identifier: NAME,
  });
}

function headerOf(library: PatchLibrary, segments: readonly LinkedSegment[]): LinkedHeader {
  const flags = macho.MH_NOUNDEFS + macho.MH_DYLDLINK + macho.MH_TWOLEVEL;
  const version = { currentVersion: 0x1_0000, compatibilityVersion: 0x1_0000 };
  return {
    machine: machineOf(library),
    fileType: macho.MH_DYLIB,
    flags: flags + (library.threadLocals === null ? 0 : macho.MH_HAS_TLV_DESCRIPTORS),
    identity: { name: `@rpath/${NAME}`, ...version },
    needed: [{ name: SYSTEM, kind: 'needed', ...version }],
    searchPaths: [],
    build: library.platform ?? MACOS_11,
    segments,
    // Older systems than those that know chains open it, too; there is next to nothing to fix up.
    fixups: 'opcodes',
  };
}

/** Names of functions, for backtraces, with what leads to their objects' debug information. */
function symbolsOf(
  library: PatchLibrary,
  segments: readonly LinkedSegment[],
  lengths: ReadonlyMap<number, number>,
  bootstrap: boolean,
): EncodedSymbols {
  const sections = segments.flatMap((segment) => segment.sections);
  /** Its number and where the address is in the file; nothing for what is in none. */
  const placesOf = (address: number): { readonly section: number; readonly value: number }[] => {
    const value = address - library.at;
    const number = 1 + sections.findIndex((one) => value >= one.address && value < one.address + one.size);
    return number === 0 ? [] : [{ section: number, value }];
  };
  const known = new Set<string>();
  const functions = library.functions.toSorted((a, b) => a.address - b.address || (a.name < b.name ? -1 : 1));
  const locals = functions.flatMap(({ name, address }): SymbolRow[] => {
    if (known.has(`${address} ${name}`)) return [];
    known.add(`${address} ${name}`);
    return placesOf(address).map((place) => ({ name: fileName(name), type: macho.N_SECT, description: 0, ...place }));
  });
  const map = library.sources.map(({ object, functions: inside }) => {
    const described = inside.flatMap(({ name, address }): DebugMapFunction[] =>
      placesOf(address).map(({ section: number, value }) => {
        return { name: fileName(name), address: value, size: lengths.get(address) ?? 0, section: number };
      }),
    );
    return { source: object, object, modified: 0, functions: described, data: [] };
  });
  // N_UNDF of the first library, in which dyld looks for it.
  const missing = { name: BOOTSTRAP, type: macho.N_UNDF + macho.N_EXT, section: 0, description: 0x100, value: 0 };
  const undefinedRows = bootstrap ? [missing] : [];
  return encodeSymbols({ locals: [...debugMapRows(map), ...locals], defined: [], undefined: undefinedRows });
}
