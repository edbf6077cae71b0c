// Opens the inputs of a link for Apple's systems: searches for libraries and frameworks as its linkers do, reads objects,
// archives, libraries and the text stubs that stand in for those.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { openArchive } from '../../formats/archive.js';
import { detectFormat, SIGNATURE_SIZE } from '../../formats/detect.js';
import type { MachineName } from '../../formats/object-file.js';
import { readObjectFile } from '../../formats/read-object.js';
import { stubColumns } from '../../formats/tbd/library.js';
import { isTextStub, readTextStub } from '../../formats/tbd/read.js';
import { stubView, type StubView, type TextStub } from '../../formats/tbd/stub.js';
import { sliceFor } from '../../formats/universal.js';
import type { LibraryUse, LinkInput } from '../../link/shared/options.js';
import { fileSource } from '../files/byte-source.js';

/** One input of the command line. */
export interface DylibInputWord {
  /** A path, or what stands behind -l or -framework. */
  readonly name: string;
  /** A list is a file that names files. */
  readonly kind: 'file' | 'library' | 'framework' | 'list';
  /** Of archives: all members are taken; what they define is not exported. */
  readonly whole: boolean;
  readonly hidden: boolean;
  /** Of libraries. */
  readonly how: LibraryUse;
}

/** One that is opened itself. */
type OpenableWord = DylibInputWord & { readonly kind: Exclude<DylibInputWord['kind'], 'list'> };

/** Where is looked, and for what. */
export interface DylibSearch {
  readonly directories: readonly string[];
  readonly frameworkDirectories: readonly string[];
  /** Stands before absolute folders in which something is found; empty for none. */
  readonly root: string;
  /** Without the folders of the system. */
  readonly onlyNamed: boolean;
  readonly machine: 'arm64' | 'x86_64';
  /** The system as text stubs call it: `macos`. */
  readonly system: string;
  /** Libraries that nothing refers to are not named. */
  readonly dropUnused: boolean;
}

/** What was opened. */
export interface OpenedDylibInputs {
  readonly inputs: readonly LinkInput[];
  readonly files: readonly string[];
  /** When each object was last written, in seconds, by the name that messages have for it. */
  readonly modified: ReadonlyMap<string, number>;
}

/**
 * Opens everything in the order of the command line; a file that is named twice once.
 * @throws IpbpError IPBP5903 for what is not found, IPBP1003 for what is for another machine, those of the readers
 */
export function openDylibInputs(words: readonly DylibInputWord[], search: DylibSearch): OpenedDylibInputs {
  const inputs: LinkInput[] = [];
  const files: string[] = [];
  const modified = new Map<string, number>();
  const opened = new Set<string>();
  for (const word of words.flatMap(expanded)) {
    const path = findInput(word, search);
    const key = `${path} ${word.whole}`;
    if (opened.has(key)) continue;
    opened.add(key);
    files.push(path);
    const input = openInput(word, path, search);
    inputs.push(input);
    if (input.kind === 'object') modified.set(input.file.name, Math.floor(statSync(path).mtimeMs / 1000));
  }
  return { inputs, files, modified };
}

/** The inputs of a list: a path a line, in a folder that may stand behind the list's own path. */
function expanded(word: DylibInputWord): OpenableWord[] {
  const { name, kind } = word;
  if (kind !== 'list') return [{ ...word, kind }];
  const comma = existsSync(name) ? -1 : name.lastIndexOf(',');
  const [path, folder] = comma < 0 ? [name, ''] : [name.slice(0, comma), name.slice(comma + 1)];
  if (!existsSync(path)) throw new IpbpError('IPBP5903', 'a list of inputs is not there', { where: path });
  const lines = readFileSync(path, 'utf8').split(/\r?\n/);
  return lines.filter((line) => line !== '').map((line) => ({ ...word, kind: 'file', name: join(folder, line) }));
}

/** Objects are needed whole, and nearly all are smaller. */
const EAGER = 1 << 20;

