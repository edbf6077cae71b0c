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
  const added = [await agentObject(triple), ...wraps.map((word) => (driver ? `-Wl,${word}` : word))];
  // Before the first object: GNU ld takes from the archives behind only what it has missed by then.
  const first = args.findIndex((word) => !word.startsWith('-') && word.endsWith('.o'));
  return [...args.slice(0, Math.max(first, 0)), ...added, ...args.slice(Math.max(first, 0))];
}
