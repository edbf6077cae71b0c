// Patches into a process: its agent is told what to do, as one transaction each. The connection is agent-connection.ts.
import { IpbpError } from '../../codes/error.js';
import type { LiveEngine } from '../../patch/live-engine.js';
import type { TransactionResult } from '../../patch/wire/frames.js';
import type { AgentConnection } from '../agent/agent-connection.js';
import { runningPath } from '../files/process-files.js';
import { sameFile } from '../files/same-file.js';
import type { Held } from './held.js';
import type { Answer, ProgramLink } from './program-link.js';
import { objectPaths } from './session-store.js';

/** The way into the process that this agent is in. */
export function agentLink(held: Held, engine: LiveEngine, agent: AgentConnection): ProgramLink {
  let executableChecked = false;
  /** Throws IPBP5007. */
  const checkExecutable = (): void => {
    // Elsewhere its identity, by which the engine knows it, is all there is.
    if (executableChecked || !held.isShown) return;
    if (!sameFile(`/proc/${agent.program.pid}/exe`, held.keptExecutable))
      throw new IpbpError('IPBP5007', 'the process runs another file than the one that was kept', {
        expected: held.executable,
        actual: runningPath(agent.program.pid),
      });
    executableChecked = true;
  };
  return {
    pid: agent.program.pid,
    closed: agent.closed,
    async apply(patch, image, objects) {
      checkExecutable();
      return answerOf(await agent.transact(patch, engine.transaction(image, objectPaths(objects))));
    },
    undo: async (patch, { ops }) => answerOf(await agent.transact(patch, ops)),
    redo: async (patch, { ops }) => answerOf(await agent.transact(patch, ops)),
  };
}

function answerOf({ status, message, moved }: TransactionResult): Answer {
  if (status === 'applied') return { kind: 'taken', moved, warnings: [] };
  return {
    kind: 'refused',
    items: [{ code: 'IPBP4010', name: '', message: message || status, because: [status] }],
  };
}
