// What is given hostile input: each reader of bytes that are not ours, with its seeds, where changes are aimed, and what
// its errors must look like.
import { sha256 } from '@noble/hashes/sha2.js';
import { ByteReader } from '../../src/bytes/reader.js';
import { IpbpError } from '../../src/codes/error.js';
import { openArchive } from '../../src/formats/archive.js';
import type { SymbolColumns } from '../../src/formats/columns.js';
import { describeArchive, describeObject } from '../../src/formats/describe.js';
import { functionRanges, splitEhFrame } from '../../src/formats/dwarf/eh-frame.js';
import { cfaRule } from '../../src/formats/dwarf/frame-rules.js';
import { sameTypes } from '../../src/formats/dwarf/same-types.js';
import { readTypesAndFunctions } from '../../src/formats/dwarf/types.js';
import { readNotes } from '../../src/formats/elf/notes.js';
import { readElf } from '../../src/formats/elf/read.js';
import { readMacho } from '../../src/formats/macho/read.js';
import { isLinkerScript, parseLinkerScript } from '../../src/formats/linker-script.js';
import type { ObjectFile } from '../../src/formats/object-file.js';
import { readObjectFile, readObjectWith } from '../../src/formats/read-object.js';
import { readTextStub } from '../../src/formats/tbd/read.js';
import { stubView } from '../../src/formats/tbd/stub.js';
import { demangle, demangleWithHash, spellV0 } from '../../src/formats/symbols/demangle.js';
import { parseDynamicList, parseVersionScript } from '../../src/formats/version-script.js';
import { dylibEmitter } from '../../src/link/emit-dylib.js';
import type { DylibOptions } from '../../src/link/emit-dylib-options.js';
import { SHARED_OBJECT } from '../../src/link/emit-shared.js';
import { linkShared } from '../../src/link/shared.js';
import { DEFAULT_SHARED_OPTIONS, type SharedOptions } from '../../src/link/shared/options.js';
import { decodePatchFile } from '../../src/patch/image/image-file.js';
import { transactionOf } from '../../src/patch/image/transaction.js';
import * as frames from '../../src/patch/wire/frame-codec.js';
import { decodeInstruction } from '../../src/reloc/x86-64/decode.js';
import { machineFor } from '../../src/reloc/machines.js';
import { archiveAims, elfAims, plainAims, textAims } from './fields.js';
import { machoAims, readMachoWhole } from './macho.js';
import type { Seed } from './mutations.js';
import { PROGRAM } from './own-seeds.js';
import { each, some } from './parts.js';
import type { Shelf } from './seeds.js';
import { readWasmWhole, wasmAims } from './wasm.js';

/** A reader under test. */
export interface Target {
  readonly name: string;
  readonly shelf: Shelf;
  /** How many of a run's cases are its own, relative to others: what is quick and what goes deep gets more. */
  readonly weight: number;
  readonly aims: (bytes: Uint8Array) => Pick<Seed, 'fields' | 'hot' | 'records'>;
  /** After the changes: mends what would end every case at its door, such as a checksum. */
  readonly finish?: (bytes: Uint8Array) => Uint8Array;
  /** Reads all there is to read, and gives what it keeps in memory. */
  readonly read: (bytes: Uint8Array, seed: Seed) => unknown;
  /** Codes that it may refuse with. */
  readonly codes: RegExp;
  /** What its errors' `where` must hold; null where the message has no place to name. */
  readonly where: RegExp | null;
}

const FORMAT = { codes: /^IPBP100[123]$/, where: /, offset 0x[0-9a-f]+$/ } as const;
const NAME = 'hostile.o';

function readWhole(bytes: Uint8Array): unknown {
  const file = readElf(bytes, NAME);
  return each(
    () => describeObject(file, { relocationName: () => undefined }),
    () => file.countFunctions(),
    () => file.countNamed(['work', 'missing']),
    () => file.dynamicRelocations(),
    () => file.symbolColumns(),
    () => file.sections.map(({ index }) => file.relocationColumns(index)),
    () => namesOf(file.linked?.dynamicColumns() ?? null),
    () => file.linked?.dynamicSymbols.map(({ index }) => file.linked?.versionOf(index)),
  );
}

