// A change that only cargo can build, while the program runs: cargo builds it, and the session follows the new build's
// units from then on. The program keeps what it runs, of which the session holds copies; patching it is patcher.ts's.
import { IpbpError } from '../../codes/error.js';
import type { RefusedItem } from '../../patch/engine.js';
import { adoptBuild } from '../cargo/adopt-build.js';
import { cargoOnlyFiles } from '../cargo/cargo-only.js';
import { pluginUnits, readCaptures, unitGraph, unitOfExecutable } from '../cargo/capture-store.js';
import { incrementalDirectory } from '../cargo/incremental.js';
import { buildPlugins, builtPlugins } from '../cargo/plugin-build.js';
import { outputsOf, type Unit } from '../cargo/unit.js';
import type { BuildContext } from './build-start.js';
import type { Held } from './held.js';

export type Rebuilt =
  | {
      readonly kind: 'ok';
      readonly ms: number;
      readonly rendered: string;
      /** Units whose rustc has to run again: as the live ones, or to learn what is linked. */
      readonly replay: readonly string[];
    }
  | { readonly kind: 'errors'; readonly ms: number; readonly rendered: string }
  | { readonly kind: 'refused'; readonly items: readonly RefusedItem[] };

/** Has cargo build, and makes `held` follow what it built. Throws IPBP5001. */
export async function rebuildWithCargo(context: BuildContext, held: Held, signal: AbortSignal): Promise<Rebuilt> {
  const { project, options, scripts, directories } = context;
  const built = await context.building.build(signal);
  if (built.kind === 'errors') return built;
  const isPlugin = ({ crate }: { readonly crate: string }): boolean =>
    held.graph.plugins.some(({ key }) => held.graph.units.some((unit) => unit.key === key && unit.crate === crate));
  const plugins = builtPlugins(project, held.executable).filter(isPlugin);
  const failed = plugins.length === 0 ? null : await buildPlugins(plugins, project, options, scripts, directories);
  if (failed !== null) return { kind: 'errors', ms: built.ms, rendered: failed };
  const units = readCaptures(directories.units);
  const root = unitOfExecutable(units, built.program);
  if (root === null) return { kind: 'refused', items: [unknown(built.program)] };
  const isFollowed = (unit: Unit): boolean =>
    held.graph.plugins.some(({ library }) => library === outputsOf(unit).sharedLibrary);
  const graph = unitGraph(units, root, project.localCrates, pluginUnits(units, root, isFollowed));
  const barred = graph.units.find((unit) => unit.unpatchable !== null);
  if (barred !== undefined) {
    const error = new IpbpError('IPBP5004', `crate ${barred.crate} is now built with ${barred.unpatchable}`);
    return { kind: 'refused', items: [{ code: error.code, name: barred.crate, message: error.summary, because: [] }] };
  }
  const adopted = adoptBuild(held.graph, graph, root);
  if (adopted.kind === 'refused') return adopted;
  const incremental = new Map(held.incremental);
  for (const unit of adopted.graph.units) {
    const directory = incremental.get(unit.key) ?? incrementalDirectory(unit);
    if (directory !== null) incremental.set(unit.key, directory);
  }
  held.follow({
    root: adopted.root,
    graph: adopted.graph,
    incremental,
    cargoOnly: cargoOnlyFiles(project, units, adopted.graph),
  });
  // The binary always: only its replay says which archives it is linked with now.
  return { kind: 'ok', ms: built.ms, rendered: built.rendered, replay: [...adopted.replay, adopted.root.key] };
}

function unknown(program: string): RefusedItem {
  const error = new IpbpError('IPBP5022', 'no recorded rustc command made the executable that cargo built');
  return { code: error.code, name: program, message: error.summary, because: [] };
}