function openInput(word: DylibInputWord, path: string, search: DylibSearch): LinkInput {
  const source = sliceFor(fileSource(path, path, EAGER), path, search.machine);
  const format = detectFormat(source.read(0, Math.min(SIGNATURE_SIZE, source.size)));
  const { whole, hidden, how } = word;
  if (format === 'archive') return { kind: 'archive', archive: openArchive(source, path), whole, hidden };
  const bytes = source.read(0, source.size);
  const library = { neededAs: path, asNeeded: search.dropUnused, how };
  if (format === null && isTextStub(bytes)) {
    const { view, file } = openStub(readTextStub(bytes, path), path, search);
    const { currentVersion, compatibilityVersion } = view;
    return { kind: 'shared', file, ...library, versions: { currentVersion, compatibilityVersion } };
  }
  if (format === 'bitcode') {
    throw new IpbpError('IPBP1003', 'objects of the compiler’s own form (LTO) are not supported', {
      expected: 'an object file',
      where: path,
    });
  }
  const file = readObjectFile(bytes, path);
  if (file.kind === 'relocatable') return { kind: 'object', file };
  if (file.kind === 'shared') return { kind: 'shared', file, ...library };
  throw new IpbpError('IPBP1003', 'an executable cannot be linked with', { expected: 'a library', where: path });
}

type StubFile = Extract<LinkInput, { kind: 'shared' }>['file'];

function openStub(stub: TextStub, path: string, search: DylibSearch): { view: StubView; file: StubFile } {
  const { machine, system } = search;
  // Signed pointers change nothing in what a library is called.
  const targets = [machine, ...(machine === 'arm64' ? ['arm64e'] : [])].map((name) => `${name}-${system}`);
  const view = targets
    .map((target) => stubView(withReexported(stub, target, search), target))
    .find((one) => one !== null);
  if (view === undefined || view === null) {
    throw new IpbpError('IPBP1003', 'a library is not for the target of the link', {
      expected: targets[0] ?? '',
      actual: stub.main.targets.join(', '),
      where: path,
    });
  }
  const linked = { soname: view.installName, dynamicColumns: () => stubColumns(view), versionOf: () => null };
  return { view, file: { format: 'macho', machine, name: path, linked } };
}

/** Libraries that name each other; more is a ring. */
const MOST_STUBS = 256;

/** The stub with those of the libraries that it re-exports and does not bring with it, where they are found. */
function withReexported(stub: TextStub, target: string, search: DylibSearch): TextStub {
  let whole = stub;
  const looked = new Set<string>();
  for (let count = 0; count < MOST_STUBS; count++) {
    const missing = stubView(whole, target)?.missing.find((name) => !looked.has(name));
    if (missing === undefined) return whole;
    looked.add(missing);
    const path = `${join(search.root, missing.replace(/\.dylib$/, ''))}.tbd`;
    if (!existsSync(path)) continue;
    const source = fileSource(path, path, EAGER);
    const { main, others } = readTextStub(source.read(0, source.size), path);
    whole = { main: whole.main, others: [...whole.others, main, ...others] };
  }
  return whole;
}

function findInput({ name, kind }: OpenableWord, search: DylibSearch): string {
  if (kind === 'file') {
    if (existsSync(name)) return name;
    throw new IpbpError('IPBP5903', 'an input of the link is not there', { where: name });
  }
  const { root, onlyNamed } = search;
  const isLibrary = kind === 'library';
  const named = isLibrary ? search.directories : search.frameworkDirectories;
  const system = isLibrary ? ['/usr/lib', '/usr/local/lib'] : ['/Library/Frameworks', '/System/Library/Frameworks'];
  const directories = [
    ...named.flatMap((directory) => inRoot(directory, root)),
    ...(onlyNamed ? [] : system.map((directory) => join(root === '' ? '/' : root, directory))),
  ];
  const files = isLibrary ? libraryFiles(name) : [`${name}.framework/${name}.tbd`, `${name}.framework/${name}`];
  for (const directory of directories) {
    const found = files.map((file) => join(directory, file)).find((path) => existsSync(path));
    if (found !== undefined) return found;
  }
  throw new IpbpError('IPBP5903', `a ${kind} was not found`, {
    expected: files.join(' or '),
    actual: `${isLibrary ? '-l' : '-framework '}${name}`,
    where: directories.join(', ') || 'no folder to look in',
  });
}

/** `-lfoo.o` is that file. */
function libraryFiles(name: string): string[] {
  return name.endsWith('.o') ? [name] : ['tbd', 'dylib', 'so', 'a'].map((ending) => `lib${name}.${ending}`);
}

/** An absolute folder means the one in the root, where there is one. */
function inRoot(directory: string, root: string): string[] {
  const inside = join(root, directory);
  return root !== '' && isAbsolute(directory) && existsSync(inside) ? [inside] : [directory];
}

/** The machine of `-arch`. IPBP1003 for others. */
export function machineOfArch(arch: string): Exclude<MachineName, 'wasm32'> {
  if (arch === 'arm64' || arch === 'x86_64') return arch;
  throw new IpbpError('IPBP1003', 'this machine is not supported', { expected: 'arm64 or x86_64', actual: arch });
}
