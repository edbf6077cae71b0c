// The workspace's libraries that no crate links and that programs open by themselves. `cargo run` does not build them,
// so those that were built once are built along with the program, and recorded. Which of them are followed is
// capture-store.ts's.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { SessionOptions } from '../events.js';
import type { CargoProject } from './cargo-project.js';
import { wrapperEnvironment, type SessionPlaces } from './cargo-run.js';
import type { Scripts } from './scripts.js';
import { libraryEnding } from './target-triple.js';

/** Of `cargo run`'s arguments, those that say how all is built: with a value, and without. */
const WITH_VALUE: ReadonlySet<string> = new Set([
  '--profile',
  '--target',
  '--target-dir',
  '--manifest-path',
  '--config',
  '-Z',
]);
const ALONE: ReadonlySet<string> = new Set(['--release', '-r', '--locked', '--offline', '--frozen']);

/** A library of the workspace that is linked as a shared one only for programs to open. */
export interface PluginPackage {
  readonly package: string;
  readonly crate: string;
}

/** Those that lie where cargo put the executable: somebody has built them. */
export function builtPlugins({ packages, targetTriple }: CargoProject, executable: string): readonly PluginPackage[] {
  const folder = dirname(executable);
  const profileDirectory = ['examples', 'deps'].includes(basename(folder)) ? dirname(folder) : folder;
  return packages.flatMap(({ name, crates }) =>
    crates
      .filter(({ kinds }) => kinds.some((kind) => kind === 'cdylib' || kind === 'dylib'))
      .filter(({ name: crate }) => existsSync(join(profileDirectory, `lib${crate}${libraryEnding(targetTriple)}`)))
      .map(({ name: crate }) => ({ package: name, crate })),
  );
}

/** Has cargo build them; what it said when it could not. Throws IPBP5001 when cargo cannot be run. */
export async function buildPlugins(
  plugins: readonly PluginPackage[],
  project: CargoProject,
  options: SessionOptions,
  scripts: Scripts,
  places: SessionPlaces,
): Promise<string | null> {
  const packages = plugins.flatMap((plugin) => ['-p', plugin.package]);
  const args = ['build', '--lib', ...packages, ...howAllIsBuilt(project.args)];
  return new Promise((fulfil, reject) => {
    const child = spawn('cargo', [...(project.toolchain === null ? [] : [project.toolchain]), ...args], {
      cwd: options.directory,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        ...wrapperEnvironment(project, scripts, places),
        CARGO_TERM_COLOR: options.color ? 'always' : 'never',
        CARGO_TERM_QUIET: 'true',
      },
    });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    child.once('error', (cause) => reject(new IpbpError('IPBP5001', 'cargo cannot be run', { cause })));
    child.once('close', (code) => fulfil(code === 0 ? null : text));
  });
}

function howAllIsBuilt(args: readonly string[]): readonly string[] {
  return args.flatMap((word, i) => {
    if (ALONE.has(word) || WITH_VALUE.has(word.split('=')[0] ?? '')) return [word];
    return WITH_VALUE.has(args[i - 1] ?? '') ? [word] : [];
  });
}
