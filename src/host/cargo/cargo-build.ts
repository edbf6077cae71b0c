// A build by cargo beside the running program, for changes that a replay of rustc cannot see: manifests, build scripts
// and their inputs, macro crates, configuration. It is the very command that started the program, with a runner that
// only notes what would be started; the wrapper records rustc's commands anew. What comes of it is adopt-build.ts's.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { SessionOptions } from '../events.js';
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
  const { status, stderr } = await new Promise<{ readonly status: number | null; readonly stderr: string }>(
    (fulfil, reject) => {
      const child = spawn(
        'cargo',
        [
          ...(project.toolchain === null ? [] : [project.toolchain]),
          subcommandOf(project.args),
          '--config',
          runnerSetting(project, scripts.recorder),
          ...project.args,
        ],
        {
          cwd: options.directory,
          stdio: ['ignore', 'ignore', 'pipe'],
          signal,
          env: {
            ...process.env,
            ...wrapperEnvironment(project, scripts, places),
            CARGO_TERM_COLOR: options.color ? 'always' : 'never',
            CARGO_TERM_QUIET: 'true',
            // The recorder, as a runner, notes the program.
            IPBP_LINK_ARGUMENTS: noted,
          },
        },
      );
      let text = '';
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      child.once('error', (cause) => {
        if (signal.aborted) fulfil({ status: null, stderr: text });
        else reject(new IpbpError('IPBP5001', 'cargo cannot be run', { cause }));
      });
      child.once('close', (code) => fulfil({ status: code, stderr: text }));
    },
  );
  const ms = performance.now() - startedAt;
  const [program] = readNoted(noted).split('\0');
  if (status !== 0 || program === undefined || program === '') return { kind: 'errors', ms, rendered: stderr };
  return { kind: 'built', ms, program: resolve(options.directory, program), rendered: stderr };
}

function readNoted(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
