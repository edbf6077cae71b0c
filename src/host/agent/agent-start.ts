// Gets the agent into a program: has it built, listens for it, and says what the program's environment must hold so that
// the loader preloads it. The connection itself is agent-connection.ts, the build agent-build.ts.
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { agentLibrary } from './agent-build.js';
import { listenForAgent, type AgentConnection } from './agent-connection.js';
import { controlDirectory } from '../control/control-socket.js';

/** One program's agent, before it connected. */
export interface AgentExpected {
  /** For the program's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Resolves with the agent that proved the token; rejects with IPBP4006 when closed first. */
  readonly connected: Promise<AgentConnection>;
  close(): void;
}

/** What to prepare for. */
export interface AgentWanted {
  /** Of the session, for the socket's name. */
  readonly id: string;
  /** Target triple. */
  readonly target: string;
  /** The agent's thread starts only with the program's own first one. */
  readonly withFirstThread: boolean;
  /** Called before the agent is built, which takes some seconds, once per rustc. */
  readonly onBuild: () => void;
}

/** Throws IPBP4008 when the agent cannot be built, IPBP4009 when the socket cannot be opened. */
export async function expectAgent({ id, target, withFirstThread, onBuild }: AgentWanted): Promise<AgentExpected> {
  const library = await agentLibrary(target, { onBuild });
  // Not in the session's directory: a socket's path must be short.
  const socketPath = join(controlDirectory(), `${id}.agent`);
  rmSync(socketPath, { force: true });
  const token = randomBytes(32);
  const listener = await listenForAgent({ socketPath, token });
  const connected = listener.accept();
  connected.catch(() => {}); // Awaited later, when the program runs.
  const before = process.env['LD_PRELOAD'];
  return {
    connected,
    environment: {
      // First, so that its stand-ins for the C library's functions are found first (ld.so(8)).
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
}
