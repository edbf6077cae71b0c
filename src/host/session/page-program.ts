// A module from its link to the first instance: prepared of all that it was linked of, with a host that its instances
// connect to. The engine is the one of every program.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { LinkedInput } from '../../formats/wasm/known-places.js';
import { openLiveEngine } from '../../patch/live-engine.js';
import type { TabledFacts } from '../../patch/program/tabled-facts.js';
import { readLinkInputs } from '../cargo/link-arguments.js';
import { agentScript } from '../web/agent-script.js';
import { definedIn, objectsIn, prepareModule, type PreparedModule } from '../web/base-facts.js';
import { makeGlue } from '../web/glue.js';
import { startPageHost, type PageEvent, type PageHost } from '../web/page-host.js';
import { makePage, type PageTool } from '../web/page-tool.js';
import type { PageServer, ServedModule } from '../web/page-server.js';
import type { Held } from './held.js';
import { inputFile } from './kept-files.js';
import { onlyExecutable } from './library-engines.js';
import { archiveFiles } from './opened-libraries.js';
import { pageLink } from './page-link.js';
import type { Reached } from './reach.js';
import { objectId } from './split-objects.js';

/** A module that is made one for patches, with the host that its instances connect to. */
export interface PreparedProgram {
  /** As it was written. */
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly facts: TabledFacts;
  /** Files of bindings that are served beside it, by their name. */
  readonly glue: ServedModule['glue'];
  readonly host: PageHost;
  /** Of {@link host}, in hexadecimal. */
  readonly token: string;
  /** Opens the engine. `closed` resolves when no instance gets patches any more. */
  open(pid: number, closed: Promise<void>): Reached;
}

/** Who may connect, who hears of it, and what comes before. */
interface PageHostWanted {
  readonly origin: (origin: string | null) => boolean;
  readonly onEvent: (event: PageEvent) => void;
  /** Makes the page of the module, and has bindings made, where the page is not there as it is. */
  readonly tool?: PageTool;
}

/** What a module is prepared of, and how. */
interface PrepareOptions {
  /** Of its unit: where the script that stands in for the linker leaves what was linked. */
  readonly recording: string;
  /** Crates whose functions can be patched. */
  readonly patchable: readonly string[] | undefined;
}

/**
 * Prepares a module, and begins to listen for its instances.
 * @throws IpbpError IPBP5051 where that is not known, IPBP2040 for a module that cannot be a base,
 * IPBP5054 to IPBP5056, IPBP2041 where its bindings cannot be made
 */
export async function prepareProgram(
  held: Held,
  { recording, patchable }: PrepareOptions,
  wanted: PageHostWanted,
): Promise<PreparedProgram> {
  const start = performance.now();
  const linked = prepared(held, recording, chosenKeys(held, patchable));
  const name = basename(held.executable);
  const kept = dirname(held.keptExecutable);
  const { tool } = wanted;
  const between = join(kept, 'bindings');
  const glue = tool === undefined ? await makeGlue(linked, name.replace(/\.wasm$/, ''), between) : null;
  const module = { prepared: linked, name, linked: held.keptExecutable };
  const { bytes, facts } = tool === undefined ? (glue?.module ?? linked) : await makePage(tool, module, between);
  const folder = join(kept, 'prepared');
  mkdirSync(folder);
  const file = join(folder, name);
  writeFileSync(file, bytes);
  const token = randomBytes(32);
  const host = await startPageHost({ ...wanted, token: new Uint8Array(token) });
  return {
    ...{ file, bytes, facts, host, token: token.toString('hex'), glue: glue?.files ?? new Map() },
    open(pid, closed) {
      const engine = openLiveEngine(inputFile(held.executable, file));
      return {
        modules: onlyExecutable(engine),
        link: pageLink(host, { format: 'wasm', facts }, { pid, closed }),
        told: { redirect: 'slots', indexMs: performance.now() - start },
      };
    },
  };
}

/** Has a server give a module to pages, with the agent. */
export function serveProgram(
  { bytes, facts, glue, host, token }: PreparedProgram,
  held: Held,
  server: PageServer,
): void {
  const settings = JSON.stringify({ url: host.url, token });
  server.serve({
    name: basename(held.executable),
    linked: held.keptExecutable,
    bytes,
    glue,
    agent: `${agentScript()}\nipbpAgent.install(${settings});\n`,
    isShared: facts.sharedPages !== null,
  });
}

/** Keys of the units whose functions can be patched. Throws IPBP5901 for a crate that is not there. */
function chosenKeys({ graph }: Held, crates: readonly string[] | undefined): ReadonlySet<string> {
  const names = crates?.map((name) => name.replaceAll('-', '_'));
  const unknown = names?.find((name) => !graph.units.some(({ crate }) => crate === name));
  if (unknown !== undefined)
    throw new IpbpError('IPBP5901', 'no crate of this name is followed', {
      expected: graph.units.map(({ crate }) => crate).join(', '),
      actual: unknown,
    });
  return new Set(graph.units.filter(({ crate }) => names?.includes(crate) !== false).map(({ key }) => key));
}

function prepared(held: Held, recording: string, chosen: ReadonlySet<string>): PreparedModule {
  const { root } = held;
  const link = readLinkInputs(join(recording, 'link'), root.cwd, root.crate);
  if (link === null)
    throw new IpbpError('IPBP5051', 'what the module was linked of is not known', { where: recording });
  const ofUnits = [...held.objects].map(([key, objects]) => ({
    key,
    objects: [...objects].map(([name, { path }]): LinkedInput => ({ name: objectId(key, name), bytes: bytesOf(path) })),
  }));
  const own = ofUnits.flatMap(({ objects }) => objects);
  const others = link.objects.map((path): LinkedInput => ({ name: path, bytes: bytesOf(path) }));
  const members = archiveFiles(held, link).flatMap(({ name }) => objectsIn({ name, bytes: bytesOf(name) }));
  // What these crates define an edit can change, copies of a library's generic code among it.
  const patchable = definedIn(ofUnits.flatMap(({ key, objects }) => (chosen.has(key) ? objects : [])));
  return prepareModule(
    { name: held.executable, bytes: bytesOf(held.keptExecutable) },
    [...own, ...others, ...members],
    (name) => patchable.has(name),
  );
}

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}
