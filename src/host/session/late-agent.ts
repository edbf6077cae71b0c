// Says that an agent does not come: a program runs without it, and its edits would wait for nothing.
import { IpbpError } from '../../codes/error.js';
import type { ReachContext } from './reach.js';

const AGENT_TIMEOUT_MS = 10_000;

/**
 * From now on the agent has time to connect; then a note (IPBP5006) says that it did not.
 * @param what begins the note: it is followed by the time
 * @returns ends the waiting
 */
export function noteLateAgent(
  { options, note }: Pick<ReachContext, 'options' | 'note'>,
  executable: string,
  what: string,
): () => void {
  const limit = options.agentTimeoutMs ?? AGENT_TIMEOUT_MS;
  const late = setTimeout(() => {
    const error = new IpbpError('IPBP5006', `${what} within ${limit / 1000} s`, { where: executable });
    note(error.code, error.message);
  }, limit);
  return () => clearTimeout(late);
}
