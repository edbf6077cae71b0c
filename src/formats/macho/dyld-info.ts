// The programs of LC_DYLD_INFO as they are read: which pointers dyld fills and how, and those it fills at the first call.
// mach-o/loader.h, `struct dyld_info_command`. Its counterpart is encode-dyld-info.ts.
import { ByteReader } from '../../bytes/reader.js';
import { IpbpError } from '../../codes/error.js';
import * as op from './dyld-opcodes.js';
import type { LoadedRange, LoaderBind, LoaderFixups, LoaderImport, LoaderRebase } from './loader-fixups.js';

/** A part of the file; of size 0 where there is none. */
export interface FilePart {
  readonly offset: number;
  readonly size: number;
}

/** Where the programs are, and what they work on. */
export interface DyldInfoSource {
  /** The whole file. */
  readonly file: Uint8Array;
  readonly name: string;
  /** All segments, in order. */
  readonly segments: readonly LoadedRange[];
  readonly rebase: FilePart;
  readonly bind: FilePart;
  readonly weakBind: FilePart;
  readonly lazyBind: FilePart;
}

/** What the programs do. Weak ones work on what was rebased or bound before; the imports of all are in one table. */
export interface DyldInfo extends LoaderFixups {
  readonly weakBinds: readonly LoaderBind[];
  readonly lazyBinds: readonly LoaderBind[];
  /** Names that the file defines, and that others' weak definitions give way to. */
  readonly strongDefinitions: readonly string[];
}

/**
 * Runs the programs of a file, without changing anything.
 * @throws IpbpError IPBP1001, IPBP1002, IPBP1003 for operations of 32-bit or threaded files
 */
export function readDyldInfo(source: DyldInfoSource): DyldInfo {
  const imports = importTable();
  const strongDefinitions: string[] = [];
  const run = (part: FilePart, kind: BindKind): LoaderBind[] => {
    return runBinds(part, kind, source, imports.index, strongDefinitions);
  };
  return {
    rebases: runRebases(source),
    binds: run(source.bind, 'eager'),
    weakBinds: run(source.weakBind, 'weak'),
    lazyBinds: run(source.lazyBind, 'lazy'),
    imports: imports.all,
    strongDefinitions,
  };
}

type BindKind = 'eager' | 'weak' | 'lazy';

function importTable(): { readonly all: LoaderImport[]; index(entry: LoaderImport): number } {
  const all: LoaderImport[] = [];
  const known = new Map<string, number>();
  return {
    all,
    index(entry) {
      const key = `${entry.library} ${entry.weak} ${entry.name}`;
      const found = known.get(key) ?? all.push(entry) - 1;
      known.set(key, found);
      return found;
    },
  };
}

/** Where a program stands: a segment and an offset in it. */
interface Cursor {
  /** Goes to an offset in the segment with this index. */
  set(segment: number, offset: number): void;
  /** Any 64 bits: backwards by what wraps around. */
  add(distance: number): void;
  /** The address of a pointer there, and its content; counts it. */
  take(): { readonly address: number; readonly content: ByteReader };
}

function cursorOf({ file, name, segments }: DyldInfoSource, r: ByteReader): Cursor {
  const contents = segments.map(({ offset, fileSize }) => new ByteReader(file, name).window(offset, fileSize));
  // Pointers do not overlap, so there are not more than this; a program could repeat itself without end.
  let room = segments.reduce((sum, { fileSize }) => sum + Math.ceil(fileSize / 4), 0);
  let index = -1;
  let offset = 0;
  return {
    set(segment, at) {
      if (segments[segment] === undefined) r.malformed('a pointer to be fixed up lies in no segment');
      index = segment;
      offset = at;
    },
    add(distance) {
      offset += distance;
      if (!Number.isSafeInteger(offset)) r.malformed('a pointer to be fixed up lies in no segment');
    },
    take() {
      const segment = segments[index];
      const content = contents[index];
      if (segment === undefined || content === undefined || offset < 0 || offset + op.POINTER_SIZE > content.length) {
        return r.malformed('a pointer to be fixed up lies in no segment');
      }
      if (room-- <= 0) r.malformed('there are more pointers to be fixed up than the file has room for');
      return { address: segment.address + offset, content: content.seek(offset) };
    },
  };
}

/** An unsigned LEB128 of 64 bits, as a distance: what wraps around goes back. */
function distance(r: ByteReader): number {
  const start = r.position;
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = r.u8();
    value += BigInt(byte % 128) << shift;
    if (byte >= 128) continue;
    const signed = Number(BigInt.asIntN(64, value));
    if (!Number.isSafeInteger(signed) || value >= 1n << 64n) break;
    return signed;
  }
  return r.malformed('a distance is too large', {}, start);
}

