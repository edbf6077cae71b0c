// A session's own directory below `ipbp/sessions` of cargo's build directory (so that hard links work), and the sets of
// objects that its program runs: one per live patch, so that undo and redo know what to compare the next edit with.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { ObjectSet } from '../cargo/incremental.js';

export interface SessionDirectories {
  /** `<build directory>/ipbp/bin`: scripts, the same for all sessions. */
  readonly scripts: string;
  /** `<build directory>/ipbp/units`: recorded rustc commands, the same for all sessions. */
  readonly units: string;
  /** This session's own; mode 0700. */
  readonly session: string;
}

/** Makes the directories and removes those of sessions whose process is gone. Throws IPBP5014. */
export function openSessionDirectories(buildDirectory: string, id: string): SessionDirectories {
  const root = join(buildDirectory, 'ipbp');
  const sessions = join(root, 'sessions');
  const names = existsSync(sessions) ? readdirSync(sessions) : [];
  for (const name of names) if (!ownerRuns(join(sessions, name))) removeSession(join(sessions, name));
  const directories = { scripts: join(root, 'bin'), units: join(root, 'units'), session: join(sessions, id) };
  makeSessionDirectories(directories);
  return directories;
}

/** Makes them where they are not there: `cargo clean` may take them away between two starts. Throws IPBP5014. */
export function makeSessionDirectories({ units, session }: SessionDirectories): void {
  try {
    mkdirSync(session, { recursive: true, mode: 0o700 });
    writeFileSync(join(session, 'owner'), String(process.pid));
    mkdirSync(units, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new IpbpError('IPBP5014', 'the session directory could not be made', { where: session, cause });
  }
}

/** Removes a session's directory with all it kept. */
export function removeSession(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

function ownerRuns(directory: string): boolean {
  try {
    process.kill(Number(readFileSync(join(directory, 'owner'), 'utf8')), 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Unit key → its objects. */
export type LiveObjects = ReadonlyMap<string, ObjectSet>;

/** The sets of objects by the program's history. */
export interface ObjectHistory {
  /** What the program runs now. */
  current(): LiveObjects;
  /** A patch went live that these objects led to; null: a patch file, whose objects are not known. */
  push(objects: LiveObjects | null): void;
  undo(): void;
  redo(): void;
  /** What was undone last will never be redone. */
  forgetUndone(): void;
  /** The newest objects mean the same as what runs: compare with them from now on. */
  replaceCurrent(objects: LiveObjects): void;
}

/** Where the object lies that messages call so (split-objects.ts, `objectId`); a member of an archive is called by the archive's path. */
export function objectPaths(objects: LiveObjects | undefined): (name: string) => string | null {
  return (name) => {
    const at = name.lastIndexOf('/');
    const path = objects?.get(name.slice(0, at))?.get(name.slice(at + 1))?.path;
    return path ?? (isAbsolute(name) ? name : null);
  };
}

/** A history that begins with the program as it was built. */
export function createHistory(base: LiveObjects): ObjectHistory {
  const live: LiveObjects[] = [base];
  const undone: LiveObjects[] = [];
  const current = (): LiveObjects => live.at(-1) ?? base;
  return {
    current,
    push(objects) {
      live.push(objects ?? current());
      undone.length = 0;
    },
    undo() {
      const last = live.length > 1 ? live.pop() : undefined;
      if (last !== undefined) undone.push(last);
    },
    redo() {
      const next = undone.pop();
      if (next !== undefined) live.push(next);
    },
    forgetUndone() {
      undone.pop();
    },
    replaceCurrent(objects) {
      live[live.length - 1] = objects;
    },
  };
}
