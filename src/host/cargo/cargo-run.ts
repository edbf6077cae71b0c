// `cargo run` with our wrapper and our runner, so that cargo's own environment, messages and exec apply. cargo execs
// the runner and the runner the program: one pid all along. The runner waits at the gate until the session holds its
// copies (scripts.ts), so nothing can be replaced between build and start.
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, rmSync, watch, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IpbpError } from '../../codes/error.js';
import { cargoArguments } from './cargo-process.js';
import type { CargoProject } from './cargo-project.js';
import type { ProgramExit, SessionOptions } from '../events.js';
import { shellQuote, type Scripts } from './scripts.js';
import { linkEnvironment } from './slot-environment.js';

/** Where one session keeps its files, below `<target>/ipbp` so that hard links work. */
export interface SessionPlaces {
  readonly session: string;
  readonly units: string;
}

/** The program as the runner would start it. */
export interface Started {
  readonly pid: number;
  readonly cwd: string;
  /** Absolute. */
  readonly program: string;
}

export interface CargoRun {
  /** The program, or cargo, has ended. */
  hasEnded(): boolean;
  /** The program stands at the gate, or cargo ended without one. */
  readonly started: Promise<Started | ProgramExit>;
  /** Ends the program, or cargo where there is none yet. */
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<ProgramExit>;
  /** Lets the program go, with these variables set (null: unset). */
  go(env: Readonly<Record<string, string | null>>): Promise<void>;
  /** Ends the runner with a status instead. */
  turnAway(status: number): Promise<void>;
}

/**
 * Starts cargo: it becomes the runner and that the program, so the pid stays. It inherits the terminal; with `json` the
 * program's stdout is our stderr.
 */
export function cargoRun(
  project: CargoProject,
  options: SessionOptions,
  scripts: Scripts,
  places: SessionPlaces,
): CargoRun {
  const startedFile = join(places.session, 'started');
  rmSync(startedFile, { force: true });
  const child = spawn(
    'cargo',
    cargoArguments(project, [
      subcommandOf(project.args),
      '--config',
      runnerSetting(project, scripts.runner),
      ...project.args,
      '--',
      ...options.programArguments,
    ]),
    {
      cwd: options.directory,
      stdio: ['inherit', options.json ? 2 : 'inherit', 'inherit'],
      env: {
        ...process.env,
        ...wrapperEnvironment(project, scripts, places),
        ...linkEnvironment(options.redirect, project.targetTriple, scripts),
        IPBP_SESSION: places.session,
        IPBP_HOST: String(process.pid),
        ...runnerEnvironment(project),
      },
    },
  );
  const exited = new Promise<ProgramExit>((fulfil, reject) => {
    child.once('error', (cause) => reject(new IpbpError('IPBP5001', 'cargo cannot be run', { cause })));
    child.once('exit', (code, signal) => fulfil({ code, signal }));
  });
  const started = waitForStart(startedFile, exited);
  let pid: number | null = null;
  started.then(
    (it) => (pid = 'pid' in it ? it.pid : null),
    () => {},
  );
  return {
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    exited,
    started,
    kill(signal) {
      // A test's or a bench's process is a child of cargo's.
      try {
        process.kill(pid ?? child.pid ?? 0, signal);
      } catch {
        child.kill(signal);
      }
    },
    async go(env) {
      writeFileSync(join(places.session, 'program-env'), environmentScript(env, project), { mode: 0o600 });
      await say(join(places.session, 'gate'), 'go', exited);
    },
    turnAway: (status) => say(join(places.session, 'gate'), String(status), exited),
  };
}

/** What starts the chosen target: only `cargo test` and `cargo bench` know their harnesses. */
export function subcommandOf(args: readonly string[]): 'run' | 'test' | 'bench' {
  const has = (name: string): boolean => args.some((word) => word === name || word.startsWith(`${name}=`));
  if (has('--bench')) return 'bench';
  return has('--test') || has('--lib') ? 'test' : 'run';
}

/**
 * Where the user's runner stands: before ours, which it starts in the program's place; or, where nothing else runs the
 * program on this machine, between ours and the program.
 */