function namesOf(columns: SymbolColumns | null): unknown {
  return columns === null ? null : [columns, Array.from(columns.value, (_, index) => columns.nameOf(index))];
}

const LINK: SharedOptions = {
  ...DEFAULT_SHARED_OPTIONS,
  ...{ gc: true, keep: ['work'], unwindHeader: true, packRelative: true, textRelocations: true },
};

/** Links the object with and without dropping sections, and reads what is made. */
function linkObject(bytes: Uint8Array): unknown {
  const file = readElf(bytes, NAME);
  return each(...[LINK, DEFAULT_SHARED_OPTIONS].map((options) => () => linked(file, options)));
}

const DYLIB: DylibOptions = {
  identity: { name: NAME, currentVersion: 0, compatibilityVersion: 0 },
  build: { platform: 1, minimum: 0, sdk: 0 },
  fixups: 'chained',
  initOffsets: true,
  searchPaths: [],
  headerPad: 32,
  identifier: NAME,
  // The hashes of all pages say nothing of the input.
  signed: false,
  identified: false,
  modified: () => 0,
};

/** The same of a Mach-O object, for Apple's systems. */
function linkMacho(bytes: Uint8Array): unknown {
  const file = readMacho(bytes, NAME);
  const options = { ...DEFAULT_SHARED_OPTIONS, symbolic: 'strong', now: true } as const;
  return each(
    ...([true, false] as const).map((gc) => () => {
      const emitter = dylibEmitter({ ...DYLIB, fixups: gc ? 'chained' : 'opcodes' });
      const { bytes: made, errors } = linkShared([{ kind: 'object', file }], { ...options, gc }, emitter);
      if (errors[0] !== undefined) throw errors[0];
      return made?.length;
    }),
  );
}

/** The file itself is not held: the alignment that a broken object asks for makes it larger, up to LIMITS.linkedPadding. */
function linked(file: ObjectFile, options: SharedOptions): number {
  const { bytes, errors } = linkShared([{ kind: 'object', file }], options, SHARED_OBJECT);
  if (errors[0] !== undefined) throw errors[0];
  if (bytes === null) throw new Error('neither a file nor an error');
  try {
    describeObject(readElf(bytes, 'linked.so'), { relocationName: () => undefined });
  } catch (error) {
    // Notes and unwind records of a broken object are broken in what is linked of it, as with every linker.
    if (!(error instanceof IpbpError)) throw error;
  }
  return bytes.length;
}

function readDebug(bytes: Uint8Array, { bytes: sound }: Seed): unknown {
  const file = readObjectFile(bytes, NAME);
  return each(
    () => readTypesAndFunctions(file),
    () => compare(file, readObjectFile(sound, 'sound.o')),
  );
}

function compare(file: ObjectFile, other: ObjectFile): unknown {
  const names = new Set(other.symbols.map(({ name }) => name));
  return [sameTypes(file, other), sameTypes(other, file)?.compareSignatures(names)];
}

function readSplit(bytes: Uint8Array, { name, bytes: sound, partner }: Seed): unknown {
  const later = (content: Uint8Array): { name: string; read: () => Uint8Array } => ({
    name: NAME,
    read: () => content,
  });
  const other = partner ?? sound;
  const pair = (changed: Uint8Array): ObjectFile =>
    name.endsWith('.dwo')
      ? readObjectWith({ ...later(other), debugFile: later(changed) })
      : readObjectWith({ ...later(changed), debugFile: later(other) });
  const file = pair(bytes);
  return each(
    () => readTypesAndFunctions(file),
    () => compare(file, pair(sound)),
  );
}

function readUnwind(bytes: Uint8Array): unknown {
  const file = readObjectFile(bytes, NAME);
  const sections = file.sections.filter(({ kind }) => kind === 'unwind');
  return sections.flatMap((section) => {
    const where = `${NAME}: ${section.name}`;
    const content = file.sectionBytes(section.index);
    const relocations = file.linked === null ? file.relocations(section.index) : [];
    return each(
      () => splitEhFrame(content, relocations, where),
      () => functionRanges(content, section.address, where),
      () =>
        splitEhFrame(content, relocations, where).fdes.map(({ offset, pcRange }) =>
          [0, 1, 1000, pcRange].map((pc) => cfaRule(content, offset, pc, where)),
        ),
    );
  });
}

