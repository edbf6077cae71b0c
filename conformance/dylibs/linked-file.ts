// A linked library as the comparison sees it: its bytes, and what LLVM's tools say that the loader does with it, exports,
// and how its code is unwound. Their words are taken apart here; what they do not accept fails.
import { readFileSync } from 'node:fs';
import { run } from '../setup/run.js';
import { N_EXT, N_SECT, N_STAB, readRaw, type RawMacho } from './object-file.js';

const OBJDUMP = 'llvm-objdump-22';

/** What the loader puts into a word. */
export interface Bind {
  readonly name: string;
  readonly addend: number;
  readonly library: string;
  readonly weak: boolean;
}

export interface UnwindRow {
  readonly start: number;
  readonly encoding: number;
}

export interface LinkedFile extends RawMacho {
  readonly binds: ReadonlyMap<number, Bind>;
  readonly rebases: ReadonlyMap<number, number>;
  /** Rebased words with their highest bit set. */
  readonly marked: ReadonlySet<number>;
  /** Name → kind and flags. */
  readonly exports: ReadonlyMap<string, string>;
  /** Address of each name that is defined once. */
  readonly defined: ReadonlyMap<string, number>;
  readonly unwind: readonly UnwindRow[];
  readonly lsdas: ReadonlyMap<number, number>;
  readonly personalities: readonly number[];
  /** Offset of an FDE in __eh_frame → the code that it describes. */
  readonly frames: ReadonlyMap<number, { readonly start: number; readonly end: number }>;
  /** Length and kind of each piece of data in code. */
  readonly dataInCode: readonly string[];
  /** Names of the libraries it needs. */
  readonly libraries: readonly string[];
}