export function runnerEnvironment({
  runner,
  emulated,
}: Pick<CargoProject, 'runner' | 'emulated'>): Readonly<Record<string, string>> {
  const words = (runner?.words ?? []).map(shellQuote).join(' ');
  return emulated ? { IPBP_CHAIN_RUNNER: '', IPBP_EMULATOR: words } : { IPBP_CHAIN_RUNNER: words };
}

/** Replaces the user's runner, which ours then calls. cargo wants the same kind of value as in its files. */
export function runnerSetting({ targetTriple, runner }: CargoProject, ours: string): string {
  const key = `target.${JSON.stringify(targetTriple)}.runner`;
  if (runner?.asText !== true) return `${key}=[${JSON.stringify(ours)}]`;
  if (!/\s/.test(ours)) return `${key}=${JSON.stringify(ours)}`;
  throw new IpbpError('IPBP5021', 'the configured runner cannot be chained', {
    expected: `a list: runner = [${runner.words.map((word) => JSON.stringify(word)).join(', ')}]`,
    actual: 'one text, beside a target directory with a blank in its path',
    where: ours,
  });
}

/** What cargo's environment needs so that rustc calls are recorded. */
export function wrapperEnvironment(
  project: CargoProject,
  scripts: Scripts,
  places: SessionPlaces,
): Readonly<Record<string, string>> {
  return {
    RUSTC_WRAPPER: scripts.rustcWrapper,
    IPBP_UNITS: places.units,
    IPBP_OWN_NAMES: Object.keys(process.env)
      .filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      .join(' '),
    IPBP_CHAIN_WRAPPER: project.rustcWrapper ?? '',
  };
}

/** Shell lines that give the program the user's environment back, and the agent its own. */
function environmentScript(env: Readonly<Record<string, string | null>>, project: CargoProject): string {
  const ours = [
    'SESSION',
    'HOST',
    'UNITS',
    'OWN_NAMES',
    'CHAIN_WRAPPER',
    'SLOTS',
    'TARGET',
    'LINK_WRITER',
    'LINKER_SCRIPT',
  ];
  const lines = [`unset ${ours.map((name) => `IPBP_${name}`).join(' ')}`];
  const before = process.env['RUSTC_WRAPPER'];
  const all = { RUSTC_WRAPPER: before === undefined ? null : (project.rustcWrapper ?? before), ...env };
  return `${[...lines, ...settingLines(all)].join('\n')}\n`;
}

/** A line of shell for each variable to set or (null) to unset. */
export function settingLines(env: Readonly<Record<string, string | null>>): string[] {
  return Object.entries(env).map(([name, value]) =>
    value === null ? `unset ${name}` : `export ${name}=${shellQuote(value)}`,
  );
}

function waitForStart(file: string, exited: Promise<ProgramExit>): Promise<Started | ProgramExit> {
  return new Promise((fulfil, reject) => {
    const watcher = watch(join(file, '..'), () => {
      const started = readStarted(file);
      if (started === null) return;
      watcher.close();
      fulfil(started);
    });
    watcher.on('error', () => watcher.close());
    exited.then(
      (exit) => {
        watcher.close();
        fulfil(exit);
      },
      (error: unknown) => {
        watcher.close();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

function readStarted(file: string): Started | null {
  let fields: string[];
  try {
    fields = readFileSync(file, 'utf8').split('\0');
  } catch {
    return null;
  }
  const [pid, cwd, program] = fields;
  if (pid === undefined || cwd === undefined || program === undefined) return null;
  return { pid: Number(pid), cwd, program: resolve(cwd, program) };
}

/** Writes to the gate. Its reader comes a moment after `started` appears; it may also have been killed meanwhile. */
export async function say(gate: string, word: string, exited: Promise<ProgramExit>): Promise<void> {
  let gone = false;
  void exited.then(() => (gone = true));
  for (let wait = 0; !gone; wait++) {
    try {
      const handle = openSync(gate, constants.O_WRONLY | constants.O_NONBLOCK);
      writeSync(handle, `${word}\n`);
      closeSync(handle);
      return;
    } catch {
      // ENXIO: nobody reads yet.
      await sleep(wait < 10 ? 1 : 10);
    }
  }
}
