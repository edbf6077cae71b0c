// Universal files: one file or archive for each of several machines, behind a table in big-endian order. Apple's
// <mach-o/fat.h>.
import type { ByteReader } from '../bytes/reader.js';
import { openWindows, wholeSource, type ByteSource } from '../bytes/source.js';
import { IpbpError } from '../codes/error.js';
import { detectFormat, SIGNATURE_SIZE } from './detect.js';
import { CPU_TYPE_ARM64, CPU_TYPE_X86_64 } from './macho/constants.js';
import type { MachineName } from './object-file.js';

const FAT_MAGIC_64 = 0xcafebabf;
const FAT_ARCH_SIZE = 20;
const FAT_ARCH_64_SIZE = 32;
/** Compiled Java classes begin with the same four bytes, and then a version that is larger than this. */
const MOST_SLICES = 44;
/** By what they are preferred: what every processor of the machine runs comes first. */
const CPU_SUBTYPE_X86_64_ALL = 3;
const CPU_SUBTYPE_ARM64_ALL = 0;

/** One machine's part. */
interface Slice {
  readonly machine: MachineName | null;
  /** Runs on every processor of the machine: not `arm64e`, not `x86_64h`. */
  readonly general: boolean;
  readonly offset: number;
  readonly size: number;
}

/**
 * The part of a universal file for `machine`, or for arm64 (x86_64 where there is none) if that is null; any other file as
 * it is. Offsets in the part are its own. `arm64e` only where there is no arm64.
 * @throws IpbpError IPBP1003 where it has no such part, IPBP1001 and IPBP1002 for a broken table
 */
export function sliceFor(source: ByteSource, name: string, machine: MachineName | null): ByteSource {
  if (detectFormat(source.read(0, Math.min(SIGNATURE_SIZE, source.size))) !== 'universal') return source;
  const slices = readSlices(source, name);
  const ofMachine = (wanted: MachineName): Slice | undefined => {
    const own = slices.filter((slice) => slice.machine === wanted);
    return own.find(({ general }) => general) ?? own[0];
  };
  const slice = machine === null ? (ofMachine('arm64') ?? ofMachine('x86_64')) : ofMachine(machine);
  if (slice === undefined) {
    throw new IpbpError('IPBP1003', 'a universal file has no part for this machine', {
      expected: machine ?? 'arm64 or x86_64',
      actual: slices.map((one) => one.machine ?? 'another machine').join(', '),
      where: `${name}, offset 0x0`,
    });
  }
  const { offset, size } = slice;
  return { size, read: (start, length) => source.read(offset + start, length) };
}

/** The same of a file that is there already, for the machine of its own choice. */
export function sliceOf(bytes: Uint8Array, name: string): Uint8Array {
  const slice = sliceFor(wholeSource(bytes), name, null);
  return slice.read(0, slice.size);
}

function readSlices(source: ByteSource, name: string): Slice[] {
  const file = openWindows(source, name);
  const header = file.window(0, 8);
  const wide = header.u32be() === FAT_MAGIC_64;
  const count = header.u32be();
  if (count > MOST_SLICES) {
    header.malformed('not a universal file', { expected: `at most ${MOST_SLICES} parts`, actual: `${count}` }, 4);
  }
  const table = file.window(8, count * (wide ? FAT_ARCH_64_SIZE : FAT_ARCH_SIZE));
  return Array.from({ length: count }, () => {
    const slice = readSlice(table, wide);
    file.check(slice.offset, slice.size);
    return slice;
  });
}

function readSlice(table: ByteReader, wide: boolean): Slice {
  const cpu = table.u32be();
  const subtype = table.u32be() % 0x100_0000; // the high byte holds capabilities
  const offset = wide ? table.u64be() : table.u32be();
  const size = wide ? table.u64be() : table.u32be();
  table.u32be(); // alignment
  if (wide) table.u32be();
  switch (cpu) {
    case CPU_TYPE_ARM64:
      return { machine: 'arm64', general: subtype === CPU_SUBTYPE_ARM64_ALL, offset, size };
    case CPU_TYPE_X86_64:
      return { machine: 'x86_64', general: subtype === CPU_SUBTYPE_X86_64_ALL, offset, size };
    default:
      return { machine: null, general: false, offset, size };
  }
}
