// Files whose change only cargo can build, as rustc alone would not see it: manifests, configuration, build scripts and
// their inputs, macro crates. What is done about them is the session's.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { UnitGraph } from './capture-store.js';
import type { CargoProject } from './cargo-project.js';
import { sourceFiles } from './dep-info.js';
import { outputsOf, type Unit } from './unit.js';

/** How many files of a directory that a build script watches are followed. */
const MAX_FILES = 5000;

/**
 * The files, for a program made of `graph`.
 * @param units all that were recorded: macro crates are among them
 */
export function cargoOnlyFiles(project: CargoProject, units: readonly Unit[], graph: UnitGraph): ReadonlySet<string> {
  const manifests = graph.units.flatMap(({ env }) => {
    const directory = env['CARGO_MANIFEST_DIR'];
    return directory === undefined ? [] : [join(directory, 'Cargo.toml')];
  });
  return new Set([...project.cargoOnlyFiles, ...manifests, ...buildInputs(graph), ...macroSources(units, graph)]);
}

/** What build scripts said they depend on (`cargo:rerun-if-changed=`); where they said nothing, the whole package. */
function buildInputs(graph: UnitGraph): string[] {
  const sources = new Set(graph.units.flatMap(sourceFiles));
  return graph.units.flatMap((unit) => {
    const outDir = unit.env['OUT_DIR'];
    const manifest = unit.env['CARGO_MANIFEST_DIR'];
    if (outDir === undefined || manifest === undefined) return [];
    let output: string;
    try {
      output = readFileSync(join(dirname(outDir), 'output'), 'utf8');
    } catch {
      return [];
    }
    const named = [...output.matchAll(/^cargo::?rerun-if-changed=(.+)$/gm)].map(([, path]) =>
      resolve(manifest, path ?? ''),
    );
    if (named.length > 0) return named.flatMap((path) => [path, ...filesBelow(path)]);
    if (/^cargo::?rerun-if-env-changed=/m.test(output)) return [];
    // A build script that may read anything: but a source is rather what is being edited.
    return filesBelow(manifest).filter((path) => !sources.has(path));
  });
}

/** Files in a directory and below, without hidden ones and build output. Empty for a file. */
function filesBelow(directory: string): string[] {
  const files: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.') || files.length >= MAX_FILES) continue;
      if (entry.isFile()) files.push(path);
      else if (entry.isDirectory() && !isBuildOutput(path)) visit(path);
    }
  };
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) visit(directory);
  return files;
}

function isBuildOutput(directory: string): boolean {
  return statSync(join(directory, 'CACHEDIR.TAG'), { throwIfNoEntry: false }) !== undefined;
}

/** Sources of the workspace's macro crates that the followed crates use. */
function macroSources(units: readonly Unit[], graph: UnitGraph): string[] {
  const used = new Set(graph.units.flatMap((unit) => unit.externs.map(({ path }) => path)));
  return units
    .filter((unit) => unit.kind === 'other' && used.has(outputsOf(unit).sharedLibrary))
    .flatMap((unit) => sourceFiles(unit));
}
