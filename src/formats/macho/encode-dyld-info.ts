// The programs of LC_DYLD_INFO as they are written; what they are is in their counterpart, dyld-info.ts.
import { ByteWriter } from '../../bytes/writer.js';
import { IpbpError, hex } from '../../codes/error.js';
import * as op from './dyld-opcodes.js';
import type { LoadedRange, LoaderBind, LoaderFixups, LoaderImport } from './loader-fixups.js';

/** The programs. */
export interface EncodedDyldInfo {
  readonly rebase: Uint8Array;
  readonly bind: Uint8Array;
  readonly weakBind: Uint8Array;
  readonly lazyBind: Uint8Array;
  /** Where in the lazy program each lazy one begins: what its stub tells dyld. */
  readonly lazyOffsets: readonly number[];
}

/** What is to be written as programs. */
export interface DyldInfoRequest extends LoaderFixups {
  /** Filled at the first call. */
  readonly lazyBinds: readonly LoaderBind[];
  /** Names that the file defines, and that others' weak definitions give way to. */
  readonly strongDefinitions: readonly string[];
  /** The file's segments in order, at most 16 of them. */
  readonly segments: readonly LoadedRange[];
}

/**
 * Writes targets of rebases into `file`, which holds the segments, and gives the programs. Binds of library −3 are weak
 * ones: their pointer may be rebased or bound to what is nearest as well.
 * @throws IpbpError IPBP2004 for a place in no segment, or over another
 */
export function encodeDyldInfo(file: Uint8Array, request: DyldInfoRequest): EncodedDyldInfo {
  const { imports, binds, lazyBinds } = request;
  const libraryOf = (bind: LoaderBind): number => (imports[bind.symbol] as LoaderImport).library;
  const nameOf = (bind: LoaderBind): string => (imports[bind.symbol] as LoaderImport).name;
  const place = placer(request.segments);
  const eager = binds.filter((bind) => libraryOf(bind) !== -3);
  const weak = binds.filter((bind) => libraryOf(bind) === -3);
  const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  // One after another of a name; dyld merges the weak programs of all files by name, so these are sorted.
  eager.sort((a, b) => a.symbol - b.symbol || a.address - b.address);
  weak.sort((a, b) => byName(nameOf(a), nameOf(b)) || a.address - b.address);
  const lazyOffsets: number[] = [];
  const lazy = new ByteWriter();
  for (const bind of lazyBinds) {
    lazyOffsets.push(lazy.length);
    const { segment, offset } = place(bind.address);
    lazy.u8(op.BIND_SET_SEGMENT_AND_OFFSET_ULEB + segment).uleb(offset);
    putLibrary(lazy, libraryOf(bind));
    putSymbol(lazy, imports[bind.symbol] as LoaderImport);
    lazy.u8(op.BIND_DO).u8(op.OPCODE_DONE);
  }
  return {
    rebase: encodeRebases(file, request, place),
    bind: encodeBinds(eager, imports, place, []),
    weakBind: encodeBinds(weak, imports, place, request.strongDefinitions.toSorted(byName)),
    lazyBind: lazy.align(8).finish(),
    lazyOffsets,
  };
}

type Placer = (address: number) => { readonly segment: number; readonly offset: number; readonly fileOffset: number };

function placer(segments: readonly LoadedRange[]): Placer {
  return (address) => {
    const segment = segments.findIndex((one) => address >= one.address && address + 8 <= one.address + one.fileSize);
    const found = segments[segment];
    if (found === undefined || segment > 15) {
      const where = `address ${hex(address)}`;
      throw new IpbpError('IPBP2004', 'a pointer to be fixed up lies in no segment', { where });
    }
    const offset = address - found.address;
    return { segment, offset, fileOffset: found.offset + offset };
  };
}

