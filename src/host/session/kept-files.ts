// The session's own copies of what a program was made of: cargo and rustc replace and delete files as they like, and
// the program goes on running the old ones. Hard links where the file system allows, copies elsewhere.
import { copyFileSync, existsSync, linkSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { InputFile } from '../../patch/engine.js';
import { fileSource } from '../files/byte-source.js';
import { asSeenBy } from '../files/process-files.js';
import { debugFileName, sameObject, type ObjectSet, type ObjectStat } from '../cargo/incremental.js';

/** Keeps `path` as `kept` (which must not exist). Throws IPBP5014. */
export function keepFile(path: string, kept: string): void {
  try {
    linkSync(path, kept);
  } catch {
    try {
      copyFileSync(path, kept);
    } catch (cause) {
      throw new IpbpError('IPBP5014', 'a file could not be kept', { where: path, cause });
    }
  }
}

/**
 * Keeps one set of objects in `directory`. Files that `held` already keeps (same name and inode) are not linked
 * again: their kept path is taken over, so a patch costs links for what it changed only.
 */
export function keepObjects(objects: ObjectSet, held: ObjectSet | null, directory: string): ObjectSet {
  const kept = new Map<string, ObjectStat>();
  let made = false;
  for (const [name, object] of objects) {
    const before = held?.get(name);
    if (before !== undefined && sameObject(before, object)) {
      kept.set(name, before);
      continue;
    }
    if (!made) {
      mkdirSync(directory, { recursive: true });
      made = true;
    }
    const path = join(directory, name);
    keepFile(object.path, path);
    const debugPath = object.debugPath === null ? null : debugFileName(path);
    // Nothing tells whether it is the same as before but the object, which has a hash of what was split off.
    if (object.debugPath !== null && debugPath !== null) keepFile(object.debugPath, debugPath);
    kept.set(name, { ...object, path, debugPath });
  }
  return kept;
}

/** A file for the engine, read when it is asked for. `name` is what messages call it. */
export function inputFile(name: string, path: string): InputFile {
  return { name, read: () => readWhole(path), source: () => fileSource(path, name) };
}

/** An object for the engine, with what was split off of its debug information. */
export function objectFile(name: string, { path, debugPath }: Pick<ObjectStat, 'path' | 'debugPath'>): InputFile {
  const object = inputFile(name, path);
  return debugPath === null ? object : { ...object, debugFile: inputFile(debugFileName(name), debugPath) };
}

function readWhole(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new IpbpError('IPBP5014', 'a file could not be read', { where: path, cause });
  }
}

/** A mapped library's file as the process sees it: it may live in another mount namespace. Null for the kernel's own. */
export function mappedLibrary(pid: number, path: string): InputFile | null {
  const seen = asSeenBy(pid, path);
  return existsSync(seen) ? inputFile(path, seen) : null;
}
