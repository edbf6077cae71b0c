// The engine for a program and the shared libraries of its workspace: finds each library among the modules of the
// process, has the agent keep room near it and opens an engine for it. What such an engine does is patch/; a library
// that cannot be followed is told with its reason, for refusing what changes in it.
import type { InputFile } from '../../patch/engine.js';
import { identityOf, sameIdentity } from '../../patch/program/base-program.js';
import { shareRoom, viewOfModule, type EngineSite } from '../../patch/program/module-view.js';
import { combineEngines, type ModuleEngine } from '../../patch/module-engines.js';
import type { ModuleIdentity } from '../../patch/image/image.js';
import { openLiveEngine, type LiveEngine, type OneModuleEngine } from '../../patch/live-engine.js';
import { readObjectFile } from '../../formats/read-object.js';
import { IpbpError } from '../../codes/error.js';
import type { AgentConnection } from '../agent/agent-connection.js';
import type { Held } from './build-start.js';
import { outputsOf } from '../cargo/unit.js';
import { sameFile } from '../files/same-file.js';
import { inputFile, mappedLibrary } from './kept-files.js';
import { refusedBy } from './refused-by.js';

/** What is followed of a program. */
export interface FollowedModules {
  /** For the executable and all libraries that can be followed. */
  readonly engine: LiveEngine;
  /** Libraries, as cargo named them, that cannot be, each with the reason. Those that are in neither came later. */
  readonly outOfReach: ReadonlyMap<string, string>;
  /** Libraries that the engine follows. */
  readonly libraries: ReadonlySet<string>;
}

interface Found {
  /** As cargo named it. */
  readonly library: string;
  readonly file: InputFile;
  /** Its number in the process. */
  readonly module: number;
}

/**
 * Attaches the executable's engine, and one for each shared library of the workspace that the process has mapped.
 * @throws IpbpError as `LiveEngine.attach` and `AgentConnection.reserve`
 */
export async function followModules(
  held: Held,
  executable: OneModuleEngine,
  agent: AgentConnection,
): Promise<FollowedModules> {
  const { program } = agent;
  const outOfReach = new Map<string, string>();
  const found = [...held.keptLibraries].flatMap(([library, kept]) => {
    const one = findModule(agent, library, kept);
    if (typeof one !== 'string') return [one];
    outOfReach.set(library, one);
    return [];
  });
  const mapped = (path: string): InputFile | null => {
    const own = found.find(({ module }) => program.modules[module]?.path === path);
    // cargo may have written another one to its path meanwhile.
    return own?.file ?? mappedLibrary(program.pid, path);
  };
  const [ownShare, ...shares] = shareRoom(program.tls, found.length + 1);
  const site: EngineSite =
    ownShare === undefined ? program : { ...program, tls: { ...program.tls, size: ownShare.size } };
  executable.attach(site, mapped);
  const modules = new Map<string, ModuleEngine>();
  for (const [i, { library, file, module }] of found.entries()) {
    const share = shares[i];
    if (share === undefined) throw new Error('internal: a library without a share of the room');
    const view = viewOfModule(program, module, await agent.reserve(module), share);
    try {
      const engine = openLiveEngine(file);
      engine.attach(view.site, mapped);
      modules.set(library, { engine, toProcess: view.toProcess });
    } catch (error) {
      if (!(error instanceof IpbpError)) throw error;
      outOfReach.set(library, refusedBy(error).message);
    }
  }
  const ownerOf = (object: string): ModuleEngine | null => {
    const library = held.graph.shared.get(object.slice(0, object.indexOf('/')));
    return library === undefined ? null : (modules.get(library) ?? null);
  };
  // What a library uses comes before it, as in the order of the units.
  const inOrder = held.graph.units.flatMap((unit) => modules.get(outputsOf(unit).sharedLibrary) ?? []);
  return {
    engine: combineEngines(executable, inOrder, ownerOf),
    libraries: new Set(modules.keys()),
    outOfReach,
  };
}

/** The library among the modules of the process; a text says why it is not there. */
function findModule(agent: AgentConnection, library: string, kept: string): Found | string {
  const { modules, pid } = agent.program;
  const file = inputFile(library, kept);
  let identity: ModuleIdentity;
  try {
    identity = identityOf(readObjectFile(file.source?.() ?? file.read(), library));
  } catch (error) {
    if (!(error instanceof IpbpError)) throw error;
    return refusedBy(error).message;
  }
  const module = modules.findIndex((one, i) => i > 0 && sameIdentity(identity, one.identity));
  const path = modules[module]?.path;
  if (path === undefined) return 'the process had not loaded it when it started';
  // The identity may be that of its code alone.
  const seen = path.startsWith('/') ? `/proc/${pid}/root${path}` : `/proc/${pid}/cwd/${path}`;
  if (!sameFile(seen, kept)) return `the process has loaded another file, ${path}`;
  return { library, file, module };
}