function readArchive(bytes: Uint8Array): unknown {
  const archive = openArchive(bytes, 'hostile.a');
  return each(
    () => describeArchive(archive),
    () => archive.definersOf('work'),
    () => archive.definersOf('missing'),
    ...archive.members.map(
      ({ index }) =>
        () =>
          archive.member(index)?.symbols,
    ),
  );
}

function readName(bytes: Uint8Array): unknown {
  const name = new TextDecoder().decode(bytes);
  return [demangle(name), demangleWithHash(name), spellV0(name)];
}

function readScript(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  return some(
    () => isLinkerScript(bytes) && parseLinkerScript(text, 'hostile.so'),
    () => shown((name) => parseVersionScript(text, 'hostile.map').shows(name)),
    () => shown(parseDynamicList(text, 'hostile.list')),
  );
}

function shown(shows: (name: string) => boolean | null): unknown {
  return ['work', 'a', '_ZN3foo3barE', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'].map((name) => shows(name));
}

function readPatch(bytes: Uint8Array): unknown {
  const { image } = decodePatchFile(bytes, 'hostile.ipbp');
  return frames.encodeTransaction(1, transactionOf(image, PROGRAM, { format: 'elf', machine: 'x86_64' }));
}

/** The checksum of seven in eight cases is mended: behind it begins what is worth reading. */
function mendChecksum(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 32 || (bytes[bytes.length >> 1] ?? 0) % 8 === 7) return bytes;
  const body = bytes.subarray(0, bytes.length - 32);
  bytes.set(sha256(body), body.length);
  return bytes;
}

function readFrame(bytes: Uint8Array): unknown {
  return some(
    () => frames.decodeFrameLength(bytes.subarray(0, 4), true),
    () => frames.decodeFrame(bytes, false),
    () => frames.decodeFrame(bytes.subarray(4), true),
    ...[
      frames.decodeTransaction,
      frames.decodeProgram,
      frames.decodeOpened,
      frames.decodeDone,
      frames.decodeReserved,
      frames.decodeHello,
      frames.decodeProof,
    ].flatMap((decode) => [() => decode(bytes), () => decode(bytes.subarray(16, Math.max(16, bytes.length - 32)))]),
  );
}

const MACHINES = (['x86_64', 'arm64'] as const).map((name) => {
  const machine = machineFor('elf', name, NAME);
  // Rows of code that may become other code.
  const rewritten = [...machine.rows.values()].filter((row) => /GOT|TLS|DTPOFF32/.test(row.name));
  return { machine, rewritten, distances: [...machine.rows.values()].filter((row) => row.expression.includes('S+A')) };
});
const GOALS = ['direct', 'initial-exec', 'local-exec'] as const;

function readCode(bytes: Uint8Array): unknown {
  const entry = 0x1000;
  const place = {
    entry,
    read: (address: number, size: number) =>
      address >= entry && address + size <= entry + bytes.length
        ? bytes.subarray(address - entry, address - entry + size)
        : null,
  };
  const all = MACHINES.map(({ machine, rewritten, distances }) =>
    Array.from(bytes, (_, at) => [
      machine.calls(bytes, at),
      machine.callBefore(bytes.subarray(Math.max(0, at - machine.longestCall), at), entry + at),
      ...rewritten.map((row) => GOALS.map((goal) => machine.rewrite(row, goal, bytes, at))),
      [true, false].map((near) => {
        const uses = distances.map((row) => ({ offset: at, row, addend: 0, symbol: 0 }));
        return machine.far.references(bytes, uses, near);
      }),
      machine.entryStubs.slotOf(bytes.subarray(at), entry + at),
    ]),
  );
  const whole = MACHINES.map(({ machine: { entry: jumps } }) => [
    jumps.decode(bytes, place),
    jumps.decode(bytes),
    jumps.isPadding(bytes, true),
  ]);
  return [all, whole, Array.from(bytes, (_, at) => decodeInstruction(bytes, at))];
}

