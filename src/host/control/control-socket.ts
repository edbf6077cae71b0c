// Where sessions of this user can be found: one Unix socket per session in a directory that only the user can enter.
// What is said over them is in control.ts.
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IpbpError } from '../../codes/error.js';

/** `$XDG_RUNTIME_DIR/ipbp` or `<tmp>/ipbp-<uid>`, mode 0700 and the user's own. Throws IPBP5014 when it is another's. */
export function controlDirectory(): string {
  const uid = process.getuid?.() ?? 0;
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const directory = runtime === undefined || runtime === '' ? join(tmpdir(), `ipbp-${uid}`) : join(runtime, 'ipbp');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // lstat: in a shared directory somebody else may have put a link here first.
    const stat = lstatSync(directory);
    if (!stat.isDirectory() || stat.uid !== uid) {
      throw new IpbpError('IPBP5014', 'the directory for control sockets is not ours', { where: directory });
    }
    if ((stat.mode & 0o077) !== 0) chmodSync(directory, 0o700);
  } catch (cause) {
    if (cause instanceof IpbpError) throw cause;
    throw new IpbpError('IPBP5014', 'the directory for control sockets could not be made', { where: directory, cause });
  }
  return directory;
}

/** Path of a session's socket; makes the directory. Throws IPBP5014. */
export function controlPath(id: string): string {
  return join(controlDirectory(), `${id}.sock`);
}

/** Ids of the sessions that answer. Sockets that nobody listens on any more are removed. */
export async function listSessions(): Promise<string[]> {
  const directory = controlDirectory();
  const names = readdirSync(directory).filter((name) => name.endsWith('.sock'));
  const alive = await Promise.all(
    names.map(async (name) => {
      const socket = await tryConnect(join(directory, name));
      if (socket === null) return null;
      socket.destroy();
      return name.slice(0, -'.sock'.length);
    }),
  );
  return alive.filter((id) => id !== null).sort();
}

/** Removes the sockets, agents' too, that sessions left which were killed. */
export async function removeDeadSockets(): Promise<void> {
  const directory = controlDirectory();
  const names = readdirSync(directory).filter((name) => name.endsWith('.sock') || name.endsWith('.agent'));
  await Promise.all(names.map(async (name) => (await tryConnect(join(directory, name)))?.destroy()));
}

/** Null when nobody listens; the socket's file is removed then. */
export function tryConnect(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') rmSync(path, { force: true });
      resolve(null);
    });
  });
}
