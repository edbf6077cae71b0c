// WASI programs: cargo starts them by its runner for the target, which gets the prepared module in place of the one that
// cargo built. Where the user has set none, it is Node with our own script (agent/wasi/), which attaches by itself.
import { cargoBuild } from '../cargo/cargo-build.js';
import type { CargoProject } from '../cargo/cargo-project.js';
import { cargoRun } from '../cargo/cargo-run.js';
import { builtForPages } from '../web/agent-script.js';
import type { PreparedProgram } from './page-program.js';
import { noteLateAgent } from './late-agent.js';
import { recordedLinks, refuseForModules, refuseForProcesses, tellPage } from './module-terms.js';
import type { Expected, Reach, ReachContext } from './reach.js';

/** The way to them. Throws IPBP5902 for what other processes have, IPBP4008 where our script was not built. */
export function withWasi(context: ReachContext): Reach {
  const { options, scripts, directories } = context;
  refuseForModules(context);
  refuseForProcesses(context, true);
  const project = withRunner(context.project);
  const links = recordedLinks(context);
  return {
    hasProcess: true,
    start: () => cargoRun(project, options, scripts, directories),
    build: (signal) => cargoBuild(project, options, scripts, directories, signal),
    isLinkedRight: (_, { key }) => links.has(key),
    expect() {
      const loading = import('./page-program.js');
      loading.catch(() => {}); // Awaited when the module is built.
      let program: PreparedProgram | null = null;
      let stopWaiting: () => void = () => undefined;
      let end: () => void = () => undefined;
      const closed = new Promise<void>((fulfil) => (end = fulfil));
      const expected: Expected = {
        async admit(held) {
          const { prepareProgram } = await loading;
          program = await prepareProgram(
            held,
            { recording: links.folderOf(held.root.key), patchable: options.patchable },
            {
              origin: (origin) => origin === null,
              onEvent(event) {
                if (event.event === 'connected') stopWaiting();
                tellPage(context, event);
              },
            },
          );
          return { IPBP_PROGRAM: program.file, IPBP_CONNECT: program.host.url, IPBP_TOKEN: program.token };
        },
        open(held) {
          if (program === null) throw new Error('internal: the module is not prepared');
          stopWaiting = noteLateAgent(context, held.executable, 'no agent connected');
          return Promise.resolve(program.open(held.pid, closed));
        },
        close() {
          stopWaiting();
          end();
          void program?.host.close();
        },
      };
      return Promise.resolve(expected);
    },
    close: () => Promise.resolve(),
  };
}

/** The user's own runner has the host's address in its environment, for a program that attaches by `ipbp/web`. */
function withRunner(project: CargoProject): CargoProject {
  if (project.runner !== null) return project;
  return { ...project, runner: { words: [process.execPath, builtForPages('wasi.js')], asText: false } };
}
