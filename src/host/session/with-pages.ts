// Programs that are modules for pages: cargo builds them, ipbp serves them with the project's page. What needs the engine
// is page-program.ts, which is loaded while cargo builds.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { wrapperEnvironment } from '../cargo/cargo-run.js';
import { buildModule, moduleRun } from '../cargo/module-run.js';
import { linkEnvironment } from '../cargo/slot-environment.js';
import type { PageHost } from '../web/page-host.js';
import { pageDirectory } from '../web/page-directory.js';
import type { PageTool } from '../web/page-tool.js';
import { startPageServer, type PageServer } from '../web/page-server.js';
import type { PreparedProgram } from './page-program.js';
import { recordedLinks, refuseForModules, tellPage } from './module-terms.js';
import type { Expected, Reach, ReachContext } from './reach.js';

/** How long pages of the last build may take to go away. */
const LEAVE_MS = 1000;

/** The way to them. Throws IPBP5049 where there is no page, IPBP5902 for what only processes have. */
export function withPages(context: ReachContext): Reach {
  const { project, options, scripts, directories } = context;
  refuseForModules(context, options.programArguments.length > 0 ? 'arguments for the program' : null);
  const tool = pageTool(context);
  // The command makes it.
  if (tool !== undefined && options.serve !== undefined)
    mkdirSync(resolve(options.directory, options.serve), { recursive: true });
  const directory = pageDirectory(options.serve ?? null, options.directory, project.packages);
  const build = { project, options, scripts, places: directories };
  const links = recordedLinks(context);
  let server: PageServer | null = null;
  let host: PageHost | null = null;
  /** Pages of the last build come again for this one. */
  const replace = (next: PageHost): void => {
    const last = host;
    host = next;
    last?.reload('the program was built anew');
    void leave(last);
  };
  return {
    hasProcess: false,
    start: () => moduleRun(build),
    build: (signal) => buildModule(build, signal),
    isLinkedRight: (_, { key }) => links.has(key),
    async expect() {
      const loading = import('./page-program.js');
      loading.catch(() => {}); // Awaited when the module is built.
      const serving = (server ??= await startPageServer(directory, options.port ?? 0));
      let program: PreparedProgram | null = null;
      let close: () => void = () => undefined;
      const closed = new Promise<void>((fulfil) => (close = fulfil));
      return {
        async admit(held) {
          const { prepareProgram, serveProgram } = await loading;
          program = await prepareProgram(
            held,
            { recording: links.folderOf(held.root.key), patchable: options.patchable },
            {
              // Programs that are no browsers have no origin; they have the token from us.
              origin: (origin) => origin === null || origin === serving.origin,
              onEvent: (event) => tellPage(context, event),
              ...(tool === undefined ? {} : { tool }),
            },
          );
          serveProgram(program, held, serving);
          replace(program.host);
          return {};
        },
        open() {
          if (program === null) throw new Error('internal: the module is not served');
          const { told, ...reached } = program.open(process.pid, closed);
          return Promise.resolve({ ...reached, told: { ...told, url: `${serving.origin}/` } });
        },
        close,
      } satisfies Expected;
    },
    async close() {
      await host?.close();
      await server?.close();
    },
  };
}

function pageTool({ project, options, scripts, directories }: ReachContext): PageTool | undefined {
  if (options.buildPage === undefined) return undefined;
  const environment = {
    ...wrapperEnvironment(project, scripts, directories),
    ...linkEnvironment('auto', project.targetTriple, scripts),
  };
  return { command: options.buildPage, directory: options.directory, environment };
}

/** Until its pages have gone, or do not go. */
async function leave(host: PageHost | null): Promise<void> {
  if (host === null) return;
  for (const end = performance.now() + LEAVE_MS; host.pages.length > 0 && performance.now() < end;) {
    await sleep(20, undefined, { ref: false });
  }
  await host.close();
}
