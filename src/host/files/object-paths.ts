// The objects that a path on the command line stands for: a file, an archive's members, a directory of objects, a
// crate's incremental directory (its newest finished session), or all of those below target/<profile>/incremental.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { openArchive } from '../../formats/archive.js';
import { detectFormat } from '../../formats/detect.js';
import { sliceOf } from '../../formats/universal.js';
import type { InputFile } from '../../patch/engine.js';
import { debugFileName, newestSession } from '../cargo/incremental.js';

/** One object with the place it comes from, which is part of its name where two would be called alike. */
interface Found {
  readonly name: string;
  readonly parent: string;
  /** Its own path; null for a member of an archive. */
  readonly path: string | null;
  read(): Uint8Array;
}

/**
 * Objects of all paths, in their order; those of a directory by name. Names are unique: the file's or member's own,
 * with its directory or archive in front only where that alone would be used twice.
 * @throws IpbpError IPBP5903 for a path that leads nowhere, IPBP5904 for what cannot be read, IPBP5905 where there are
 *   no objects or several builds of one crate, IPBP1xxx for a broken archive.
 */
export function objectsAt(paths: readonly string[]): InputFile[] {
  const found = paths.flatMap(objectsOf);
  const uses = new Map<string, number>();
  for (const { name } of found) uses.set(name, (uses.get(name) ?? 0) + 1);
  return found.map((object) => {
    const name = uses.get(object.name) === 1 ? object.name : `${object.parent}(${object.name})`;
    return { name, read: () => object.read(), debugFile: debugFileBeside(object) };
  });
}

/** What was split off of an object's debug information, where that lies beside it. */
function debugFileBeside({ path }: Found): InputFile | undefined {
  const beside = path === null ? null : debugFileName(path);
  if (beside === null || beside === path || !existsSync(beside)) return undefined;
  return { name: beside, read: () => readBytes(beside) };
}

/** A whole file that is read when it is needed. Throws IPBP5903 at once when it does not exist. */
export function fileAt(path: string): InputFile {
  if (kindOf(path) === 'directory') {
    throw new IpbpError('IPBP5904', 'this is a directory', { expected: 'a file', where: path });
  }
  return { name: path, read: () => readBytes(path) };
}

function objectsOf(path: string): Found[] {
  return kindOf(path) === 'directory' ? objectsInDirectory(path) : objectsInFile(path);
}

function kindOf(path: string): 'directory' | 'file' {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file';
  } catch (cause) {
    throw fileFailure(cause, path);
  }
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw fileFailure(cause, path);
  }
}

function fileFailure(cause: unknown, where: string): IpbpError {
  const code = (cause as { readonly code?: unknown }).code;
  if (code === 'ENOENT') return new IpbpError('IPBP5903', 'no such file or directory', { where, cause });
  return new IpbpError('IPBP5904', `the system says ${String(code)}`, { where, cause });
}

function objectsInFile(path: string): Found[] {
  const bytes = sliceOf(readBytes(path), path);
  if (detectFormat(bytes) !== 'archive') return [{ name: basename(path), parent: path, path, read: () => bytes }];
  const archive = openArchive(bytes, path);
  const objects = archive.members
    // null for metadata and other things that are no objects.
    .filter(({ index }) => archive.member(index) !== null)
    .map(({ index, name }) => ({ name, parent: path, path: null, read: () => archive.memberBytes(index) }));
  if (objects.length === 0) throw nothing('the archive holds no objects', path);
  return objects;
}

function objectsInDirectory(path: string): Found[] {
  const session = newestSession(path);
  const directory = session ?? path;
  const names = readdirSync(directory).sort();
  const objects = names
    .filter((name) => name.endsWith('.o'))
    .map((name) => ({ name, parent: path, path: join(directory, name), read: () => readBytes(join(directory, name)) }));
  if (objects.length > 0 || session !== null) {
    if (objects.length === 0) throw nothing('the newest session holds no objects', directory);
    return objects;
  }
  return objectsOfCrates(path, names);
}

/** `incremental/` itself: `<crate>-<id>` per crate. Two of one crate are two builds, and nobody can know which. */
function objectsOfCrates(path: string, names: readonly string[]): Found[] {
  const finished = names.filter((name) => isDirectory(join(path, name)) && newestSession(join(path, name)) !== null);
  if (finished.length === 0) throw nothing('the directory holds no objects', path);
  const crates = new Map<string, string>();
  for (const name of finished) {
    const crate = name.slice(0, name.lastIndexOf('-'));
    const other = crates.get(crate);
    if (other !== undefined) {
      throw new IpbpError('IPBP5905', `several builds of crate ${crate}`, {
        expected: "one crate's directory",
        actual: `${other}, ${name}`,
        where: path,
      });
    }
    crates.set(crate, name);
  }
  return finished.flatMap((name) => objectsInDirectory(join(path, name)));
}

function isDirectory(path: string): boolean {
  return kindOf(path) === 'directory';
}

function nothing(summary: string, where: string): IpbpError {
  return new IpbpError('IPBP5905', summary, { where });
}