function encodeRebases(file: Uint8Array, { rebases }: LoaderFixups, place: Placer): Uint8Array {
  if (rebases.length === 0) return new Uint8Array(0);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const w = new ByteWriter().u8(op.REBASE_SET_TYPE_IMM + op.TYPE_POINTER);
  let current = -1;
  let next = 0;
  let run = 0;
  const flush = (): void => {
    if (run > 0 && run < 16) w.u8(op.REBASE_DO_IMM_TIMES + run);
    if (run >= 16) w.u8(op.REBASE_DO_ULEB_TIMES).uleb(run);
    run = 0;
  };
  for (const { address, target, tag = 0 } of rebases.toSorted((a, b) => a.address - b.address)) {
    const { segment, offset, fileOffset } = place(address);
    if (segment === current && offset < next) {
      throw new IpbpError('IPBP2004', 'two pointers to be fixed up lie over one another', {
        expected: '8 bytes from the one before',
        where: `address ${hex(address)}`,
      });
    }
    view.setUint32(fileOffset, target % 0x1_0000_0000, true);
    view.setUint32(fileOffset + 4, Math.floor(target / 0x1_0000_0000) + tag * 2 ** 24, true);
    if (segment !== current || offset !== next) {
      flush();
      if (segment !== current) w.u8(op.REBASE_SET_SEGMENT_AND_OFFSET_ULEB + segment).uleb(offset);
      else putForward(w, offset - next);
    }
    run++;
    current = segment;
    next = offset + op.POINTER_SIZE;
  }
  flush();
  return w.u8(op.OPCODE_DONE).align(8).finish();
}

function putForward(w: ByteWriter, by: number): void {
  const words = by / op.POINTER_SIZE;
  if (Number.isInteger(words) && words < 16) w.u8(op.REBASE_ADD_ADDR_IMM_SCALED + words);
  else w.u8(op.REBASE_ADD_ADDR_ULEB).uleb(by);
}

/** Binds of one name lie behind one another; `strong` names without any are put in between, all sorted. */
function encodeBinds(
  binds: readonly LoaderBind[],
  imports: readonly LoaderImport[],
  place: Placer,
  strong: readonly string[],
): Uint8Array {
  if (binds.length === 0 && strong.length === 0) return new Uint8Array(0);
  const w = new ByteWriter();
  const left = [...strong];
  const putStrong = (before: string | null): void => {
    while (left[0] !== undefined && (before === null || left[0] < before)) {
      w.u8(op.BIND_SET_SYMBOL_TRAILING_FLAGS_IMM + op.SYMBOL_NON_WEAK_DEFINITION).cstring(left.shift() as string);
    }
  };
  let library = 0;
  let symbol = -1;
  let addend = 0;
  let current = -1;
  let next = 0;
  for (const bind of binds) {
    const entry = imports[bind.symbol] as LoaderImport;
    if (entry.library !== -3 && entry.library !== library) putLibrary(w, entry.library);
    library = entry.library;
    if (bind.symbol !== symbol) {
      putStrong(entry.name);
      putSymbol(w, entry);
      w.u8(op.BIND_SET_TYPE_IMM + op.TYPE_POINTER);
    }
    if (bind.addend !== addend) w.u8(op.BIND_SET_ADDEND_SLEB).sleb(bind.addend);
    const { segment, offset } = place(bind.address);
    if (segment !== current || offset < next) w.u8(op.BIND_SET_SEGMENT_AND_OFFSET_ULEB + segment).uleb(offset);
    else if (offset > next) w.u8(op.BIND_ADD_ADDR_ULEB).uleb(offset - next);
    w.u8(op.BIND_DO);
    ({ symbol, addend } = bind);
    current = segment;
    next = offset + op.POINTER_SIZE;
  }
  putStrong(null);
  return w.u8(op.OPCODE_DONE).align(8).finish();
}

function putLibrary(w: ByteWriter, library: number): void {
  if (library <= 0) w.u8(op.BIND_SET_DYLIB_SPECIAL_IMM + (library === 0 ? 0 : library + 16));
  else if (library < 16) w.u8(op.BIND_SET_DYLIB_ORDINAL_IMM + library);
  else w.u8(op.BIND_SET_DYLIB_ORDINAL_ULEB).uleb(library);
}

function putSymbol(w: ByteWriter, { name, weak }: LoaderImport): void {
  w.u8(op.BIND_SET_SYMBOL_TRAILING_FLAGS_IMM + (weak ? op.SYMBOL_WEAK_IMPORT : 0)).cstring(name);
}
