// The recorded rustc commands on disk, `<build directory>/ipbp/units/<key>/capture`, and which of them make up a program.
// They outlive sessions: where cargo finds all fresh it runs no rustc and nothing is recorded. The wrapper that
// writes them is in scripts.ts, their content in unit.ts.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sameFile } from '../files/same-file.js';
import { isSharedLibrary, outputsOf, programFile, readCapture, type Unit } from './unit.js';

/** Every readable capture, newest first. Broken ones, and those of other builds of a file, are left out: cargo makes them again. */
export function readCaptures(unitsDirectory: string): Unit[] {
  const found: { readonly unit: Unit; readonly when: number }[] = [];
  for (const key of entries(unitsDirectory)) {
    const path = join(unitsDirectory, key, 'capture');
    try {
      const unit = readCapture(readFileSync(path), path);
      if (!isReplaced(unit, join(unitsDirectory, key))) found.push({ unit, when: statSync(path).mtimeMs });
    } catch {
      continue;
    }
  }
  return found.sort((a, b) => b.when - a.when).map(({ unit }) => unit);
}

/** A module's file has no hash in its name: a build that was not recorded, with other flags or not, may have replaced it. */
function isReplaced(unit: Unit, directory: string): boolean {
  const linked = identity(join(directory, 'module'));
  const file = programFile(unit);
  return linked !== null && file !== null && identity(file) !== linked;
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/**
 * The unit whose rustc call made `executable`. cargo hard-links `deps/<name>-<hash>` to its final name, so the inode
 * tells; where it had to copy (another file system), the program's name and content do.
 */
export function unitOfExecutable(units: readonly Unit[], executable: string): Unit | null {
  const programs = units.flatMap((unit) => {
    const file = programFile(unit);
    return file === null ? [] : [{ unit, file }];
  });
  const own = identity(executable);
  if (own === null) return null;
  return (
    programs.find(({ file }) => identity(file) === own)?.unit ??
    programs.find(({ unit, file }) => isNamed(unit, executable) && sameFile(file, executable))?.unit ??
    null
  );
}

/** cargo gives a program the name of its target: of a binary, or of a crate that is a module. */
function isNamed({ binName, crate }: Unit, executable: string): boolean {
  const name = basename(executable).replace(/\.wasm$/, '');
  return name === (binName ?? crate);
}

function identity(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
}

/** The units of one program. */
export interface UnitGraph {
  /** Dependencies before their dependants; the binary last. */
  readonly units: readonly Unit[];
  /** Key → keys of the units in this graph that use it directly. */
  readonly dependants: ReadonlyMap<string, readonly string[]>;
  /** Keys (`<crate>-<hash>`) of workspace libraries that are used but were never recorded. */
  readonly missing: readonly string[];
  /** Keys of the units whose code is in a shared library beside the executable → that library's file. */
  readonly shared: ReadonlyMap<string, string>;
  /** Keys of what the executable is made of, those libraries among it: all but units of {@link plugins} alone. */
  readonly linked: ReadonlySet<string>;
  /** Libraries that nothing links: the program may open them by itself. */
  readonly plugins: readonly PluginLibrary[];
}

/** A shared library for programs to open while they run. */
export interface PluginLibrary {
  /** As rustc wrote it. */
  readonly library: string;
  /** The unit that is linked as it. */
  readonly key: string;
  /** Keys of the units it is made of. */
  readonly keys: ReadonlySet<string>;
}

/**
 * The recorded units that `root` is made of, by its `--extern`s and theirs.
 * @param localCrates crate names of the workspace's libraries: those of them that are not recorded are `missing`
 * @param opened units whose libraries the program may open by itself
 */
export function unitGraph(
  units: readonly Unit[],
  root: Unit,
  localCrates: ReadonlySet<string>,
  opened: readonly Unit[] = [],
): UnitGraph {
  const byOutput = unitsByOutput(units);
  const order: Unit[] = [];
  const dependants = new Map<string, string[]>();
  const missing = new Set<string>();
  const seen = new Set<string>();
  const visit = (unit: Unit): void => {
    if (seen.has(unit.key)) return;
    seen.add(unit.key);
    for (const { path } of unit.externs) {
      const key = /^lib(.+)\.(?:rlib|rmeta|so|dylib)$/.exec(basename(path))?.[1];
      if (key === undefined) continue;
      const dependency = byOutput.get(path);
      if (dependency === undefined) {
        const crate = key.replace(/-[0-9a-f]+$/, '');
        if (localCrates.has(crate) && dirname(path) === unit.outDir.replace(/\/examples$/, '/deps')) missing.add(key);
        continue;
      }
      if (dependency.kind !== 'lib') continue;
      visit(dependency);
      const users = dependants.get(dependency.key) ?? [];
      // cargo names a crate of two types twice.
      if (!users.includes(unit.key)) dependants.set(dependency.key, [...users, unit.key]);
    }
    order.push(unit);
  };
  visit(root);
  const linked = [...order];
  const shared = sharedUnits(linked, root, byOutput);
  const libraries = new Set(shared.values());
  const apart = opened.filter((unit) => !libraries.has(outputsOf(unit).sharedLibrary));
  for (const unit of apart) visit(unit);
  const plugins = apart.map((unit) => ({
    library: outputsOf(unit).sharedLibrary,
    key: unit.key,
    keys: new Set(closure(unit, byOutput).filter((key) => !shared.has(key))),
  }));
  return {
    // The binary is the last one also of those that it is not made of.
    units: [...order.filter((unit) => unit !== root), root],
    dependants,
    missing: [...missing],
    shared,
    linked: new Set(linked.map(({ key }) => key)),
    plugins,
  };
}

/** Keys of a unit and of the libraries that are linked into it. */
function closure(unit: Unit, byOutput: ReadonlyMap<string, Unit>): readonly string[] {
  const found = new Set<string>();
  const visit = (one: Unit): void => {
    if (found.has(one.key)) return;
    found.add(one.key);
    for (const { path } of one.externs) {
      const dependency = byOutput.get(path);
      if (dependency?.kind === 'lib') visit(dependency);
    }
  };
  visit(unit);
  return [...found];
}

/**
 * Recorded units of the same build as `root` that are linked as libraries which no crate needs: a program may open them.
 * @param usable false for one that cannot be followed
 */
export function pluginUnits(units: readonly Unit[], root: Unit, usable: (unit: Unit) => boolean): readonly Unit[] {
  const profile = dirname(root.outDir);
  const byOutput = unitsByOutput(units);
  return units.filter(
    (unit) =>
      isSharedLibrary(unit) &&
      dirname(unit.outDir) === profile &&
      byOutput.get(outputsOf(unit).sharedLibrary) === unit &&
      statSync(outputsOf(unit).sharedLibrary, { throwIfNoEntry: false }) !== undefined &&
      usable(unit),
  );
}

/** By the path of each output that others link. Shared libraries keep their path when their command changes: the newest counts. */
function unitsByOutput(units: readonly Unit[]): ReadonlyMap<string, Unit> {
  const found = new Map<string, Unit>();
  for (const unit of units) {
    const { rlib, rmeta, sharedLibrary } = outputsOf(unit);
    for (const path of [rlib, rmeta, sharedLibrary]) if (!found.has(path)) found.set(path, unit);
  }
  return found;
}

/** The dylibs that the executable needs, and what is linked into them: rustc puts a dylib's archives into it whole. */
function sharedUnits(
  units: readonly Unit[],
  root: Unit,
  byOutput: ReadonlyMap<string, Unit>,
): ReadonlyMap<string, string> {
  const shared = new Map<string, string>();
  const candidates = units.filter((unit) => unit.kind === 'lib' && unit.crateTypes.includes('dylib'));
  if (candidates.length === 0) return shared;
  const mark = (unit: Unit, library: string): void => {
    if (shared.has(unit.key)) return;
    shared.set(unit.key, library);
    for (const { path } of unit.externs) {
      const dependency = byOutput.get(path);
      if (dependency?.kind === 'lib') mark(dependency, library);
    }
  };
  const executable = readIfThere(outputsOf(root).executable);
  for (const unit of candidates) {
    const library = outputsOf(unit).sharedLibrary;
    const archive = unit.crateTypes.some((type) => type === 'rlib' || type === 'lib');
    // A crate that is both is linked as what rustc preferred: the executable names the libraries it needs.
    if (!archive || executable?.includes(`${basename(library)}\0`) === true) mark(unit, library);
  }
  return shared;
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
