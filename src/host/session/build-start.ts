// From `cargo run` to a program that waits at the gate with all it is made of in the session's hands: recorded units,
// kept executable, kept objects. Makes cargo run units again that were never recorded. Patching is in patcher.ts.
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { pluginUnits, readCaptures, unitGraph, unitOfExecutable, type UnitGraph } from '../cargo/capture-store.js';
import { buildProfile, type CargoProject } from '../cargo/cargo-project.js';
import type { CargoRun, Started } from '../cargo/cargo-run.js';
import { cargoOnlyFiles } from '../cargo/cargo-only.js';
import type { ProgramExit } from '../events.js';
import { hasDepInfo, makeStale, makeUnrecordedStale, isOutdated, noteFingerprint } from '../cargo/freshness.js';
import { isReplayedSince } from '../cargo/finished-compiles.js';
import { incrementalDirectory, scanObjects, type ObjectSet } from '../cargo/incremental.js';
import { sameFile } from '../files/same-file.js';
import { keepFile, keepObjects } from './kept-files.js';
import type { Composition, Held } from './held.js';
import { readLiveSources } from './live-sources.js';
import { builtPlugins, buildPlugins } from '../cargo/plugin-build.js';
import { isLinkedOtherwise } from '../cargo/slot-environment.js';
import type { Building, ReachContext } from './reach.js';
import { isSharedLibrary, outputsOf, type Unit } from '../cargo/unit.js';

export interface BuildContext extends ReachContext {
  /** How this program is built and started. */
  readonly building: Building;
  /** Tells the session which process to end when it is stopped meanwhile. */
  readonly onRun: (run: CargoRun) => void;
}

/**
 * Builds and holds the program; or says how cargo ended where it started none.
 * @param generation counts the starts of this session: each keeps its files apart
 * @throws IpbpError IPBP5003, IPBP5004, IPBP5008, IPBP5009 (the program is then not started) or IPBP5037
 */
export async function buildAndHold(context: BuildContext, generation: number): Promise<Held | ProgramExit> {
  // Each unit is made to run again once; what is not recorded then never will be.
  const aged = new Set<string>();
  for (;;) {
    const { attached } = context.options;
    const run = context.building.start();
    context.onRun(run);
    const started = await run.started;
    if (!('pid' in started)) return started;
    let outcome: Held | 'again';
    try {
      if (attached === undefined) await makePlugins(context, started, aged);
      outcome = hold(context, run, started, generation, aged);
      if (outcome === 'again' && attached !== undefined)
        throw new IpbpError('IPBP5037', 'this build was not recorded', { where: started.program });
    } catch (error) {
      await run.turnAway(1);
      await run.exited;
      throw error;
    }
    if (outcome !== 'again') return outcome;
    await run.turnAway(0);
    await run.exited;
  }
}

function hold(
  context: BuildContext,
  run: CargoRun,
  started: Started,
  generation: number,
  aged: Set<string>,
): Held | 'again' {
  const { project, directories } = context;
  const units = readCaptures(directories.units);
  const root = unitOfExecutable(units, started.program);
  if (root === null) {
    const own = executableUnit(project, started.program);
    if (own !== null && wasNotIncremental(directories.units, own))
      throw new IpbpError('IPBP5003', 'the build is not incremental', { where: started.program });
    if (own !== null && once(aged, own.key) && makeUnrecordedStale(own.profile, own.key)) return 'again';
    throw new IpbpError('IPBP5008', 'no recorded rustc command made this executable', { where: started.program });
  }
  // With slots where none are wanted, or without, or static without the agent: what is fresh for cargo is linked again.
  const wrong = !context.building.isLinkedRight(started.program, root);
  if (wrong && once(aged, `${root.key} link`) && makeStale(root)) return 'again';
  const plugins = followablePlugins(context, units, root);
  const graph = unitGraph(units, root, project.localCrates, plugins);
  // A library without slots where it should have some makes its crate's changes nothing that a patch can do.
  const otherwise = graph.units.filter(
    (unit) =>
      isSharedLibrary(unit) &&
      isLinkedOtherwise(outputsOf(unit).sharedLibrary, context.options.redirect, project.targetTriple) &&
      once(aged, `${unit.key} link`) &&
      makeStale(unit),
  );
  if (otherwise.length > 0) return 'again';
  const missing = graph.missing.filter((key) => once(aged, key) && makeUnrecordedStale(dirname(root.outDir), key));
  if (missing.length > 0) return 'again';
  const recording = (unit: Unit): string => join(directories.units, unit.key);
  const outdated = graph.units.filter(
    (unit) => isBehind(unit, directories.units) && once(aged, unit.key) && makeStale(unit),
  );
  if (outdated.length > 0) return 'again';
  for (const unit of graph.units) noteFingerprint(unit, recording(unit));
  for (const unit of graph.units) {
    if (unit.unpatchable === null) continue;
    throw new IpbpError('IPBP5004', `crate ${unit.crate} is built with ${unit.unpatchable}`, { where: unit.cwd });
  }
  const kept = join(directories.session, `program-${generation}`);
  mkdirSync(kept);
  const keptExecutable = join(kept, 'executable');
  keepFile(started.program, keptExecutable);
  const keptLibraries = keepLibraries(graph, join(kept, 'libraries'));
  const incremental = new Map<string, string>();
  const objects = new Map<string, ObjectSet>();
  for (const unit of graph.units) {
    const directory = incrementalDirectory(unit);
    // Removed by hand while cargo thinks all is fresh: let it compile the crate again.
    if (directory === null && once(aged, unit.key) && makeStale(unit)) return 'again';
    if (directory === null)
      throw new IpbpError('IPBP5009', `crate ${unit.crate} has no incremental session`, {
        where: unit.incrementalRoot,
      });
    incremental.set(unit.key, directory);
    objects.set(unit.key, keepObjects(scanObjects(unit, directory), null, join(kept, unit.key)));
  }
  let current: Composition = { root, graph, incremental, cargoOnly: cargoOnlyFiles(project, units, graph) };
  return {
    run,
    pid: started.pid,
    isShown: process.platform === 'linux' && !project.emulated,
    executable: started.program,
    keptExecutable,
    keptLibraries,
    pluginSources: new Map(
      graph.plugins.map(({ library, keys }) => [
        library,
        readLiveSources(() => current.graph.units.filter(({ key }) => keys.has(key))),
      ]),
    ),
    objects,
    sources: readLiveSources(() => current.graph.units),
    get root() {
      return current.root;
    },
    get graph() {
      return current.graph;
    },
    get incremental() {
      return current.incremental;
    },
    get cargoOnly() {
      return current.cargoOnly;
    },
    follow(composition) {
      current = composition;
    },
  };
}

