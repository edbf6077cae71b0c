// From `cargo run` to a program that waits at the gate with all it is made of in the session's hands: recorded units,
// kept executable, kept objects. Makes cargo run units again that were never recorded. Patching is in patcher.ts.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { IpbpError } from '../codes/error.js';
import { readCaptures, unitGraph, unitOfExecutable, type UnitGraph } from './capture-store.js';
import type { CargoProject } from './cargo-project.js';
import { cargoRun, type CargoRun, type Started } from './cargo-run.js';
import { sourceFiles } from './dep-info.js';
import type { ProgramExit, SessionOptions } from './events.js';
import { ageDepInfo, ageUnrecorded, isOutdated, noteFingerprint } from './freshness.js';
import { incrementalDirectory, scanObjects, type ObjectSet } from './incremental.js';
import { keepFile, keepObjects } from './kept-files.js';
import type { Scripts } from './scripts.js';
import type { LiveObjects, SessionDirectories } from './session-store.js';
import { outputsOf, type Unit } from './unit.js';

/** A program that stands at the gate. */
export interface Held {
  readonly run: CargoRun;
  readonly pid: number;
  /** As cargo named it. */
  readonly executable: string;
  /** The session's copy. */
  readonly keptExecutable: string;
  readonly root: Unit;
  readonly graph: UnitGraph;
  /** Unit key → its incremental directory. */
  readonly incremental: ReadonlyMap<string, string>;
  readonly objects: LiveObjects;
  /** Files whose change only cargo can build. */
  readonly cargoOnly: ReadonlySet<string>;
}

export interface BuildContext {
  readonly project: CargoProject;
  readonly options: SessionOptions;
  readonly scripts: Scripts;
  readonly directories: SessionDirectories;
  /** Tells the session which process to end when it is stopped meanwhile. */
  readonly onRun: (run: CargoRun) => void;
}

/**
 * Builds and holds the program; or says how cargo ended where it started none.
 * @param generation counts the starts of this session: each keeps its files apart
 * @throws IpbpError IPBP5003, IPBP5004, IPBP5008 or IPBP5009 (the program is then not started)
 */
export async function buildAndHold(context: BuildContext, generation: number): Promise<Held | ProgramExit> {
  for (let attempt = 0; ; attempt++) {
    const run = cargoRun(context.project, context.options, context.scripts, context.directories);
    context.onRun(run);
    const started = await run.started;
    if (!('pid' in started)) return started;
    let outcome: Held | 'again';
    try {
      outcome = hold(context, run, started, generation, attempt === 0);
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
  first: boolean,
): Held | 'again' {
  const { project, directories } = context;
  const units = readCaptures(directories.units);
  const root = unitOfExecutable(units, started.program);
  if (root === null) {
    if (first && ageUnrecordedExecutable(started.program)) return 'again';
    throw unknownUnit(started.program);
  }
  const graph = unitGraph(units, root, project.localCrates);
  if (graph.missing.length > 0 && first) {
    const aged = graph.missing.filter((key) => ageUnrecorded(dirname(root.outDir), key));
    if (aged.length > 0) return 'again';
  }
  const recording = (unit: Unit): string => join(directories.units, unit.key);
  const outdated = first ? graph.units.filter((unit) => isOutdated(unit, recording(unit)) && ageDepInfo(unit)) : [];
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
  const incremental = new Map<string, string>();
  const objects = new Map<string, ObjectSet>();
  for (const unit of graph.units) {
    const directory = incrementalDirectory(unit);
    // Removed by hand while cargo thinks all is fresh: let it compile the crate again.
    if (directory === null && first && ageDepInfo(unit)) return 'again';
    if (directory === null)
      throw new IpbpError('IPBP5009', `crate ${unit.crate} has no incremental session`, {
        where: unit.incrementalRoot,
      });
    incremental.set(unit.key, directory);
    objects.set(unit.key, keepObjects(scanObjects(unit, directory), null, join(kept, unit.key)));
  }
  return {
    run,
    pid: started.pid,
    executable: started.program,
    keptExecutable,
    root,
    graph,
    incremental,
    objects,
    cargoOnly: new Set([...project.cargoOnlyFiles, ...buildInputs(graph), ...macroSources(units, graph)]),
  };
}

/** Finds `deps/<name>-<hash>` that is this executable, and makes cargo run its rustc again. */
function ageUnrecordedExecutable(executable: string): boolean {
  const { ino } = statSync(executable);
  const profile = /\/examples$/.test(dirname(executable)) ? dirname(dirname(executable)) : dirname(executable);
  for (const directory of [join(profile, 'deps'), join(profile, 'examples')]) {
    if (!existsSync(directory)) continue;
    for (const name of readdirSync(directory)) {
      if (!/-[0-9a-f]{16}$/.test(name) || statSync(join(directory, name)).ino !== ino) continue;
      return ageUnrecorded(profile, name);
    }
  }
  return false;
}

function unknownUnit(executable: string): IpbpError {
  const incremental = join(dirname(executable), 'incremental');
  const any = existsSync(incremental) && readdirSync(incremental).length > 0;
  return any
    ? new IpbpError('IPBP5008', 'no recorded rustc command made this executable', { where: executable })
    : new IpbpError('IPBP5003', 'the build is not incremental', {
        expected: 'rustc called with -C incremental',
        where: executable,
      });
}

/** What build scripts said they depend on (`cargo:rerun-if-changed=`), for the followed crates. */
function buildInputs(graph: UnitGraph): string[] {
  return graph.units.flatMap((unit) => {
    const outDir = unit.env['OUT_DIR'];
    const manifest = unit.env['CARGO_MANIFEST_DIR'];
    if (outDir === undefined || manifest === undefined) return [];
    try {
      const output = readFileSync(join(dirname(outDir), 'output'), 'utf8');
      return [...output.matchAll(/^cargo::?rerun-if-changed=(.+)$/gm)].map(([, path]) => resolve(manifest, path ?? ''));
    } catch {
      return [];
    }
  });
}

/** Sources of the workspace's macro crates that the followed crates use. */
function macroSources(units: readonly Unit[], graph: UnitGraph): string[] {
  const used = new Set(graph.units.flatMap((unit) => unit.externs.map(({ path }) => path)));
  return units
    .filter((unit) => unit.kind === 'other')
    .filter((unit) => used.has(outputsOf(unit).rlib.replace(/\.rlib$/, '.so')))
    .flatMap((unit) => sourceFiles(unit));
}
