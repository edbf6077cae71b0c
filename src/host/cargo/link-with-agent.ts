// The arguments of a static program's link with the agent added: no loader could bring it in at the start.
import { agentObject, WRAPPED } from '../agent/agent-build.js';

/** Whether these arguments, as rustc gives them, make a program without a loader. */
export function isStaticLink(args: readonly string[]): boolean {
  return args.some((word) => word === '-static' || word === '-static-pie');
}

/** `args` with the agent for `triple`. Throws IPBP4008 when it cannot be built. */
export async function linkWithAgent(args: readonly string[], triple: string): Promise<readonly string[]> {
  const wraps = WRAPPED.map((name) => `--wrap=${name}`);
  // rustc speaks to a compiler driver, or to the linker itself.
  const driver = args.some((word) => word.startsWith('-Wl,'));
  return [...args, await agentObject(triple), ...wraps.map((word) => (driver ? `-Wl,${word}` : word))];
}
