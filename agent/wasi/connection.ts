// The thread that has the connection to the host, as the program's own thread never comes to a turn of the event loop:
// what the host asks for is handed over, and taken there whenever the program calls the system.
import { workerData, type MessagePort } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { IpbpError } from '../../src/codes/error.js';
import { type CODES } from '../../src/codes/table.js';
import { type SocketLike, startSession } from '../web/session.js';
import type { Answer, ConnectionData, Request } from './requests.js';

/** Connects; ends with the process. */
export function connect(port: MessagePort): void {
  const { url, token, name, sent, ...data } = workerData as ConnectionData;
  let { state } = data;
  let waiting: ((answer: Answer) => void) | null = null;
  port.on('message', (answer: Answer) => {
    ({ state } = answer);
    waiting?.(answer);
    waiting = null;
  });
  const send = (request: Request): void => {
    port.postMessage(request);
    Atomics.add(sent, 0, 1);
    Atomics.notify(sent, 0);
  };
  // The session asks for one thing after the other.
  const ask = async (request: Request): Promise<Answer> => {
    const answered = new Promise<Answer>((resolve) => (waiting = resolve));
    send(request);
    const answer = await answered;
    const { error } = answer;
    if (error !== null) throw new IpbpError(error.code as keyof typeof CODES, error.message);
    return answer;
  };
  const session = startSession(
    {
      state: () => state,
      apply: async (patch, bytes) => void (await ask({ ask: 'apply', patch, bytes })),
      undo: async (patch) => void (await ask({ ask: 'undo', patch })),
      redo: async (patch) => void (await ask({ ask: 'redo', patch })),
      reserve: async (wanted) => (await ask({ ask: 'reserve', wanted })).range,
    },
    {
      ...{ url, token, kind: 'node', name },
      open: (to) => new WebSocket(to) as unknown as SocketLike,
      // A program is not begun anew while it runs: its host says so.
      reload: () => undefined,
      told: () => undefined,
    },
  );
  void session.ready.then(() => send({ ask: 'start' }));
}
