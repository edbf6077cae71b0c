// The engine for a program and the shared libraries of its workspace: finds each library among the modules of the
// process, has the agent keep room near it and opens an engine for it: at the start for those that were loaded with the
// program, later for those that it opened. What such an engine does is patch/; a library that cannot be followed is told
// with its reason, for refusing what changes in it.
import type { InputFile, RefusedItem } from '../../patch/engine.js';
import { identityOf, sameIdentity } from '../../patch/program/base-program.js';
import { shareRoom, viewOfModule, type EngineSite, type RoomShare } from '../../patch/program/module-view.js';
import { combineEngines, type ModuleEngine } from '../../patch/module-engines.js';
import type { ModuleIdentity } from '../../patch/image/image.js';
import { openLiveEngine, type EngineDiff, type LiveEngine, type OneModuleEngine } from '../../patch/live-engine.js';
import { readObjectFile } from '../../formats/read-object.js';
import { IpbpError } from '../../codes/error.js';
import type { AgentConnection } from '../agent/agent-connection.js';
import type { Held } from './held.js';
import type { PluginLibrary } from '../cargo/capture-store.js';
import { outputsOf } from '../cargo/unit.js';
import { asSeenBy } from '../files/process-files.js';
import { sameFile } from '../files/same-file.js';
import { inputFile, mappedLibrary } from './kept-files.js';
import { refusedBy } from './refused-by.js';
import type { NewestObjects } from './split-objects.js';

/** What is followed of a program. */
export interface FollowedModules {
  /** For the executable and all libraries that are followed. */
  readonly engine: LiveEngine;
  /** Libraries, as cargo named them, that cannot be, each with the reason. Those that are in neither came later. */
  readonly outOfReach: ReadonlyMap<string, string>;
  /** Libraries that the engine follows. */
  readonly libraries: ReadonlySet<string>;
  /**
   * Follows those of these libraries that the program has opened by itself since; they are what it gives.
   * @throws IpbpError as `AgentConnection.look`
   */
  followOpened(plugins: readonly PluginLibrary[]): Promise<readonly PluginLibrary[]>;
  /** `engine.diff` for a library that is followed, alone. */
  diffIn(library: string, before: readonly InputFile[], after: readonly InputFile[]): EngineDiff;
  /** A library is not what its objects say. */
  abandon(library: string, why: string): void;
}

