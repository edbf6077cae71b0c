// Programs that the set-up and the cases call: output is kept for the error, which is thrown when one fails.
import { spawnSync } from 'node:child_process';

/** How a program is called. */
export interface RunSettings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** In ms; 20 minutes when it is not given. */
  readonly timeout?: number;
}

/** What a program said. */
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; a signal counts as status 128 or more. Throws when it cannot be started. */
export function tryRun(command: string, args: readonly string[], settings: RunSettings = {}): Said {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    timeout: settings.timeout ?? 1_200_000,
    ...(settings.cwd === undefined ? {} : { cwd: settings.cwd }),
    ...(settings.input === undefined ? {} : { input: settings.input }),
    env: { ...process.env, ...settings.env },
  });
  if (error !== undefined) throw new Error(`${command} could not be run: ${error.message}`);
  return { status: status ?? 128, stdout, stderr: signal === null ? stderr : `${stderr}\nended by ${signal}` };
}

/** Runs a program and gives its output. Throws with all it said when it fails. */
export function run(command: string, args: readonly string[], settings: RunSettings = {}): string {
  const { status, stdout, stderr } = tryRun(command, args, settings);
  if (status === 0) return stdout;
  throw new Error(
    `${command} ${args.join(' ').slice(0, 2000)} ended with ${status}: ${stdout}${stderr}`.slice(0, 8000),
  );
}
