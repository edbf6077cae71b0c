// Keeps what rustc will read in the system's page cache: after a long pause, or when the build ran no rustc, the first
// edit would wait for the disk (measured: twice the time with rustc's libraries and the rlibs evicted, three times
// with the incremental directory). Plain reads into one small buffer, in idle time, never while anything is compiled.
import { open, readdir, stat } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import type { UnitGraph } from '../cargo/capture-store.js';
import { newestSession } from '../cargo/incremental.js';
import type { Spawner } from './spawner.js';

/** Read at the most, also where more is free: the page cache is everybody's. */
const MOST_BYTES = 1024 * 1024 * 1024;
/** Of the free memory, 1/n at the most. */
const SHARE_OF_FREE = 2;
const CHUNK_BYTES = 1024 * 1024;
/** Without an edit for this long, the files are read again, lest the system forgets them. */
const AGAIN_AFTER_MS = 5 * 60_000;

export interface WarmFiles {
  /** Something is compiled or patched now: stop reading, and begin anew after a pause. */
  rest(): void;
  stop(): void;
}

/** Starts after `delayMs`, then after every long pause. A file that cannot be read is left out. */
export function keepWarm(files: () => Promise<readonly string[]>, delayMs: number): WarmFiles {
  let round = 0;
  let timer: NodeJS.Timeout | null = null;
  const later = (ms: number): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => void run(++round), ms).unref();
  };
  const run = async (own: number): Promise<void> => {
    try {
      await readThrough(await files(), () => own === round);
    } catch {
      // Nothing hangs on it: what is not warm is read by rustc.
    }
    if (own === round) later(AGAIN_AFTER_MS);
  };
  later(delayMs);
  return {
    rest() {
      round++;
      later(AGAIN_AFTER_MS);
    },
    stop() {
      round++;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** Reads files one after the other until they are read, the limit is reached or `wanted` says no. Returns the bytes. */
export async function readThrough(files: readonly string[], wanted: () => boolean): Promise<number> {
  const limit = Math.min(MOST_BYTES, freemem() / SHARE_OF_FREE);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let total = 0;
  for (const path of files) {
    try {
      const file = await open(path, 'r');
      try {
        while (wanted() && total < limit) {
          const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null);
          if (bytesRead === 0) break;
          total += bytesRead;
        }
      } finally {
        await file.close();
      }
    } catch {
      continue;
    }
  }
  return total;
}

/**
 * What rustc reads when it compiles these units, what costs most first: its own libraries, the incremental caches,
 * the crates' metadata. Objects of the incremental directory are linked, not read.
 */
export async function filesOfRustc(
  graph: UnitGraph,
  directories: ReadonlyMap<string, string>,
  spawner: Spawner,
): Promise<readonly string[]> {
  const unit = graph.units.at(-1);
  if (unit === undefined) return [];
  const { cwd, env } = unit;
  const args = ['--print', 'target-libdir', '--print', 'sysroot'];
  const job = { program: unit.rustc, args, cwd, env, unset: [], locks: [] };
  const [targetLibraries = '', sysroot = ''] = (await spawner.start(job).ended).stdout.trim().split('\n');
  const caches = graph.units.flatMap(({ key }) => {
    const session = newestSession(directories.get(key) ?? '');
    return session === null
      ? []
      : ['dep-graph.bin', 'query-cache.bin', 'work-products.bin'].map((name) => join(session, name));
  });
  const outputs = [...new Set(graph.units.map(({ outDir }) => outDir))];
  return [
    ...(await bySize(join(sysroot, 'lib'), /\.so/)),
    ...caches,
    ...(await bySize(targetLibraries, /\.(rlib|rmeta)$/)),
    ...(await Promise.all(outputs.map((directory) => bySize(directory, /\.rmeta$/)))).flat(),
    ...graph.units.flatMap(({ externs }) => externs.map(({ path }) => path)),
  ];
}

/** The files of a directory whose names match, the largest first. */
async function bySize(directory: string, names: RegExp): Promise<string[]> {
  try {
    const found = (await readdir(directory)).filter((name) => names.test(name)).map((name) => join(directory, name));
    const sized = await Promise.all(found.map(async (path) => ({ path, size: (await stat(path)).size })));
    return sized.sort((a, b) => b.size - a.size).map(({ path }) => path);
  } catch {
    return [];
  }
}