/** Of a program without libraries of the workspace. */
export function onlyExecutable(engine: LiveEngine): FollowedModules {
  return {
    engine,
    outOfReach: new Map(),
    libraries: new Set(),
    followOpened: () => Promise.resolve([]),
    diffIn(library) {
      throw new Error(`internal: ${library} is not followed`);
    },
    abandon: () => undefined,
  };
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
 * @param archivesOf what a library that the program opens is linked with besides followed crates, by its unit's key
 * @throws IpbpError as `LiveEngine.attach` and `AgentConnection.reserve`
 */
export async function followModules(
  held: Held,
  executable: OneModuleEngine,
  agent: AgentConnection,
  archivesOf: (key: string) => readonly InputFile[],
): Promise<FollowedModules> {
  const outOfReach = new Map<string, string>();
  const modules = new Map<string, ModuleEngine>();
  const all: Found[] = [];
  const find = (libraries: Iterable<string>, absent: (library: string) => void): readonly Found[] => {
    const found = [...libraries].flatMap((library) => {
      const kept = held.keptLibraries.get(library);
      const one = kept === undefined ? null : findModule(agent, library, kept);
      if (one === null) absent(library);
      else if (typeof one === 'string') outOfReach.set(library, one);
      else return [one];
      return [];
    });
    all.push(...found);
    return found;
  };
  const mapped = (path: string): InputFile | null => {
    const own = all.find(({ module }) => agent.program.modules[module]?.path === path);
    // cargo may have written another one to its path meanwhile.
    return own?.file ?? mappedLibrary(agent.program.pid, path);
  };
  const follow = async (found: Found, share: RoomShare | undefined, apart: ModuleEngine['apart']): Promise<void> => {
    const { library, file, module } = found;
    if (share === undefined) throw new Error('internal: a library without a share of the room');
    const room = await agent.reserve(module);
    if (apart !== undefined && room.reservation.size === 0) {
      outOfReach.set(library, 'the program has closed it, or there is no room for patches near it');
      return;
    }
    try {
      const view = viewOfModule(agent.program, module, room, share);
      const engine = openLiveEngine(file, executable.delivery);
      engine.attach(view.site, mapped);
      modules.set(library, { engine, toProcess: view.toProcess, ...(apart === undefined ? {} : { apart }) });
    } catch (error) {
      if (!(error instanceof IpbpError)) throw error;
      outOfReach.set(library, refusedBy(error).message);
    }
  };

  const { plugins } = held.graph;
  const atStart = new Set(
    [...held.keptLibraries.keys()].filter((one) => !plugins.some(({ library }) => library === one)),
  );
  const found = find(atStart, (library) => outOfReach.set(library, 'the process had not loaded it when it started'));
  const { program } = agent;
  const [ownShare, ...shares] = shareRoom(program.tls, found.length + plugins.length + 1);
  const site: EngineSite =
    ownShare === undefined ? program : { ...program, tls: { ...program.tls, size: ownShare.size } };
  executable.attach(site, mapped);
  for (const one of found) await follow(one, shares.shift(), undefined);

  // What a library uses comes before it, as in the order of the units.
  const inOrder = (): readonly ModuleEngine[] =>
    held.graph.units.flatMap((unit) => modules.get(outputsOf(unit).sharedLibrary) ?? []);
  const ownersOf = (object: string): readonly (ModuleEngine | null)[] => {
    const key = object.slice(0, object.indexOf('/'));
    const library = held.graph.shared.get(key);
    if (library !== undefined) return [modules.get(library) ?? null];
    const opened = held.graph.plugins.flatMap((one) => (one.keys.has(key) ? (modules.get(one.library) ?? []) : []));
    return held.graph.linked.has(key) ? [null, ...opened] : opened;
  };
  const engine = combineEngines(executable, { libraries: inOrder, ownersOf });
  return {
    engine,
    get libraries() {
      return new Set(modules.keys());
    },
    outOfReach,
    async followOpened(wanted) {
      const closed = wanted.filter(({ library }) => !modules.has(library) && !outOfReach.has(library));
      if (closed.length === 0) return [];
      await agent.look();
      for (const one of find(
        closed.map(({ library }) => library),
        () => undefined,
      )) {
        const key = closed.find(({ library }) => library === one.library)?.key ?? '';
        await follow(one, shares.shift(), { archives: () => archivesOf(key) });
      }
      return closed.filter(({ library }) => modules.has(library));
    },
    diffIn(library, before, after) {
      const module = modules.get(library);
      if (module === undefined) throw new Error(`internal: ${library} is not followed`);
      return engine.diffIn(module, before, after);
    },
    abandon(library, why) {
      modules.delete(library);
      outOfReach.set(library, why);
    },
  };
}

/** The library among the modules of the process; a text says why it is not to be followed, null: it is not there. */
function findModule(agent: AgentConnection, library: string, kept: string): Found | string | null {
  const { modules, pid } = agent.program;
  const file = inputFile(library, kept);
  let identity: ModuleIdentity;
  try {
    identity = identityOf(readObjectFile(file.source?.() ?? file.read(), library));
  } catch (error) {
    if (!(error instanceof IpbpError)) throw error;
    return refusedBy(error).message;
  }
  const same = [...modules.keys()].filter((i) => i > 0 && sameIdentity(identity, modules[i]?.identity ?? NOTHING));
  const [module, second] = same;
  const path = modules[module ?? -1]?.path;
  if (module === undefined || path === undefined)
    return modules.some((one) => sameFileName(one.path, library)) ? 'the process has opened another build of it' : null;
  if (second !== undefined) return 'the process has loaded it more than once';
  // The identity may be that of its code alone.
  if (!sameFile(asSeenBy(pid, path), kept)) return `the process has loaded another file, ${path}`;
  return { library, file, module };
}

/** Code of shared libraries that cannot be followed lies out of a patch's reach. */
export function changedElsewhere(
  { graph }: Held,
  modules: FollowedModules,
  { differences }: NewestObjects,
): readonly RefusedItem[] {
  return graph.units.flatMap((unit) => {
    const { changed, removed } = differences.get(unit.key) ?? { changed: [], removed: [] };
    if (changed.length + removed.length === 0) return [];
    const shared = graph.shared.get(unit.key);
    const opened = graph.plugins.filter(({ library, keys }) => keys.has(unit.key) && modules.outOfReach.has(library));
    const libraries = shared === undefined ? opened.map(({ library }) => library) : [shared];
    return libraries.flatMap((library) => {
      if (modules.libraries.has(library)) return [];
      const error = new IpbpError('IPBP5020', `the code of crate ${unit.crate} is in a shared library out of reach`);
      const why = modules.outOfReach.get(library) ?? 'the program was not linked with it when it started';
      const because = [`it was linked into ${library}`, why, ...changed.map((name) => `${name} differs`)];
      return [{ code: error.code, name: unit.crate, message: error.summary, because }];
    });
  });
}

const NOTHING = { kind: 'none', id: new Uint8Array(0) };

function sameFileName(a: string, b: string): boolean {
  return a.slice(a.lastIndexOf('/') + 1) === b.slice(b.lastIndexOf('/') + 1);
}