function runRebases(source: DyldInfoSource): LoaderRebase[] {
  const { offset, size } = source.rebase;
  const r: ByteReader = new ByteReader(source.file, source.name).window(offset, size);
  const cursor = cursorOf(source, r);
  const rebases: LoaderRebase[] = [];
  const times = (count: number, skip: number): void => {
    for (let left = count; left > 0; left--) {
      const { address, content } = cursor.take();
      const [low, high] = [content.u32(), content.u32()];
      const target = (high % 2 ** 24) * 2 ** 32 + low;
      const tag = Math.floor(high / 2 ** 24);
      rebases.push(tag === 0 ? { address, target } : { address, target, tag });
      cursor.add(op.POINTER_SIZE + skip);
    }
  };
  while (!r.ended) {
    const byte = r.u8();
    const immediate = byte % 16;
    switch (byte - immediate) {
      case op.OPCODE_DONE:
        return rebases;
      case op.REBASE_SET_TYPE_IMM:
        if (immediate !== op.TYPE_POINTER) unsupported(r, `fixups of type ${immediate}`);
        break;
      case op.REBASE_SET_SEGMENT_AND_OFFSET_ULEB:
        cursor.set(immediate, r.uleb());
        break;
      case op.REBASE_ADD_ADDR_ULEB:
        cursor.add(distance(r));
        break;
      case op.REBASE_ADD_ADDR_IMM_SCALED:
        cursor.add(immediate * op.POINTER_SIZE);
        break;
      case op.REBASE_DO_IMM_TIMES:
        times(immediate, 0);
        break;
      case op.REBASE_DO_ULEB_TIMES:
        times(r.uleb(), 0);
        break;
      case op.REBASE_DO_ADD_ADDR_ULEB:
        times(1, distance(r));
        break;
      case op.REBASE_DO_ULEB_TIMES_SKIPPING_ULEB:
        times(r.uleb(), distance(r));
        break;
      default:
        unsupported(r, `operation ${byte}`);
    }
  }
  return rebases;
}

function unsupported(r: ByteReader, actual: string): never {
  const where = r.where(r.position - 1);
  throw new IpbpError('IPBP1003', 'dyld information of a form that is not read', { actual, where });
}

function runBinds(
  part: FilePart,
  kind: BindKind,
  source: DyldInfoSource,
  index: (entry: LoaderImport) => number,
  strongDefinitions: string[],
): LoaderBind[] {
  const r: ByteReader = new ByteReader(source.file, source.name).window(part.offset, part.size);
  const cursor = cursorOf(source, r);
  const binds: LoaderBind[] = [];
  let library = kind === 'weak' ? -3 : 0;
  let name: string | null = null;
  let weak = false;
  let addend = 0;
  const times = (count: number, skip: number): void => {
    if (name === null) r.malformed('a pointer is bound to no name');
    const symbol = index({ name, library, weak });
    for (let left = count; left > 0; left--) {
      binds.push({ address: cursor.take().address, symbol, addend });
      cursor.add(op.POINTER_SIZE + skip);
    }
  };
  while (!r.ended) {
    const byte = r.u8();
    const immediate = byte % 16;
    switch (byte - immediate) {
      case op.OPCODE_DONE:
        // Each lazy one ends so, as its call runs only that part; zeros behind the last are padding.
        if (kind !== 'lazy') return binds;
        break;
      case op.BIND_SET_DYLIB_ORDINAL_IMM:
        library = immediate;
        break;
      case op.BIND_SET_DYLIB_ORDINAL_ULEB:
        library = r.uleb();
        break;
      case op.BIND_SET_DYLIB_SPECIAL_IMM:
        library = immediate === 0 ? 0 : immediate - 16;
        break;
      case op.BIND_SET_SYMBOL_TRAILING_FLAGS_IMM:
        name = r.cstring();
        weak = immediate % 2 === op.SYMBOL_WEAK_IMPORT;
        if (immediate >= op.SYMBOL_NON_WEAK_DEFINITION) strongDefinitions.push(name);
        break;
      case op.BIND_SET_TYPE_IMM:
        if (immediate !== op.TYPE_POINTER) unsupported(r, `fixups of type ${immediate}`);
        break;
      case op.BIND_SET_ADDEND_SLEB:
        addend = r.sleb();
        break;
      case op.BIND_SET_SEGMENT_AND_OFFSET_ULEB:
        cursor.set(immediate, r.uleb());
        break;
      case op.BIND_ADD_ADDR_ULEB:
        cursor.add(distance(r));
        break;
      case op.BIND_DO:
        times(1, 0);
        break;
      case op.BIND_DO_ADD_ADDR_ULEB:
        times(1, distance(r));
        break;
      case op.BIND_DO_ADD_ADDR_IMM_SCALED:
        times(1, immediate * op.POINTER_SIZE);
        break;
      case op.BIND_DO_ULEB_TIMES_SKIPPING_ULEB:
        times(r.uleb(), distance(r));
        break;
      default:
        unsupported(r, `operation ${byte}`);
    }
  }
  return binds;
}
