// Files of another process: what it runs, and paths as it sees them (it may live in another mount namespace). Only Linux
// shows that.
import { readlinkSync } from 'node:fs';

/** A path that leads there from here. @param path as the process knows it */
export function asSeenBy(pid: number, path: string, platform: NodeJS.Platform = process.platform): string {
  if (platform !== 'linux') return path;
  return path.startsWith('/') ? `/proc/${pid}/root${path}` : `/proc/${pid}/cwd/${path}`;
}

/** For messages. */
export function runningPath(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return 'no process';
  }
}
