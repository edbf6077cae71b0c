// A build by cargo beside the running program, for changes that a replay of rustc cannot see: manifests, build scripts
// and their inputs, macro crates, configuration. It is the very command that started the program, with a runner that
// only notes what would be started; the wrapper records rustc's commands anew. What comes of it is adopt-build.ts's.
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SessionOptions } from '../events.js';
import { runCargo } from './cargo-process.js';
import type { CargoProject } from './cargo-project.js';
import { runnerSetting, subcommandOf, wrapperEnvironment, type SessionPlaces } from './cargo-run.js';
import type { Scripts } from './scripts.js';

export type CargoBuilt =
  | {
      readonly kind: 'built';
      readonly ms: number;
      /** The executable that cargo would have started; absolute. */
      readonly program: string;
      /** Warnings as cargo prints them. */
      readonly rendered: string;
    }
  | { readonly kind: 'errors'; readonly ms: number; readonly rendered: string };

/** Builds. `signal` ends cargo: that is told as errors. Throws IPBP5001 when cargo cannot be run. */
export async function cargoBuild(
  project: CargoProject,
  options: SessionOptions,
  scripts: Scripts,
  places: SessionPlaces,
  signal: AbortSignal,
): Promise<CargoBuilt> {
  const noted = join(places.session, 'rebuilt');
  rmSync(noted, { force: true });
  const startedAt = performance.now();
  const { exit, stderr } = await runCargo({
    ...{ project, options, signal, keepsOutput: false, isHeard: false },
    words: [subcommandOf(project.args), '--config', runnerSetting(project, scripts.recorder), ...project.args],
    // The recorder, as a runner, notes the program.
    environment: { ...wrapperEnvironment(project, scripts, places), IPBP_LINK_ARGUMENTS: noted },
  });
  const ms = performance.now() - startedAt;
  const [program] = readNoted(noted).split('\0');
  if (exit.code !== 0 || program === undefined || program === '') return { kind: 'errors', ms, rendered: stderr };
  return { kind: 'built', ms, program: resolve(options.directory, program), rendered: stderr };
}

function readNoted(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
