// The arguments of a program's link with the agent added, where no loader would bring it in at the start: of a static one
// it becomes a part, one for iOS names its library.
import { agentLibrary, agentObject, WRAPPED } from '../agent/agent-build.js';
import { NO_TOOLS } from './target-tools.js';

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

/**
 * `args` with the agent's library for `triple`, which the program does without where it is gone. Throws IPBP4008 when it
 * cannot be built.
 */
export async function linkWithAgentLibrary(args: readonly string[], triple: string): Promise<readonly string[]> {
  const { IPBP_LINKER: linker = null } = process.env;
  const library = await agentLibrary(triple, { tools: { ...NO_TOOLS, linker } });
  const driver = args.some((word) => word.startsWith('-Wl,'));
  const added = ['-weak_library', library];
  return [...args, ...(driver ? added.map((word) => `-Wl,${word}`) : added)];
}
