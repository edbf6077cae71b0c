// A module for pages, from its link to the first page that asks for it: prepared of all that it was linked of, served, with
// a host that its instances connect to. The engine is the one of every program.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { openArchive } from '../../formats/archive.js';
import type { LinkedInput } from '../../formats/wasm/known-places.js';
import { openLiveEngine } from '../../patch/live-engine.js';
import { readLinkInputs } from '../cargo/link-arguments.js';
import { agentScript } from '../web/agent-script.js';
import { definedIn, prepareModule, type PreparedModule } from '../web/base-facts.js';
import { makeGlue } from '../web/glue.js';
import { startPageHost, type PageEvent, type PageHost } from '../web/page-host.js';
import type { PageServer } from '../web/page-server.js';
import type { Held } from './held.js';
import { inputFile } from './kept-files.js';
import { onlyExecutable } from './library-engines.js';
import { archiveFiles } from './opened-libraries.js';
import { pageLink } from './page-link.js';
import type { Reached } from './reach.js';
import { objectId } from './split-objects.js';

/** A module that is served. */
export interface PageProgram {
  readonly host: PageHost;
  /** Opens the engine. `closed` resolves when it is served no more. */
  open(closed: Promise<void>): Reached;
}

/**
 * Prepares and serves a module.
 * @param recording of its unit, where the script that stands in for the linker leaves what was linked
 * @throws IpbpError IPBP5051 where that is not known, IPBP2040 for a module that cannot be a base,
 * IPBP5054, IPBP5055, IPBP2041 where its bindings cannot be made
 */
export async function servePageProgram(
  held: Held,
  recording: string,
  server: PageServer,
  onEvent: (event: PageEvent) => void,
): Promise<PageProgram> {
  const start = performance.now();
  const linked = prepared(held, recording);
  const name = basename(held.executable);
  const folder = dirname(held.keptExecutable);
  const glue = await makeGlue(linked, name.replace(/\.wasm$/, ''), join(folder, 'bindings'));
  const { bytes, facts } = glue?.module ?? linked;
  const file = join(folder, 'prepared');
  writeFileSync(file, bytes);
  const token = randomBytes(32);
  const host = await startPageHost({
    token: new Uint8Array(token),
    // Programs that are no browsers have no origin; they have the token from us.
    origin: (origin) => origin === null || origin === server.origin,
    onEvent,
  });
  const settings = JSON.stringify({ url: host.url, token: token.toString('hex') });
  server.serve({
    name,
    linked: held.keptExecutable,
    bytes,
    glue: glue?.files ?? new Map(),
    agent: `${agentScript()}\nipbpAgent.install(${settings});\n`,
    isShared: facts.sharedPages !== null,
  });
  return {
    host,
    open(closed) {
      const engine = openLiveEngine(inputFile(held.executable, file));
      return {
        modules: onlyExecutable(engine),
        link: pageLink(host, { format: 'wasm', facts }, closed),
        told: { redirect: 'slots', indexMs: performance.now() - start, url: `${server.origin}/` },
      };
    },
  };
}

function prepared(held: Held, recording: string): PreparedModule {
  const { root } = held;
  const link = readLinkInputs(join(recording, 'link'), root.cwd, root.crate);
  if (link === null)
    throw new IpbpError('IPBP5051', 'what the module was linked of is not known', { where: recording });
  const own = [...held.objects].flatMap(([key, objects]) =>
    [...objects].map(([name, { path }]): LinkedInput => ({ name: objectId(key, name), bytes: bytesOf(path) })),
  );
  const others = link.objects.map((path): LinkedInput => ({ name: path, bytes: bytesOf(path) }));
  const members = archiveFiles(held, link).flatMap(({ name }) => membersOf(name));
  // What these crates define an edit can change, copies of a library's generic code among it.
  const patchable = definedIn(own);
  return prepareModule(
    { name: held.executable, bytes: bytesOf(held.keptExecutable) },
    [...own, ...others, ...members],
    (name) => patchable.has(name),
  );
}

/** The objects of an archive; an rlib holds metadata, too. */
function membersOf(path: string): LinkedInput[] {
  const archive = openArchive(bytesOf(path), path);
  return archive.members
    .filter(({ name }) => name.endsWith('.o'))
    .map(({ name, index }) => ({ name: `${path}(${name})`, bytes: archive.memberBytes(index) }));
}

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}
