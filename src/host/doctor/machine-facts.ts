// Asks the machine what machine.ts judges. Changes nothing but a directory of its own, which it removes.
import {
  accessSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  watch,
  writeSync,
} from 'node:fs';
import { arch, platform, release, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { controlDirectory } from '../control/control-socket.js';
import { COMMANDS, type MachineFacts } from './machine.js';

/** The machine that this runs on. */
export function readMachine(): MachineFacts {
  return {
    platform: platform(),
    arch: arch(),
    nodeVersion: process.versions.node,
    kernelRelease: release(),
    memoryFile: tryMemoryFile(),
    selinuxEnforcing: readText('/sys/fs/selinux/enforce').trim() === '1',
    ptraceScope: readNumber('/proc/sys/kernel/yama/ptrace_scope'),
    inotify: {
      maxInstances: readNumber('/proc/sys/fs/inotify/max_user_instances'),
      maxWatches: readNumber('/proc/sys/fs/inotify/max_user_watches'),
      ...inotifyInUse(),
      trial: tryWatch(),
    },
    absentCommands: COMMANDS.filter((name) => findCommand(name) === null),
    sockets: trySockets(),
  };
}

/** The path of a command of the PATH, or of one that is a path; null where there is none that can be run. */
export function findCommand(name: string): string | null {
  const places = name.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  for (const place of places) {
    const path = place === '' ? name : join(place, name);
    try {
      if (!statSync(path).isFile()) continue;
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}

/** A code of the system's (`EACCES`), or what else was thrown. */
export function errorCode(error: unknown): string {
  if (error instanceof Error) return 'code' in error ? String(error.code) : error.message;
  return String(error);
}

/** As the agent does it: a byte of a page that may not be written is written over itself. */
function tryMemoryFile(): MachineFacts['memoryFile'] {
  let file: number;
  try {
    file = openSync('/proc/self/mem', 'r+');
  } catch (error) {
    return { opens: errorCode(error), passesProtection: false };
  }
  try {
    const start = /^([0-9a-f]+)-[0-9a-f]+ r--p/m.exec(readText('/proc/self/maps'))?.[1];
    const address = parseInt(start ?? '', 16);
    const byte = new Uint8Array(1);
    const written = readSync(file, byte, 0, 1, address) === 1 && writeSync(file, byte, 0, 1, address) === 1;
    return { opens: true, passesProtection: written };
  } catch {
    return { opens: true, passesProtection: false };
  } finally {
    closeSync(file);
  }
}

/** proc_pid_fdinfo(5) has a line for each watch. Processes that may not be looked into are left out. */
function inotifyInUse(): { readonly instances: number; readonly watches: number } {
  const own = process.getuid?.();
  let instances = 0;
  let watches = 0;
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    if (statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid !== own) continue;
    for (const descriptor of list(`/proc/${pid}/fd`)) {
      if (linkTarget(`/proc/${pid}/fd/${descriptor}`) !== 'anon_inode:inotify') continue;
      instances++;
      watches += readText(`/proc/${pid}/fdinfo/${descriptor}`).split('\ninotify ').length - 1;
    }
  }
  return { instances, watches };
}

function tryWatch(): true | string {
  let directory: string | undefined;
  try {
    directory = mkdtempSync(join(tmpdir(), 'ipbp-doctor-'));
    watch(directory).close();
    return true;
  } catch (error) {
    return errorCode(error);
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

function trySockets(): MachineFacts['sockets'] {
  try {
    return { directory: controlDirectory() };
  } catch (error) {
    return { error: error instanceof Error ? error.message.replace(/^IPBP\d+: /, '') : String(error) };
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readNumber(path: string): number | null {
  const text = readText(path).trim();
  return /^\d+$/.test(text) ? Number(text) : null;
}
