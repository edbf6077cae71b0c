// A cargo that works beside us until it ends, in the project's directory and with its toolchain. The one that becomes the
// program is cargo-run.ts's.
import { spawn } from 'node:child_process';
import { IpbpError } from '../../codes/error.js';
import type { ProgramExit, SessionOptions } from '../events.js';
import type { CargoProject } from './cargo-project.js';

/** How cargo is called. */
interface CargoCall {
  readonly project: CargoProject;
  readonly options: SessionOptions;
  readonly words: readonly string[];
  /** Beside our own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Is what it prints wanted? */
  readonly keepsOutput: boolean;
  /** What it says goes to the terminal; else it is kept, in the colours that the terminal has, without its progress. */
  readonly isHeard: boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** What became of it. */
interface CargoEnded {
  readonly exit: ProgramExit;
  readonly stdout: string;
  readonly stderr: string;
}

/** The arguments for cargo, with the toolchain that the person named before them. */
export function cargoArguments({ toolchain }: CargoProject, words: readonly string[]): string[] {
  return [...(toolchain === null ? [] : [toolchain]), ...words];
}

/** Runs it to its end. Throws IPBP5001 when it cannot be run. */
export function runCargo(call: CargoCall): Promise<CargoEnded> {
  const { project, options, words, environment, keepsOutput, isHeard, signal } = call;
  const child = spawn('cargo', cargoArguments(project, words), {
    cwd: options.directory,
    stdio: ['ignore', keepsOutput ? 'pipe' : 'ignore', isHeard ? 'inherit' : 'pipe'],
    signal,
    env: {
      ...process.env,
      ...environment,
      ...(isHeard ? {} : { CARGO_TERM_COLOR: options.color ? 'always' : 'never', CARGO_TERM_QUIET: 'true' }),
    },
  });
  const said = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (said.stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (said.stderr += chunk));
  return new Promise((fulfil, reject) => {
    child.once('error', (cause) => {
      if (signal.aborted) fulfil({ exit: { code: null, signal: 'SIGTERM' }, ...said });
      else reject(new IpbpError('IPBP5001', 'cargo cannot be run', { cause }));
    });
    child.once('close', (code, ended) => fulfil({ exit: { code, signal: ended }, ...said }));
  });
}
