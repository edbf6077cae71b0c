// Gets the agent into a program: has it built, listens for it, and says what the program's environment must hold so that
// the loader preloads it. The connection itself is agent-connection.ts, the build agent-build.ts.
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { agentLibrary, agentObject, type AgentBuildOptions } from './agent-build.js';
import { listenForAgent, type AgentConnection } from './agent-connection.js';
import type { TargetTools } from '../cargo/target-tools.js';
import { isApple, isMusl } from '../cargo/target-triple.js';
import { controlDirectory } from '../control/control-socket.js';

/** How the agent gets into a program: by the loader, or where there is none by the linker (cargo/link-with-agent.ts). */
export type AgentForm = 'preloaded' | 'linked';

/** One program's agent, before it connected. */
export interface AgentExpected {
  /**
   * For the program's environment: the agent is preloaded, or linked into the program.
   * Throws IPBP4008 when the library to preload cannot be built.
   */
  environment(form: AgentForm): Promise<Readonly<Record<string, string>>>;
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
  /** To build the agent with; without: this machine's own. */
  readonly tools?: TargetTools;
  /** The agent's thread starts only with the program's own first one. */
  readonly withFirstThread: boolean;
  /** Called before the agent is built, which takes some seconds, once per rustc. */
  readonly onBuild: () => void;
}

/**
 * Builds what programs for a target will need, unless it is there: a library to preload, or for musl, whose programs are
 * static unless they are told not to be, an object to link. Throws IPBP4008.
 */
export function prepareAgent(target: string, options: AgentBuildOptions): Promise<string> {
  return isMusl(target) ? agentObject(target, options) : agentLibrary(target, options);
}

/** Throws IPBP4009 when the socket cannot be opened. */
export async function expectAgent(wanted: AgentWanted): Promise<AgentExpected> {
  const { id, target, withFirstThread } = wanted;
  // Built while cargo builds the program, and not missed where it comes in otherwise.
  const building = prepareAgent(target, wanted);
  building.catch(() => {});
  // Not in the session's directory: a socket's path must be short.
  const socketPath = join(controlDirectory(), `${id}.agent`);
  rmSync(socketPath, { force: true });
  const token = randomBytes(32);
  const listener = await listenForAgent({ socketPath, token });
  const connected = listener.accept();
  connected.catch(() => {}); // Awaited later, when the program runs.
  const preload = isApple(target) ? 'DYLD_INSERT_LIBRARIES' : 'LD_PRELOAD';
  const before = process.env[preload];
  return {
    connected,
    async environment(form) {
      const connection = {
        IPBP_CONNECT: `unix:${socketPath}`,
        IPBP_TOKEN: token.toString('hex'),
        ...(withFirstThread ? { IPBP_AGENT_THREAD: 'first-thread' } : {}),
      };
      if (form === 'linked') return connection;
      // For musl a shared library cannot even be made: asking for it says so.
      const library = isMusl(target) ? await agentLibrary(target) : await building;
      // First, so that its stand-ins for the C library's functions are found first (ld.so(8)).
      return { [preload]: before === undefined || before === '' ? library : `${library}:${before}`, ...connection };
    },
    close() {
      listener.close();
      rmSync(socketPath, { force: true });
    },
  };
}
