// Opens a link's inputs: searches for libraries, reads files, looks into linker scripts. What each is, its bytes say.
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { ByteSource } from '../../bytes/source.js';
import { decodeText } from '../../bytes/text.js';
import { IpbpError } from '../../codes/error.js';
import { openArchive } from '../../formats/archive.js';
import { detectFormat, SIGNATURE_SIZE } from '../../formats/detect.js';
import { sliceFor } from '../../formats/universal.js';
import { isLinkerScript, parseLinkerScript } from '../../formats/linker-script.js';
import type { MachineName } from '../../formats/object-file.js';
import { readObjectFile } from '../../formats/read-object.js';
import type { LinkInput } from '../../link/shared/options.js';
import { fileSource } from '../files/byte-source.js';
import type { InputSearch, InputWord } from './link-word.js';

/** Scripts that name scripts; more is a ring. */
const DEEPEST = 16;

/** The GNU names of machines in the folders of systems that keep libraries for several. */
const TRIPLES: Readonly<Record<MachineName, string>> = {
  x86_64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  wasm32: 'wasm32-wasi',
};

/** What was opened, and what was met on the way. */
export interface OpenedInputs {
  readonly inputs: readonly LinkInput[];
  /** The files that were read, in order. */
  readonly files: readonly string[];
}

/**
 * Opens everything in the order of the command line. `machine` is that of the link, null if no option said it.
 * @throws IpbpError IPBP5903 for what is not found, those of the readers for what is broken
 */
export function openInputs(
  words: readonly InputWord[],
  search: InputSearch,
  machine: MachineName | null,
): OpenedInputs {
  const opening = new Map<string, Opened>();
  const order: Opened[] = [];
  const files: string[] = [];
  const directories = [
    ...search.directories,
    ...(search.onlyNamed ? [] : standardDirectories(machine ?? 'x86_64')),
  ].map((directory) => inSysroot(directory, search.sysroot));

  const open = (word: InputWord, path: string, depth: number): void => {
    files.push(path);
    const source = sliceFor(sourceOf(path), path, machine);
    const format = detectFormat(source.read(0, Math.min(SIGNATURE_SIZE, source.size)));
    if (format === null) {
      const bytes = source.read(0, source.size);
      if (isLinkerScript(bytes)) {
        openScript(word, path, decodeText(bytes), depth);
        return;
      }
    }
    const key = realpathSync.native(path);
    const before = opening.get(key);
    if (before !== undefined && (before.input.kind === 'shared' || before.input.kind === 'archive')) {
      repeat(before, word);
      return;
    }
    const opened: Opened = { input: inputOf(word, path, source, format, search) };
    opening.set(key, opened);
    order.push(opened);
  };

  const openScript = (word: InputWord, path: string, text: string, depth: number): void => {
    if (depth >= DEEPEST) throw new IpbpError('IPBP1020', 'linker scripts name each other', { where: path });
    const { inputs, directories: added } = parseLinkerScript(text, path);
    directories.push(...added.map((directory) => inSysroot(directory, search.sysroot)));
    for (const { name, asNeeded } of inputs) {
      const library = name.startsWith('-l');
      const inner = { ...word, name: library ? name.slice(2) : name, library, asNeeded: word.asNeeded || asNeeded };
      open(inner, library ? findLibrary(inner, directories) : findNamed(name, path, directories, search), depth + 1);
    }
  };

  for (const word of words) open(word, word.library ? findLibrary(word, directories) : findFile(word.name), 0);
  return { inputs: order.map(({ input }) => input), files };
}

interface Opened {
  input: LinkInput;
}

/** A library named twice is one: needed if one of them says so, whole if one does. Archives are searched until nothing is new. */
function repeat(before: Opened, { asNeeded, whole }: InputWord): void {
  const { input } = before;
  if (input.kind === 'shared' && !asNeeded) before.input = { ...input, asNeeded: false };
  if (input.kind === 'archive' && whole) before.input = { ...input, whole: true };
}