/** Opens a library that a linker made. */
export function openLinked(path: string): LinkedFile {
  const raw = readRaw(new Uint8Array(readFileSync(path)), path);
  const said = (...options: string[]): string => run(OBJDUMP, ['--macho', ...options, path]);
  const binds = new Map<number, Bind>();
  const rebases = new Map<number, number>();
  const marked = new Set<number>();
  const putRebase = (address: number, target: bigint): void => {
    if (target >> 56n === 0x80n) marked.add(address);
    rebases.set(address, Number(BigInt.asUintN(56, target)));
  };
  const info = said('--dyld-info');
  for (const line of info.split('\n')) {
    const bound =
      /^\S+ +\S+ +(0x[0-9A-F]+) +\S+ +bind +(0x[0-9A-F]+|-0x[0-9A-F]+) +(\S+|<this-image>) +(\S+)( \(weak import\))?/.exec(
        line,
      );
    if (bound !== null) {
      const [, address, addend, library = '', name = '', weak] = bound;
      binds.set(Number(address), { name, addend: Number(addend), library, weak: weak !== undefined });
    }
    const rebased = /^\S+ +\S+ +(0x[0-9A-F]+) +\S+ +rebase +(0x[0-9A-F]+)/.exec(line);
    if (rebased !== null) putRebase(Number(rebased[1]), BigInt(rebased[2] ?? ''));
  }
  if (binds.size + rebases.size === 0) readOpcodes(raw, said, binds, putRebase);
  const exports = new Map<string, string>();
  for (const line of said('--exports-trie').split('\n')) {
    const found = /^(0x[0-9A-F]+) +(\S+)(.*)$/.exec(line);
    if (found !== null) exports.set(found[2] ?? '', (found[3] ?? '').trim());
  }
  const defined = new Map<string, number>();
  const twice = new Set<string>();
  for (const { name, type, value } of raw.symbols) {
    if ((type & N_STAB) !== 0 || (type & 0xe) !== N_SECT) continue;
    if (defined.has(name) && (type & N_EXT) === 0) twice.add(name);
    else defined.set(name, value);
  }
  for (const name of twice) defined.delete(name);
  const dataInCode = [...said('--data-in-code').matchAll(/^0x[0-9a-f]+ +(\d+) +(\S+)/gm)].map(([, size, kind]) => {
    return `${size} bytes of ${kind}`;
  });
  const libraries = [...said('--dylibs-used').matchAll(/^\t(\S+) \(/gm)].map(([, name = '']) => name);
  return {
    ...raw,
    binds,
    rebases,
    marked,
    exports,
    defined,
    ...unwindOf(raw, said('--unwind-info')),
    frames: framesOf(path),
    dataInCode,
    libraries,
  };
}

function readOpcodes(
  raw: RawMacho,
  said: (...options: string[]) => string,
  binds: Map<number, Bind>,
  putRebase: (address: number, target: bigint) => void,
): void {
  for (const line of said('--rebase').split('\n')) {
    const found = /^\S+ +\S+ +(0x[0-9A-F]+) +pointer/.exec(line);
    if (found === null) continue;
    const address = Number(found[1]);
    const section = raw.sections.find((one) => address >= one.address && address < one.address + one.size);
    if (section === undefined) throw new Error(`${raw.path}: a rebase of nothing at ${found[1]}`);
    putRebase(address, raw.view.getBigUint64(section.offset + address - section.address, true));
  }
  for (const [option, pattern] of [
    ['--bind', /^\S+ +\S+ +(0x[0-9A-F]+) +pointer +(-?\d+) +(\S+) +(\S+)( \(weak_import\))?/],
    ['--lazy-bind', /^\S+ +\S+ +(0x[0-9A-F]+)() +(\S+) +(\S+)( \(weak_import\))?/],
    ['--weak-bind', /^\S+ +\S+ +(0x[0-9A-F]+) +pointer +(-?\d+)() +(\S+)()/],
  ] as const) {
    for (const line of said(option).split('\n')) {
      const found = pattern.exec(line);
      if (found === null) continue;
      const [, address, addend, library = '', name = '', weak = ''] = found;
      if (option !== '--weak-bind' || !binds.has(Number(address))) {
        binds.set(Number(address), { name, addend: Number(addend || 0), library, weak: weak !== '' });
      }
    }
  }
}

function unwindOf({ machine }: RawMacho, text: string): Pick<LinkedFile, 'unwind' | 'lsdas' | 'personalities'> {
  const unwind: UnwindRow[] = [];
  const lsdas = new Map<number, number>();
  const personalities: number[] = [];
  for (const line of text.split('\n')) {
    const personality = /^ +personality\[\d+\]: (0x[0-9A-Fa-f]+)/.exec(line);
    if (personality !== null) personalities.push(Number(personality[1]));
    const lsda = /^ +\[\d+\]: function offset=(0x[0-9A-Fa-f]+), LSDA offset=(0x[0-9A-Fa-f]+)/.exec(line);
    if (lsda !== null) lsdas.set(Number(lsda[1]), Number(lsda[2]));
    const row = /^ +\[\d+\]: function offset=(0x[0-9A-Fa-f]+), (?:encoding\[\d+\]|encoding)=(0x[0-9A-Fa-f]+)/.exec(
      line,
    );
    if (row !== null) unwind.push({ start: Number(row[1]), encoding: Number(row[2]) });
  }
  if (machine !== 'arm64' && machine !== 'x86_64') throw new Error(`no machine ${machine as string}`);
  return { unwind, lsdas, personalities };
}

function framesOf(path: string): Map<number, { start: number; end: number }> {
  const frames = new Map<number, { start: number; end: number }>();
  const text = run('llvm-dwarfdump-22', ['--eh-frame', path]);
  for (const [, offset, start, end] of text.matchAll(
    /^([0-9a-f]+) [0-9a-f]+ [0-9a-f]+ FDE .*pc=([0-9a-f]+)\.\.\.([0-9a-f]+)/gm,
  )) {
    frames.set(parseInt(offset ?? '', 16), { start: parseInt(start ?? '', 16), end: parseInt(end ?? '', 16) });
  }
  return frames;
}
