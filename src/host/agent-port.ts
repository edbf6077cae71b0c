// The agent as a session uses it. agent-binding.ts makes it from the real connection.
import type { AgentOp, ProgramInfo, TransactionResult } from '../patch/frames.js';

/** One program's agent, authenticated. */
export interface AgentLink {
  readonly info: ProgramInfo;
  /** One transaction at a time. Rejects with IPBP4xxx when the connection ends meanwhile. */
  transact(patch: number, ops: readonly AgentOp[]): Promise<TransactionResult>;
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Waits for one program's agent. */
export interface AgentListener {
  /** What the program's environment has to hold. */
  readonly environment: Readonly<Record<string, string>>;
  /** Resolves with the agent that proved the token. Never rejects on its own: the session sets the time. */
  readonly connected: Promise<AgentLink>;
  close(): void;
}

/**
 * Makes the agent ready (building it when it is not there yet) and listens.
 * @param directory of the session, for a socket or a file
 */
export type ListenForAgent = (directory: string, target: string) => Promise<AgentListener>;
