// Programs that are modules for pages: cargo builds them, ipbp serves them with the project's page. What needs the engine
// is page-program.ts, which is loaded while cargo builds.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IpbpError } from '../../codes/error.js';
import { buildModule, moduleRun } from '../cargo/module-run.js';
import type { PageEvent, PageHost } from '../web/page-host.js';
import { pageDirectory } from '../web/page-directory.js';
import { startPageServer, type PageServer } from '../web/page-server.js';
import type { PageProgram } from './page-program.js';
import type { Expected, Reach, ReachContext } from './reach.js';

/** How long pages of the last build may take to go away. */
const LEAVE_MS = 1000;

/** The way to them. Throws IPBP5049 where there is no page, IPBP5902 for what only processes have. */
export function withPages(context: ReachContext): Reach {
  const { project, options, scripts, directories } = context;
  refuseOthers(context);
  const directory = pageDirectory(options.serve ?? null, options.directory, project.packages);
  const build = { project, options, scripts, places: directories };
  const recordingOf = (key: string): string => join(directories.units, key);
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
    isLinkedRight: (_, { key }) => existsSync(join(recordingOf(key), 'link')),
    async expect() {
      const loading = import('./page-program.js');
      loading.catch(() => {}); // Awaited when the module is built.
      const serving = (server ??= await startPageServer(directory, options.port ?? 0));
      let program: PageProgram | null = null;
      let close: () => void = () => undefined;
      const closed = new Promise<void>((fulfil) => (close = fulfil));
      return {
        async admit(held) {
          const { servePageProgram } = await loading;
          program = await servePageProgram(held, recordingOf(held.root.key), serving, (event) => tell(context, event));
          replace(program.host);
          return {};
        },
        open() {
          if (program === null) throw new Error('internal: the module is not served');
          return Promise.resolve(program.open(closed));
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

/** Until its pages have gone, or do not go. */
async function leave(host: PageHost | null): Promise<void> {
  if (host === null) return;
  for (const end = performance.now() + LEAVE_MS; host.pages.length > 0 && performance.now() < end;) {
    await sleep(20, undefined, { ref: false });
  }
  await host.close();
}

function refuseOthers({ options, project }: ReachContext): void {
  const given =
    options.redirect === 'jump'
      ? '--redirect jump'
      : options.deliver !== 'auto'
        ? `--deliver ${options.deliver}`
        : options.noBuild
          ? '--no-build'
          : options.programArguments.length > 0
            ? 'arguments for the program'
            : null;
  if (given === null) return;
  throw new IpbpError('IPBP5902', 'not for modules of WebAssembly', { where: `${given}, ${project.targetTriple}` });
}

function tell({ note, emit }: ReachContext, event: PageEvent): void {
  switch (event.event) {
    case 'connected':
    case 'disconnected':
      return emit({
        event: 'page',
        name: event.page.name,
        kind: event.page.kind,
        connected: event.event === 'connected',
      });
    case 'ready':
      return event.error === null ? undefined : note(event.error.code, `${event.page.name}: ${event.error.message}`);
    case 'trapped': {
      const { function: name, patch, message } = event.trap;
      const of = patch === null ? '' : ` of patch #${patch}`;
      return note(null, `${event.page.name}: ${name}${of} trapped: ${message}`);
    }
    case 'rejected':
      return note(event.error.code, event.error.message);
  }
}
