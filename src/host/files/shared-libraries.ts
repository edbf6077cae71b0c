// Finds the shared libraries of an executable on this machine, as the loader would, for patches that are built without
// a running program (a running one says itself what is mapped into it). Owns the search order; opens with the readers.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { ObjectFile } from '../../formats/object-file.js';
import { readObjectFile } from '../../formats/read-object.js';

/** A library that was found, and those that were not. */
export interface FoundLibraries {
  /** In the order in which the loader maps them: breadth first. */
  readonly libraries: readonly ObjectFile[];
  readonly missing: readonly string[];
}

/** Folders that loaders search without being told, on Debian's multiarch, lib64 and musl systems. */
const USUAL_FOLDERS: readonly string[] = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib'];

/**
 * Libraries that `executable` needs, directly or through others. LD_LIBRARY_PATH goes before the system's folders.
 * @param env the environment that the program runs in
 */
export function findSharedLibraries(
  executable: ObjectFile,
  env: Readonly<Record<string, string | undefined>>,
): FoundLibraries {
  const folders = [...(env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== ''), ...systemFolders()];
  const libraries: ObjectFile[] = [];
  const missing: string[] = [];
  const seen = new Set<string>();
  const queue = [...(executable.linked?.needed ?? [])];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const library = findLibrary(name, executable, folders);
    if (library === null) {
      missing.push(name);
      continue;
    }
    libraries.push(library);
    queue.push(...(library.linked?.needed ?? []));
  }
  return { libraries, missing };
}

function findLibrary(name: string, executable: ObjectFile, folders: readonly string[]): ObjectFile | null {
  for (const path of name.includes('/') ? [name] : folders.map((folder) => join(folder, name))) {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch {
      continue;
    }
    try {
      const library = readObjectFile(bytes, path);
      if (library.machine === executable.machine && library.kind !== 'relocatable') return library;
    } catch (error) {
      // Another machine's library, or a linker script of the same name: the loader passes over them too.
      if (!(error instanceof IpbpError)) throw error;
    }
  }
  return null;
}

/** The folders of /etc/ld.so.conf, then the usual ones. Systems without that file have only the latter. */
function systemFolders(): string[] {
  return [...new Set([...configuredFolders('/etc/ld.so.conf', 0), ...USUAL_FOLDERS])];
}

/** One folder per line; `include` names further files by a pattern, which in practice is `<folder>/*.conf`. */
function configuredFolders(path: string, depth: number): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((raw) => {
    const line = raw.replace(/#.*/, '').trim();
    if (line.startsWith('/')) return [line];
    const included = /^include\s+(.*)\/\*\.conf$/.exec(line)?.[1];
    if (included === undefined || depth > 4) return [];
    return confFiles(included).flatMap((file) => configuredFolders(file, depth + 1));
  });
}

function confFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.conf'))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
