// `cargo build` of a crate that becomes a module for pages: there is no program for cargo to start, so what it has built is
// "started" and held here, as a process is by cargo-run.ts, until whoever serves it lets it go.
import { resolve } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { ProgramExit, SessionOptions } from '../events.js';
import type { CargoBuilt } from './cargo-build.js';
import { runCargo } from './cargo-process.js';
import type { CargoProject } from './cargo-project.js';
import { wrapperEnvironment, type CargoRun, type SessionPlaces, type Started } from './cargo-run.js';
import type { Scripts } from './scripts.js';
import { linkEnvironment } from './slot-environment.js';

/** What cargo is run with. */
interface ModuleBuild {
  readonly project: CargoProject;
  readonly options: SessionOptions;
  readonly scripts: Scripts;
  readonly places: SessionPlaces;
}

interface Built {
  readonly exit: ProgramExit;
  /** What cargo said, where the terminal did not hear it. */
  readonly rendered: string;
  /** Modules that cargo has built, or found fresh; absolute. */
  readonly modules: readonly string[];
}

/** The parts of cargo's messages that are used (The Cargo Book, "External tools"). */
interface ArtifactMessage {
  readonly reason: string;
  readonly filenames?: readonly string[];
}

/** Builds, and holds the module that was built. Its "process" is ours: whoever ends that ends the serving. */
export function moduleRun(build: ModuleBuild): CargoRun {
  let settle: (exit: ProgramExit) => void = () => undefined;
  let ended = false;
  const exited = new Promise<ProgramExit>((fulfil) => {
    settle = (exit) => {
      ended = true;
      fulfil(exit);
    };
  });
  const ending = new AbortController();
  const started = cargo(build, true, ending.signal).then(({ exit, modules }): Started | ProgramExit => {
    if (exit.code === 0 && !ended) return { pid: process.pid, cwd: build.options.directory, program: theOne(modules) };
    settle(exit);
    return exit;
  });
  started.catch(() => settle({ code: 1, signal: null }));
  return {
    hasEnded: () => ended,
    exited,
    started,
    kill(signal) {
      settle({ code: null, signal });
      ending.abort();
    },
    go: () => Promise.resolve(),
    turnAway(status) {
      settle({ code: status, signal: null });
      return Promise.resolve();
    },
  };
}

/** Builds beside the module that is served; as `cargoBuild`. Throws IPBP5001, IPBP5050. */
export async function buildModule(build: ModuleBuild, signal: AbortSignal): Promise<CargoBuilt> {
  const startedAt = performance.now();
  const { exit, modules, rendered } = await cargo(build, false, signal);
  const ms = performance.now() - startedAt;
  return exit.code === 0 ? { kind: 'built', ms, program: theOne(modules), rendered } : { kind: 'errors', ms, rendered };
}

/** Throws IPBP5050. */
function theOne(modules: readonly string[]): string {
  const [module, ...others] = new Set(modules);
  if (module !== undefined && others.length === 0) return module;
  throw new IpbpError('IPBP5050', 'it is not clear which module is to be served', {
    expected: 'one crate with crate-type = ["cdylib"], or one binary',
    actual: module === undefined ? 'cargo built no module' : [module, ...others].join(', '),
  });
}

async function cargo(
  { project, options, scripts, places }: ModuleBuild,
  isHeard: boolean,
  signal: AbortSignal,
): Promise<Built> {
  const { exit, stdout, stderr } = await runCargo({
    ...{ project, options, signal, keepsOutput: true, isHeard },
    words: ['build', '--message-format', 'json-render-diagnostics', ...project.args],
    environment: {
      ...wrapperEnvironment(project, scripts, places),
      ...linkEnvironment('auto', project.targetTriple, scripts),
    },
  });
  return { exit, rendered: stderr, modules: modulesIn(stdout).map((file) => resolve(options.directory, file)) };
}

/** Modules among the artifacts that cargo names. */
function modulesIn(messages: string): readonly string[] {
  return messages.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    const { reason, filenames = [] } = JSON.parse(line) as ArtifactMessage;
    return reason === 'compiler-artifact' ? filenames.filter((file) => file.endsWith('.wasm')) : [];
  });
}
