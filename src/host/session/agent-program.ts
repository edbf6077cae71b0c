// The engine for a process: opened while the program starts, attached when its agent has connected.
import { IpbpError } from '../../codes/error.js';
import { openLiveEngine } from '../../patch/live-engine.js';
import type { Delivery } from '../../patch/plan.js';
import type { AgentConnection } from '../agent/agent-connection.js';
import type { AgentExpected, AgentForm } from '../agent/agent-start.js';
import { isApple, isIos } from '../cargo/target-triple.js';
import type { Compiler } from '../compile/compile.js';
import type { DeliverMode } from '../events.js';
import { agentLink } from './agent-link.js';
import type { Held } from './held.js';
import { inputFile } from './kept-files.js';
import { noteLateAgent } from './late-agent.js';
import { followModules } from './library-engines.js';
import { archiveFiles, compiledAgainst } from './opened-libraries.js';
import type { ReachContext, Reached } from './reach.js';

/** What the engine is opened for. */
interface AgentProgramContext {
  readonly context: ReachContext;
  readonly held: Held;
  readonly compiler: Compiler | null;
  readonly listener: AgentExpected;
  /** How the agent comes in; null where none will: no loader brings it, and the program was linked without. */
  readonly form: (executable: string, args: readonly string[]) => AgentForm | null;
}

/** Opens it; `close` ends the connection, or the waiting for it. */
export function agentProgram(program: AgentProgramContext): { readonly reached: Promise<Reached>; close(): void } {
  const { context, held, compiler, listener } = program;
  const { project, options } = context;
  let agent: AgentConnection | null = null;
  const stopWaiting = noteLateAgent(context, held.executable, 'the agent did not connect');
  const open = async (): Promise<Reached> => {
    if (program.form(held.keptExecutable, held.root.args) === null) {
      const how = isIos(project.targetTriple) ? 'for iOS' : 'linked statically';
      throw new IpbpError('IPBP5023', `the executable is ${how}, without the agent`, { where: held.executable });
    }
    // While the program starts.
    const indexStart = performance.now();
    const delivery = deliveryOf(options.deliver, project.targetTriple);
    const executable = openLiveEngine(inputFile(held.executable, held.keptExecutable), delivery);
    if (delivery === 'library' && !executable.hasLoader)
      throw new IpbpError('IPBP5902', 'a static program cannot open patches as shared libraries', {
        where: held.executable,
      });
    const indexMs = performance.now() - indexStart;
    agent = await listener.connected;
    stopWaiting();
    const modules = await followModules(held, executable, agent, (key) =>
      archiveFiles(held, compiler?.linkInputs(key) ?? compiledAgainst(held, key)),
    );
    const { engine } = modules;
    const redirect = engine.slots > 0 ? ('slots' as const) : ('jump' as const);
    return { modules, link: agentLink(held, engine, agent), told: { redirect, indexMs } };
  };
  return {
    reached: open().finally(stopWaiting),
    close() {
      stopWaiting();
      agent?.close();
    },
  };
}

/** Where nothing else than libraries may be executed (Apple's systems), they are what `auto` means. Throws IPBP5902. */
function deliveryOf(mode: DeliverMode, target: string): Delivery {
  if (mode === 'map' && isApple(target))
    throw new IpbpError('IPBP5902', 'on this system a patch is a shared library', {
      where: `--deliver map, ${target}`,
    });
  return mode === 'dylib' || isApple(target) ? 'library' : 'map';
}
