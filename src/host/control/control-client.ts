// Asks a running session over its control socket.
import { IpbpError } from '../../codes/error.js';
import type { ControlRequest, ControlResponse } from './control.js';
import { controlPath, listSessions, tryConnect } from './control-socket.js';

/**
 * Sends one request and waits for its answer.
 * @param id a session, or null for the only one there is
 * @throws IpbpError IPBP5012 when no session is meant, none answers or several could be; an error of the session is an
 *   answer, not an exception
 */
export async function askSession(id: string | null, request: ControlRequest): Promise<ControlResponse> {
  const chosen = id ?? (await onlySession());
  // An id becomes part of a path.
  if (!/^[0-9a-f]+$/.test(chosen)) throw noSession(chosen);
  const socket = await tryConnect(controlPath(chosen));
  if (socket === null) throw noSession(chosen);
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end < 0) return;
      socket.destroy();
      resolve(JSON.parse(text.slice(0, end)) as ControlResponse);
    });
    socket.on('close', () =>
      reject(new IpbpError('IPBP5012', 'the session ended before it answered', { where: chosen })),
    );
    socket.on('error', () => socket.destroy());
    socket.write(`${JSON.stringify(request)}\n`);
  });
}

async function onlySession(): Promise<string> {
  const [first, ...more] = await listSessions();
  if (first === undefined) throw new IpbpError('IPBP5012', 'no ipbp run is under way');
  if (more.length > 0) {
    throw new IpbpError('IPBP5012', 'several sessions are under way', {
      expected: '--session with one of them',
      actual: [first, ...more].join(', '),
    });
  }
  return first;
}

function noSession(id: string): IpbpError {
  return new IpbpError('IPBP5012', 'no such session answers', { where: id });
}