const elf =
  (...hot: string[]) =>
  (bytes: Uint8Array): ReturnType<Target['aims']> =>
    elfAims(bytes, hot);

const macho =
  (...hot: string[]) =>
  (bytes: Uint8Array): ReturnType<Target['aims']> =>
    machoAims(bytes, hot);
const wholeMacho = (bytes: Uint8Array): unknown => readMachoWhole(bytes, NAME);

/** All of them. */
export const TARGETS: readonly Target[] = [
  { name: 'object', shelf: 'object', weight: 12, aims: elf(), read: readWhole, ...FORMAT },
  { name: 'linked', shelf: 'linked', weight: 8, aims: elf('.dyn', '.gnu', '.hash'), read: readWhole, ...FORMAT },
  {
    name: 'link',
    shelf: 'object',
    weight: 6,
    aims: elf('.rela', '.symtab', '.eh_frame'),
    read: linkObject,
    codes: /^IPBP(?:100[123]|20\d\d)$/,
    where: /./,
  },
  { name: 'debug', shelf: 'object', weight: 8, aims: elf('.debug'), read: readDebug, ...FORMAT },
  { name: 'split', shelf: 'split', weight: 4, aims: elf('.debug'), read: readSplit, ...FORMAT },
  { name: 'unwind', shelf: 'object', weight: 10, aims: elf('.eh_frame'), read: readUnwind, ...FORMAT },
  { name: 'unwind-linked', shelf: 'linked', weight: 6, aims: elf('.eh_frame'), read: readUnwind, ...FORMAT },
  { name: 'macho', shelf: 'macho', weight: 12, aims: macho(), read: wholeMacho, ...FORMAT },
  {
    name: 'macho-linked',
    shelf: 'macho-linked',
    weight: 10,
    aims: macho('linkedit', '__unwind', '__eh'),
    read: wholeMacho,
    ...FORMAT,
  },
  {
    name: 'macho-link',
    shelf: 'macho',
    weight: 6,
    aims: macho('__comp', '__eh', 'symtab'),
    read: linkMacho,
    codes: /^IPBP(?:100[123]|20\d\d)$/,
    where: /./,
  },
  { name: 'macho-debug', shelf: 'macho', weight: 4, aims: macho('__debug'), read: readDebug, ...FORMAT },
  { name: 'macho-unwind', shelf: 'macho', weight: 4, aims: macho('__eh', '__comp'), read: readUnwind, ...FORMAT },
  {
    name: 'wasm',
    shelf: 'wasm',
    weight: 12,
    aims: wasmAims,
    read: (bytes) => readWasmWhole(bytes, NAME),
    ...FORMAT,
  },
  { name: 'archive', shelf: 'archive', weight: 6, aims: archiveAims, read: readArchive, ...FORMAT },
  {
    name: 'scripts',
    shelf: 'scripts',
    weight: 12,
    aims: textAims,
    read: readScript,
    codes: /^IPBP1020$/,
    where: /hostile/,
  },
  {
    name: 'stubs',
    shelf: 'stubs',
    weight: 12,
    aims: textAims,
    read: (bytes) => stubView(readTextStub(bytes, NAME), 'arm64-macos'),
    codes: /^IPBP100[23]$/,
    where: /hostile/,
  },
  {
    name: 'notes',
    shelf: 'notes',
    weight: 6,
    aims: plainAims,
    read: (bytes) => [4, 8].map((align) => readNotes(new ByteReader(bytes, NAME), align)),
    ...FORMAT,
  },
  { name: 'names', shelf: 'names', weight: 20, aims: plainAims, read: readName, codes: /^never$/, where: null },
  { name: 'code', shelf: 'code', weight: 12, aims: plainAims, read: readCode, codes: /^never$/, where: null },
  {
    name: 'patch',
    shelf: 'patch',
    weight: 16,
    aims: plainAims,
    finish: mendChecksum,
    read: readPatch,
    codes: /^IPBP(?:100[12]|101[01]|200[25]|3010|4007)$/,
    where: null,
  },
  { name: 'frames', shelf: 'frame', weight: 20, aims: plainAims, read: readFrame, codes: /^IPBP400[12]$/, where: null },
];
