// Gets the agent into a program: has it built, listens for it, and says what the program's environment must hold so that
// the loader preloads it. The connection itself is agent-connection.ts, the build agent-build.ts.
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { agentLibrary } from './agent-build.js';
import { listenForAgent, type AgentConnection } from './agent-connection.js';
import { controlDirectory } from './control-socket.js';

/** One program's agent, before it connected. */
export interface AgentExpected {
  /** For the program's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Resolves with the agent that proved the token; rejects with IPBP4006 when closed first. */
  readonly connected: Promise<AgentConnection>;
  close(): void;
}

/** @param id of the session, for the socket's name */
export type ListenForAgent = (id: string, target: string, withFirstThread: boolean) => Promise<AgentExpected>;

/** Throws IPBP4008 when the agent cannot be built, IPBP4009 when the socket cannot be opened. */
export const listenForPreloadedAgent: ListenForAgent = async (id, target, withFirstThread) => {
  // Not in the session's directory: a socket's path must be short.
  const socketPath = join(controlDirectory(), `${id}.agent`);
  rmSync(socketPath, { force: true });
  const token = randomBytes(32);
  const library = await agentLibrary(target);
  const listener = await listenForAgent({ socketPath, token });
  const connected = listener.accept();
  connected.catch(() => {}); // Awaited later, when the program runs.
  const before = process.env['LD_PRELOAD'];
  return {
    connected,
    environment: {
      LD_PRELOAD: before === undefined || before === '' ? library : `${library}:${before}`,
      IPBP_CONNECT: `unix:${socketPath}`,
      IPBP_TOKEN: token.toString('hex'),
      ...(withFirstThread ? { IPBP_AGENT_THREAD: 'first-thread' } : {}),
    },
    close() {
      listener.close();
      rmSync(socketPath, { force: true });
    },
  };
};
