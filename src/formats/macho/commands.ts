// What single load commands say (Apple's <mach-o/loader.h>): names of libraries, the file's identity, and where in
// __LINKEDIT tables lie.
import type { ByteReader } from '../../bytes/reader.js';
import type { Windows } from '../../bytes/source.js';
import type { PlatformVersion } from '../object-file.js';
import * as macho from './constants.js';
import type { LoadCommand, MachoHeaders } from './header.js';

/** Where in dyld_info_command the exports' offset stands. */
const EXPORTS_OF_DYLD_INFO = 40;
/** Where in dysymtab_command the place of the indirect symbols stands. */
const INDIRECT_OF_DYSYMTAB = 56;
const DATA_IN_CODE_ENTRY_SIZE = 8;
const UUID_SIZE = 16;

function contentOf(file: Windows, { offset, size }: LoadCommand): ByteReader {
  return file.window(offset, size);
}

function find({ commands }: MachoHeaders, ...types: readonly number[]): LoadCommand | undefined {
  return commands.find(({ type }) => types.includes(type));
}

/** The table that a command leads to, whose offset stands at `field` and its size behind that. */
function tableOf(file: Windows, command: LoadCommand | undefined, field = 8): ByteReader | null {
  if (command === undefined) return null;
  const content = contentOf(file, command).seek(field);
  return file.window(content.u32(), content.u32());
}

/** The install names of all libraries that are loaded with the file, in the order by which symbols count them. */
export function neededLibraries(file: Windows, { commands }: MachoHeaders): string[] {
  return commands.filter(({ type }) => NEEDED.has(type)).map((command) => installName(file, command));
}

const NEEDED: ReadonlySet<number> = new Set([
  macho.LC_LOAD_DYLIB,
  macho.LC_LOAD_WEAK_DYLIB,
  macho.LC_REEXPORT_DYLIB,
  macho.LC_LOAD_UPWARD_DYLIB,
]);

/** The name under which a library wants to be known; null for what is none. */
export function ownInstallName(file: Windows, headers: MachoHeaders): string | null {
  const command = find(headers, macho.LC_ID_DYLIB);
  return command === undefined ? null : installName(file, command);
}

function installName(file: Windows, command: LoadCommand): string {
  const content = contentOf(file, command);
  const start = content.seek(8).u32();
  return content.seek(start).cstring();
}

/** LC_UUID: 16 bytes. */
export function uuidOf(file: Windows, headers: MachoHeaders): Uint8Array | null {
  const command = find(headers, macho.LC_UUID);
  return command === undefined ? null : contentOf(file, command).seek(8).take(UUID_SIZE);
}

/** Does the system's loader start it? */
export function hasLoader(headers: MachoHeaders): boolean {
  return find(headers, macho.LC_LOAD_DYLINKER) !== undefined;
}

/** Platforms of the commands that name one each. */
const OLD_PLATFORMS: ReadonlyMap<number, number> = new Map([
  [macho.LC_VERSION_MIN_MACOSX, macho.PLATFORM_MACOS],
  [macho.LC_VERSION_MIN_IPHONEOS, macho.PLATFORM_IOS],
  [macho.LC_VERSION_MIN_TVOS, macho.PLATFORM_TVOS],
  [macho.LC_VERSION_MIN_WATCHOS, macho.PLATFORM_WATCHOS],
]);

/** For which system the file is; null where it does not say. */
export function platformOf(file: Windows, headers: MachoHeaders): PlatformVersion | null {
  const command = find(headers, macho.LC_BUILD_VERSION, ...OLD_PLATFORMS.keys());
  if (command === undefined) return null;
  const content = contentOf(file, command).seek(8);
  const platform = OLD_PLATFORMS.get(command.type) ?? content.u32();
  return { platform, minimum: content.u32(), sdk: content.u32() };
}

/** The export trie, wherever it is; null where there is none. */
export function exportTrieOf(file: Windows, headers: MachoHeaders): ByteReader | null {
  const own = find(headers, macho.LC_DYLD_EXPORTS_TRIE);
  if (own !== undefined) return tableOf(file, own);
  return tableOf(file, find(headers, macho.LC_DYLD_INFO, macho.LC_DYLD_INFO_ONLY), EXPORTS_OF_DYLD_INFO);
}

/** The table of LC_FUNCTION_STARTS. */
export function functionStartsOf(file: Windows, headers: MachoHeaders): ByteReader | null {
  return tableOf(file, find(headers, macho.LC_FUNCTION_STARTS));
}

/** Data among instructions (LC_DATA_IN_CODE); offsets are the file's own, of objects addresses. */
export interface DataInCode {
  readonly offset: number;
  readonly size: number;
  /** DICE_KIND_DATA 1, JUMP_TABLE8 2, 16 3, 32 4, ABS_JUMP_TABLE32 5. */
  readonly kind: number;
}

/** What LC_DATA_IN_CODE lists. */
export function dataInCodeOf(file: Windows, headers: MachoHeaders): DataInCode[] {
  const table = tableOf(file, find(headers, macho.LC_DATA_IN_CODE));
  const entries: DataInCode[] = [];
  while (table !== null && table.remaining >= DATA_IN_CODE_ENTRY_SIZE) {
    entries.push({ offset: table.u32(), size: table.u16(), kind: table.u16() });
  }
  return entries;
}

/**
 * The symbols that stubs and pointers stand for, by the numbers of their sections (`reserved1`): numbers of the symbol
 * table, or INDIRECT_SYMBOL_LOCAL and _ABS in the high bits.
 */
export function indirectSymbolsOf(file: Windows, headers: MachoHeaders): Uint32Array {
  const command = find(headers, macho.LC_DYSYMTAB);
  if (command === undefined) return new Uint32Array(0);
  const content = contentOf(file, command).seek(INDIRECT_OF_DYSYMTAB);
  const offset = content.u32();
  const count = content.u32();
  const table = file.window(offset, count * 4);
  return Uint32Array.from({ length: count }, () => table.u32());
}
