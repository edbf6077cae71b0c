// The control socket of a session: `ipbp apply|undo|redo|status` ask, the session answers. One JSON object per line
// each way. The connection's other end is control-client.ts; where sockets lie is control-socket.ts.
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { IpbpError, type ErrorDetails } from '../../codes/error.js';
import { controlPath, removeDeadSockets } from './control-socket.js';
import type { PatchedEvent, RefusedEvent, UndoneEvent } from '../events.js';
import type { PatchRecord } from '../session/patcher.js';

/** What `ipbp status` shows. */
export interface SessionStatus {
  readonly id: string;
  readonly directory: string;
  /** Null while cargo builds. */
  readonly pid: number | null;
  readonly executable: string | null;
  readonly buildId: string | null;
  readonly target: string;
  readonly crates: readonly string[];
  /** Live ones oldest first, then undone ones, next to redo first. */
  readonly patches: readonly PatchRecord[];
  /** Milliseconds since the session began. */
  readonly at: number;
}

/** What may be asked of a session; session.ts does it. */
export interface ControlledSession {
  readonly id: string;
  /** Applies a patch file. Throws IPBP1xxx, IPBP3xxx, IPBP5013. */
  apply(file: string): Promise<PatchedEvent | RefusedEvent>;
  /** Takes back the newest patch, n times. Throws IPBP5013 when there is none at the first. */
  undo(n?: number): Promise<(UndoneEvent | RefusedEvent)[]>;
  redo(n?: number): Promise<(PatchedEvent | RefusedEvent)[]>;
  status(): SessionStatus;
}

/** What can be asked. */
export type ControlRequest =
  | { readonly command: 'status' }
  /** `file` is absolute: the session has another working directory. */
  | { readonly command: 'apply'; readonly file: string }
  | { readonly command: 'undo'; readonly count: number }
  | { readonly command: 'redo'; readonly count: number };

export type ControlEvent = PatchedEvent | RefusedEvent | UndoneEvent;

/** The answer: a status, what happened, or why nothing did. */
export type ControlResponse =
  | { readonly kind: 'status'; readonly status: SessionStatus }
  | { readonly kind: 'events'; readonly events: readonly ControlEvent[] }
  | { readonly kind: 'error'; readonly code: string; readonly summary: string; readonly details: ErrorText };

/** What an error says besides its summary: an {@link IpbpError}'s details without the exception that caused it. */
export type ErrorText = Omit<ErrorDetails, 'cause'>;

export interface Control {
  close(): void;
}

/** No request is longer: a path and a few words. */
const MAX_LINE = 64 * 1024;

/** Listens for one session; what killed sessions left is cleared away. Throws IPBP5014. */
export async function openControl(session: ControlledSession): Promise<Control> {
  const path = controlPath(session.id);
  await removeDeadSockets();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(session, socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new IpbpError('IPBP5014', 'the control socket could not be opened', { where: path, cause })),
    );
    server.listen(path, () => {
      server.unref();
      resolve({
        close() {
          server.close();
          for (const socket of sockets) socket.end();
          rmSync(path, { force: true });
        },
      });
    });
  });
}

function serve(session: ControlledSession, socket: Socket): void {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (text.length > MAX_LINE) return socket.destroy();
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      void answer(session, line).then((response) => {
        if (socket.writable) socket.write(`${JSON.stringify(response)}\n`);
      });
    }
  });
}

async function answer(session: ControlledSession, line: string): Promise<ControlResponse> {
  try {
    const request = parseRequest(line);
    switch (request.command) {
      case 'status':
        return { kind: 'status', status: session.status() };
      case 'apply':
        return { kind: 'events', events: [await session.apply(request.file)] };
      case 'undo':
        return { kind: 'events', events: await session.undo(request.count) };
      case 'redo':
        return { kind: 'events', events: await session.redo(request.count) };
    }
  } catch (error) {
    if (error instanceof IpbpError) {
      const { cause: _cause, ...details } = error.facts;
      return { kind: 'error', code: error.code, summary: error.summary, details };
    }
    return {
      kind: 'error',
      code: 'IPBP5013',
      summary: error instanceof Error ? error.message : String(error),
      details: {},
    };
  }
}

/** Throws IPBP5013 for anything else than a {@link ControlRequest}. */
function parseRequest(line: string): ControlRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = null;
  }
  if (typeof value === 'object' && value !== null && 'command' in value) {
    const { command } = value;
    if (command === 'status') return { command };
    if (command === 'apply' && 'file' in value && typeof value.file === 'string') return { command, file: value.file };
    const count = 'count' in value ? value.count : 1;
    if (
      (command === 'undo' || command === 'redo') &&
      typeof count === 'number' &&
      Number.isSafeInteger(count) &&
      count > 0
    )
      return { command, count };
  }
  throw new IpbpError('IPBP5013', 'the request is none that a session knows');
}
