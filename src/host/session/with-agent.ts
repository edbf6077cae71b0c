// Programs that are processes: cargo starts them, with the agent preloaded or linked in. What needs the engine is
// agent-program.ts, which is loaded while cargo builds.
import { attachedRun } from '../cargo/attached-run.js';
import { cargoBuild } from '../cargo/cargo-build.js';
import { cargoRun } from '../cargo/cargo-run.js';
import { isLinkedOtherwise } from '../cargo/slot-environment.js';
import { expectAgent, type AgentForm } from '../agent/agent-start.js';
import { agentForm } from './agent-form.js';
import { refuseForProcesses } from './module-terms.js';
import type { Expected, Reach, ReachContext } from './reach.js';

/** The way to them. Throws IPBP5902 for what only modules have. */
export function withAgent(context: ReachContext): Reach {
  const { project, options, scripts, directories } = context;
  refuseForProcesses(context, false);
  const formOf = (executable: string, args: readonly string[]): AgentForm | null =>
    agentForm(executable, args, project.targetTriple);
  return {
    hasProcess: true,
    start: () =>
      options.attached === undefined ? cargoRun(project, options, scripts, directories) : attachedRun(options.attached),
    build: (signal) => cargoBuild(project, options, scripts, directories, signal),
    isLinkedRight: (executable, { args }) =>
      !isLinkedOtherwise(executable, options.redirect, project.targetTriple) && formOf(executable, args) !== null,
    async expect() {
      // Loading takes as long as Node's own start.
      const loading = import('./agent-program.js');
      loading.catch(() => {}); // Awaited when the program runs.
      const listener = await expectAgent({
        id: context.id,
        target: project.targetTriple,
        tools: project.tools,
        withFirstThread: options.noAgentThread === true,
        onBuild: () => context.note(null, 'building the agent (once per rustc)'),
      });
      let opened: { close(): void } | null = null;
      return {
        async admit({ keptExecutable, root }) {
          // A static program without the agent would only hand the agent's environment on to its children.
          const form = formOf(keptExecutable, root.args);
          return form === null ? {} : listener.environment(form);
        },
        async open(held, compiler) {
          const { agentProgram } = await loading;
          const program = agentProgram({ context, held, compiler, listener, form: formOf });
          opened = program;
          return program.reached;
        },
        close() {
          opened?.close();
          listener.close();
        },
      } satisfies Expected;
    },
    close: () => Promise.resolve(),
  };
}
