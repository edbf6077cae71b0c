// Where the conformance run keeps what is dear to make: compilers, built crates, captured links.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ipbp-conformance');

/** A folder of the user's cache, made when it is not there. */
export function cacheFolder(...parts: readonly string[]): string {
  const folder = join(CACHE, ...parts);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A folder of the cache that `make` fills once: one that it did not finish is made again from nothing. */
export function madeOnce(parts: readonly string[], make: (folder: string) => void): string {
  const done = join(CACHE, ...parts, '.complete');
  if (existsSync(done)) return join(CACHE, ...parts);
  rmSync(join(CACHE, ...parts), { recursive: true, force: true });
  const folder = cacheFolder(...parts);
  make(folder);
  writeFileSync(done, '');
  return folder;
}