/**
 * cargo builds what it starts, not what that opens: the workspace's libraries for programs to open that somebody has built
 * before are built with it. Before the program goes on: it shall open the newest.
 */
async function makePlugins(context: BuildContext, { program }: Started, aged: Set<string>): Promise<void> {
  const { project, options, scripts, directories } = context;
  const built = builtPlugins(project, program);
  if (built.length === 0) return;
  const read = (): readonly Unit[] => readCaptures(directories.units);
  const root = unitOfExecutable(read(), program);
  if (root === null) return;
  const profile = dirname(root.outDir);
  const linked = new Set(unitGraph(read(), root, project.localCrates).units.map(({ crate }) => crate));
  const plugins = built.filter(({ crate }) => !linked.has(crate));
  if (plugins.length === 0) return;
  for (const { crate } of plugins) {
    const unit = read().find((one) => one.crate === crate && dirname(one.outDir) === profile);
    if (unit === undefined) {
      if (once(aged, crate)) makeUnrecordedStale(profile, crate);
    } else if (isBehind(unit, directories.units) && once(aged, unit.key)) makeStale(unit);
  }
  const failed = await buildPlugins(plugins, project, options, scripts, directories);
  if (failed === null) return;
  const names = plugins.map(({ crate }) => crate).join(', ');
  context.note('IPBP5048', `cargo could not build ${names}: ${failed.trim()}`);
}

/** What was recorded of a unit whose file has no hash is called by cargo's hash all the same. */
function wasNotIncremental(units: string, { key, directory }: ExecutableUnit): boolean {
  if (existsSync(join(units, key, 'not-incremental'))) return true;
  return readdirSync(units)
    .filter((name) => name.replace(/-[0-9a-f]+$/, '') === key)
    .map((name) => join(units, name, 'not-incremental'))
    .some((marker) => existsSync(marker) && readFileSync(marker, 'utf8') === directory);
}

/** What lies on disk of a unit is not all of one compile that was recorded. */
function isBehind(unit: Unit, units: string): boolean {
  return isOutdated(unit, join(units, unit.key)) || isReplayedSince(unit);
}

/** Those of which the library on disk and the objects belong together. */
function followablePlugins({ directories, note }: BuildContext, units: readonly Unit[], root: Unit): readonly Unit[] {
  return pluginUnits(units, root, (unit) => {
    const why =
      unit.unpatchable !== null
        ? `it is built with ${unit.unpatchable}`
        : !hasDepInfo(unit) || isBehind(unit, directories.units)
          ? 'cargo has not built it since it was last compiled'
          : incrementalDirectory(unit) === null
            ? 'it has no incremental session'
            : null;
    // What the program is made of as well is looked at there.
    if (why !== null && unit.kind === 'cdylib')
      note('IPBP5048', `${outputsOf(unit).sharedLibrary} is not followed: ${why}`);
    return why === null;
  });
}

function keepLibraries(graph: UnitGraph, directory: string): ReadonlyMap<string, string> {
  const opened = graph.plugins.map(({ library }) => library);
  const libraries = [...new Set([...graph.shared.values(), ...opened])].filter((library) => existsSync(library));
  if (libraries.length > 0) mkdirSync(directory);
  return new Map(
    libraries.map((library, i) => {
      const kept = join(directory, `${i}-${basename(library)}`);
      keepFile(library, kept);
      return [library, kept];
    }),
  );
}

/** True for the first time that `key` is asked for. */
function once(keys: Set<string>, key: string): boolean {
  if (keys.has(key)) return false;
  keys.add(key);
  return true;
}

interface ExecutableUnit {
  /** The crate alone where its file has no hash, as those of modules. */
  readonly key: string;
  readonly profile: string;
  /** Where rustc put it. */
  readonly directory: string;
}

/** The `deps/<name>-<hash>` that is this executable. */
function executableUnit(project: CargoProject, executable: string): ExecutableUnit | null {
  const profile = buildProfile(project, dirname(executable));
  for (const directory of [join(profile, 'deps'), join(profile, 'examples')]) {
    if (!existsSync(directory)) continue;
    for (const name of readdirSync(directory)) {
      const key = name.replace(/\.wasm$/, '');
      const isProgram = key !== name || /-[0-9a-f]{16}$/.test(key);
      if (isProgram && sameFile(join(directory, name), executable)) return { key, profile, directory };
    }
  }
  return null;
}
