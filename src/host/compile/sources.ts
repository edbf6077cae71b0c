// Watches source files and reports real changes of content. One watcher per directory: a recursive one loses a file's
// events after a save by rename. No debounce beyond the few milliseconds in which an editor's own events come.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, watch, type FSWatcher } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/** Several events of one save come within this time. */
const COALESCE_MS = 4;
/** An editor that truncates and then writes leaves an empty or missing file for a moment. */
const SETTLE_MS = 25;

export interface SourceWatcher {
  /** Sets which files count; new directories are watched, old ones stay. */
  follow(files: Iterable<string>): void;
  /** Takes these files' content as known: whoever asks has dealt with it. */
  known(files: Iterable<string>): void;
  directories(): readonly string[];
  stop(): void;
}

/** Files whose content is other than when last looked, and when the first event came (`performance.now()`). */
export type OnSourceChange = (files: readonly string[], firstEventAt: number) => void;

/**
 * Starts watching. A file that nobody follows yet is reported too if it is a Rust source or a directory's new module
 * in a watched directory: it may be the `mod` that the last compile missed.
 */
export function watchSources(onChange: OnSourceChange): SourceWatcher {
  const hashes = new Map<string, string>();
  const watchers = new Map<string, FSWatcher>();
  const touched = new Set<string>();
  const unsettled = new Set<string>();
  let firstAt = 0;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;

  const look = (): void => {
    timer = null;
    const changed: string[] = [];
    const again: string[] = [];
    for (const path of touched) {
      const content = readContent(path);
      const known = hashes.get(path);
      if ((content === null || content.length === 0) && known !== undefined && !unsettled.has(path)) {
        unsettled.add(path);
        again.push(path);
        continue;
      }
      unsettled.delete(path);
      if (content === null && known === undefined) continue;
      const hash = content === null ? 'missing' : contentHash(content);
      if (hash === known) continue;
      hashes.set(path, hash);
      changed.push(path);
    }
    touched.clear();
    const since = firstAt;
    for (const path of again) touched.add(path);
    if (again.length > 0) timer = setTimeout(look, SETTLE_MS);
    if (changed.length > 0 && !stopped) onChange(changed, since);
  };

  const note = (path: string): void => {
    if (touched.size === 0) firstAt = performance.now();
    touched.add(path);
    timer ??= setTimeout(look, COALESCE_MS);
  };

  const watchDirectory = (directory: string): void => {
    if (watchers.has(directory) || stopped) return;
    let watcher: FSWatcher;
    try {
      watcher = watch(directory, (_event, name) => {
        // Without a name the system lost count of events: look at everything.
        if (name === null) for (const path of hashes.keys()) note(path);
        else notice(join(directory, name));
      });
    } catch {
      return; // Gone between listing and watching; its files report themselves missing at the next compile.
    }
    watcher.on('error', () => {
      watcher.close();
      watchers.delete(directory);
    });
    watchers.set(directory, watcher);
  };

  const notice = (path: string): void => {
    if (hashes.has(path) || extname(path) === '.rs') return note(path);
    if (!isDirectory(path)) return;
    // `mod name;` in name/mod.rs: files may have come into it before we watch.
    watchDirectory(path);
    for (const name of list(path)) if (extname(name) === '.rs') note(join(path, name));
  };

  const know = (path: string): void => {
    const content = readContent(path);
    hashes.set(path, content === null ? 'missing' : contentHash(content));
  };

  return {
    follow(files) {
      for (const path of files) {
        if (!hashes.has(path)) know(path);
        watchDirectory(dirname(path));
      }
    },
    known(files) {
      for (const path of files) know(path);
    },
    directories: () => [...watchers.keys()],
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

function contentHash(content: Uint8Array): string {
  return createHash('sha1').update(content).digest('base64');
}

function readContent(path: string): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