function inputOf(
  word: InputWord,
  path: string,
  source: ByteSource,
  format: ReturnType<typeof detectFormat>,
  search: InputSearch,
): LinkInput {
  if (format === 'archive') {
    const hidden = search.excludedArchives.some((name) => name === 'ALL' || name === basename(path));
    return { kind: 'archive', archive: openArchive(source, path, membersBeside(path)), whole: word.whole, hidden };
  }
  if (format === 'bitcode') {
    throw new IpbpError('IPBP1003', 'objects of the compiler’s own form (LTO) are not supported', {
      expected: 'an object file',
      where: path,
    });
  }
  const file = readObjectFile(source.read(0, source.size), path);
  if (file.kind === 'relocatable') return { kind: 'object', file };
  if (file.kind === 'executable') {
    throw new IpbpError('IPBP1003', 'an executable cannot be linked with', { expected: 'a library', where: path });
  }
  const neededAs = file.linked?.soname ?? (word.library ? basename(path) : path);
  return { kind: 'shared', file, neededAs, asNeeded: word.asNeeded };
}

/** The files that a thin archive names. */
function membersBeside(archive: string): (name: string) => Uint8Array {
  return (name) => {
    const path = resolve(dirname(archive), name);
    const source = sourceOf(path);
    return source.read(0, source.size);
  };
}

/** Objects are needed whole, and nearly all are smaller: they are read when they are opened. */
const EAGER = 1 << 20;

/** Of archives most members are not needed: they are not read. */
function sourceOf(path: string): ByteSource {
  try {
    return fileSource(path, path, EAGER);
  } catch (cause) {
    throw new IpbpError('IPBP5904', 'an input cannot be read', { where: path, cause });
  }
}

function findFile(path: string): string {
  if (existsSync(path)) return path;
  throw new IpbpError('IPBP5903', 'an input of the link is not there', { where: path });
}

/** `-lNAME`: libNAME.so, then libNAME.a, folder by folder; `-l:FILE`: that file. */
function findLibrary({ name, archivesOnly }: InputWord, directories: readonly string[]): string {
  const names = name.startsWith(':')
    ? [name.slice(1)]
    : archivesOnly
      ? [`lib${name}.a`]
      : [`lib${name}.so`, `lib${name}.a`];
  for (const directory of directories) {
    for (const file of names) {
      const path = join(directory, file);
      if (existsSync(path)) return path;
    }
  }
  throw new IpbpError('IPBP5903', 'a library was not found', {
    expected: names.join(' or '),
    actual: `-l${name}`,
    where: directories.length === 0 ? 'no folder to look in (-L)' : directories.join(', '),
  });
}

/** A file of a linker script: in the sysroot if the script is, as it stands, beside other libraries. */
function findNamed(name: string, script: string, directories: readonly string[], { sysroot }: InputSearch): string {
  if (name.startsWith('=')) return findFile(inSysroot(name, sysroot));
  if (isAbsolute(name)) {
    const inside = sysroot !== '' && sysroot !== '/' && realpathSync(script).startsWith(realpathSync(sysroot));
    return findFile(inside ? join(sysroot, name) : name);
  }
  if (existsSync(name)) return name;
  const found = directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
  return found ?? findFile(name);
}

function inSysroot(directory: string, sysroot: string): string {
  if (directory.startsWith('=')) return join(sysroot, directory.slice(1));
  return directory.startsWith('$SYSROOT') ? join(sysroot, directory.slice('$SYSROOT'.length)) : directory;
}

/** Those that ld has built in on systems of this machine. */
function standardDirectories(machine: MachineName): string[] {
  const triple = TRIPLES[machine];
  return [`/usr/local/lib/${triple}`, `/lib/${triple}`, `/usr/lib/${triple}`, '/usr/local/lib', '/lib', '/usr/lib'].map(
    (directory) => `=${directory}`,
  );
}
