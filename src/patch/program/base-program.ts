// The program as it was built: its identity, names, bytes and libraries. Known by build id (or the hash of its code),
// never by a path. Nothing here changes; what patches did to it is in program.ts.
import { sha256 } from '@noble/hashes/sha2.js';
import { IpbpError } from '../../codes/error.js';
import type { ObjectFile, ObjectSymbol, Segment } from '../../formats/object-file.js';
import { isStableName, isUniqueName, LONE_SLOT_NAME, SLOT_NAME } from '../../link/names.js';
import { machineFor } from '../../reloc/machines.js';
import type { Machine } from '../../reloc/machine.js';
import type { ModuleIdentity } from '../image/image.js';
import { countSlotsApart, readStubsApart, type EntrySlot } from './stubs-apart.js';
import type { TabledFacts } from './tabled-facts.js';
import { indexSymbols, type ProgramItem, type SymbolIndex } from './symbol-index.js';

/** A shared library that the program needs; opened when a name is first looked up in it. */
export interface Library {
  readonly name: string;
  /** Null when there is no file to open (the kernel's own module, a library of a system that has them in one cache). */
  open(): ObjectFile | null;
}

export interface BaseProgram {
  readonly file: ObjectFile;
  readonly machine: Machine;
  readonly identity: ModuleIdentity;
  readonly items: ReadonlyMap<string, readonly ProgramItem[]>;
  /** True where local symbols say which source file they are from. */
  readonly namesSources: boolean;
  /** Number of functions that a patch could redirect, by their symbols. */
  readonly functions: number;
  /** Number of functions that are reached through a slot. */
  readonly slots: number;
  /** Lowest address of the program: patches lie below it. */
  readonly start: number;
  /** Offset from the thread pointer of the first byte of the program's thread-locals; null when it is not known. */
  readonly tlsStart: number | null;
  /** Of a program whose functions lie in no memory. */
  readonly tabled?: TabledFacts;
  /** True when this name, though defined here, means what a module before this one exports by it. */
  isPreempted(name: string): boolean;
  /** True when the program itself gets this name from a shared library: no archive of its own link defined it. */
  imports(name: string): boolean;
  /** True when other modules may mean its item by this name. */
  exports(name: string): boolean;
  /** What a shared library exports under this name, or null. */
  exported(name: string): { readonly data: boolean } | null;
  /**
   * True when a library of which there is no file may export this name: only the process can tell. Mangled names are none
   * of a system's.
   */
  mayExport(name: string): boolean;
  /** Bytes as they are in the file; null outside of what the file holds. */
  read(address: number, size: number): Uint8Array | null;
  /** What a function is reached through, where its address is that of a stub; null for all others. */
  slotOf(item: Pick<ProgramItem, 'name' | 'address' | 'size'>): EntrySlot | null;
  /** Functions by rising address, stubs and bodies among them; made at first use. */
  functionsByAddress(): readonly ProgramItem[];
  /** Protected as code. */
  isCode(address: number): boolean;
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** How a module is known: by its build id, or by the SHA-256 of the file's bytes of its code segment. */
export function identityOf(file: ObjectFile): ModuleIdentity {
  const linked = file.linked;
  if (linked === null) {
    throw new IpbpError('IPBP1002', 'this is no executable or shared library', { where: file.name });
  }
  // Without its directory: a patch has the same bytes wherever it is made.
  const name = fileName(file.name);
  if (linked.buildId !== null) return { name, kind: 'build-id', id: linked.buildId };
  const code = linked.segments.find((segment) => segment.executable);
  if (code === undefined) {
    throw new IpbpError('IPBP1002', 'a module without code cannot be identified', { where: file.name });
  }
  return {
    name,
    kind: 'text-sha256',
    id: sha256(file.range(code.offset, code.fileSize)),
  };
}

/** What a module gives to others, by name: the first of a name counts. */
function definedBy(module: ObjectFile | null): ReadonlyMap<string, ObjectSymbol> {
  const found = new Map<string, ObjectSymbol>();
  for (const symbol of module?.linked?.dynamicSymbols ?? []) {
    if (symbol.section === 'undefined' || symbol.binding === 'local' || found.has(symbol.name)) continue;
    found.set(symbol.name, symbol);
  }
  return found;
}

function readFrom(file: ObjectFile, segments: readonly Segment[], address: number, size: number): Uint8Array | null {
  const segment = segments.find((s) => address >= s.address && address + size <= s.address + s.fileSize);
  if (segment === undefined) return null;
  return file.range(segment.offset + (address - segment.address), size);
}

/** What only a process can tell of a library in it. Asked for when it is needed. */
export interface LoadedLibrary {
  /** How many of the other modules come before it where names are looked up. */
  readonly searchedBefore?: () => number;
  /** Offset of its thread-locals from the thread pointer, or null; undefined where it follows from the file. */
  readonly threadLocals?: () => number | null | undefined;
}

/**
 * Opens the executable that runs, or a library in it. `libraries`, the other modules in the order in which names are
 * looked up in them, are asked for when the first name is: a process tells which ones it has after its start.
 * @throws IpbpError IPBP3004 when it is stripped, IPBP3005 when it is not position independent, IPBP1003 for a machine
 *   that is not supported.
 */
export function openBaseProgram(
  file: ObjectFile,
  libraries: () => readonly Library[],
  loaded: LoadedLibrary = {},
): BaseProgram {
  const machine = machineFor(file.format, file.machine, file.name);
  if (!machine.hasAgent) {
    throw new IpbpError('IPBP1003', 'programs of this machine cannot be patched yet', {
      actual: `${file.format} ${file.machine}`,
      where: file.name,
    });
  }
  const { linked } = file;
  if (linked === null || file.kind === 'relocatable') {
    throw new IpbpError('IPBP1002', 'this is no executable', {
      expected: 'an executable',
      actual: file.kind,
      where: file.name,
    });
  }
  if (!linked.positionIndependent) {
    throw new IpbpError('IPBP3005', 'the executable is not position independent', { where: file.name });
  }
  // The dynamic table does not count: a stripped program still has the few names its libraries need.
  const bodies = file.countFunctions();
  if (bodies === 0) {
    throw new IpbpError('IPBP3004', 'the executable holds no symbols', {
      expected: 'a symbol table with functions',
      actual: `${file.symbols.length} symbols`,
      where: file.name,
    });
  }
  const slots = file.countNamed([SLOT_NAME, LONE_SLOT_NAME]) + countSlotsApart(file, machine);
  // Last, and only when a name is asked for: a program is ready to be patched before its symbols are read.
  let known: SymbolIndex | null = null;
  const index = (): SymbolIndex => (known ??= indexSymbols(file));
  let entered: ReadonlyMap<number, EntrySlot> | null = null;
  const apart = (): ReadonlyMap<number, EntrySlot> => (entered ??= readStubsApart(file, machine, index(), read));
  let sorted: readonly ProgramItem[] | null = null;
  let exports: Map<string, { data: boolean }> | null = null;
  let hidden = false;
  const exportsOf = (): Map<string, { data: boolean }> => {
    if (exports !== null) return exports;
    const found = new Map<string, { data: boolean }>();
    for (const library of libraries()) {
      const opened = library.open();
      // The kernel's own module has no path.
      if (opened === null && library.name.startsWith('/')) hidden = true;
      for (const [name, { kind }] of definedBy(opened)) {
        if (!found.has(name)) found.set(name, { data: kind === 'data' || kind === 'tls' });
      }
    }
    // Some systems have no files of their libraries, and need not list them among a process's modules.
    const seen = new Set(libraries().map(({ name }) => fileName(name)));
    if (linked.needed.some((name) => name.startsWith('/') && !seen.has(fileName(name)))) hidden = true;
    exports = found;
    return found;
  };
  const start = Math.min(...linked.segments.map((segment) => segment.address));
  let imported: ReadonlySet<string> | null = null;
  const importedNames = (): ReadonlySet<string> => {
    const undefinedOnes = linked.dynamicSymbols.filter((symbol) => symbol.section === 'undefined');
    return new Set(undefinedOnes.map((symbol) => symbol.name));
  };
  let exported: ReadonlyMap<string, ObjectSymbol> | null = null;
  const exportedNames = (): ReadonlyMap<string, ObjectSymbol> => (exported ??= definedBy(file));
  const isKept = (name: string): boolean => linked.keepsOwnNames && exportedNames().get(name)?.binding !== 'weak';
  let preempted: ReadonlySet<string> | null = null;
  const preemptedNames = (): ReadonlySet<string> => {
    const before = libraries().slice(0, loaded.searchedBefore?.() ?? 0);
    const theirs = before.flatMap((library) => [...definedBy(library.open()).keys()]);
    return new Set(theirs.filter((name) => exportedNames().has(name) && !isKept(name)));
  };
  const read = (address: number, size: number): Uint8Array | null => readFrom(file, linked.segments, address, size);
  return {
    file,
    machine,
    identity: identityOf(file),
    get items() {
      return index().items;
    },
    get namesSources() {
      return index().namesSources;
    },
    // A function with a slot has two symbols: its body's, and that of the stub before it.
    functions: bodies - slots,
    slots,
    start: Math.floor(start / machine.pageSize) * machine.pageSize,
    get tlsStart() {
      const told = loaded.threadLocals?.();
      if (told !== undefined) return told;
      return linked.tls === null ? 0 : machine.threadLocalsStart(linked.tls);
    },
    isPreempted: (name) => (preempted ??= preemptedNames()).has(name),
    imports: (name) => (imported ??= importedNames()).has(name),
    exports: (name) => exportedNames().has(name),
    exported: (name) => exportsOf().get(name) ?? null,
    mayExport(name) {
      exportsOf();
      return hidden && isStableName(name) && !isUniqueName(name);
    },
    read,
    slotOf({ name, address, size }) {
      const known = apart().get(address);
      if (known !== undefined) return known;
      // A stub stands behind its body, in one section with it: of several of this name, that is the nearest before.
      const before = (index().bodies.get(name) ?? []).filter((body) => body.address < address);
      const body = before.reduce<ProgramItem | null>(
        (nearest, one) => (nearest === null || one.address > nearest.address ? one : nearest),
        null,
      );
      const stub = body === null ? null : read(address, size);
      const at = stub === null ? null : machine.entryStubs.slotOf(stub, address);
      return body === null || at === null || !index().slots.has(at) ? null : { at, body };
    },
    functionsByAddress() {
      if (sorted !== null) return sorted;
      const bodies = [...apart().values()].map(({ body }) => body);
      const all = [...index().items.values(), bodies.length > 0 ? bodies : [...index().bodies.values()].flat()];
      sorted = all
        .flat()
        .filter((item) => item.kind === 'function')
        .sort((a, b) => a.address - b.address || b.size - a.size);
      return sorted;
    },
    isCode: (address) =>
      linked.segments.some((s) => s.executable && address >= s.address && address < s.address + s.memorySize),
  };
}

/** `build id 12ab…` or `code hash 12ab…`, for messages. */
export function identityText(identity: ModuleIdentity): string {
  const digits = [...identity.id].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${identity.kind === 'build-id' ? 'build id' : 'code hash'} ${digits}`;
}

/** True when both name the same build of the same module. */
export function sameIdentity(a: ModuleIdentity, b: { readonly kind: string; readonly id: Uint8Array }): boolean {
  return a.kind === b.kind && a.id.length === b.id.length && a.id.every((byte, i) => byte === b.id[i]);
}
