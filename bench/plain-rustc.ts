// The floor that ipbp is measured against: rustc's own command line, as cargo gave it, run again with `true` as its
// linker. Owns capturing and replaying by means of its own, so that it shares no mistake with src/host.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HERE, type Platform, slotsEnvironment } from './platform.js';

/** A captured rustc command. */
export interface PlainRustc {
  /** Runs it once; ms from start to exit. Throws with rustc's messages when it fails. */
  run(): Promise<number>;
}

/** Writes arguments (NUL after each) and environment of every incremental rustc call beside itself. */
const WRAPPER = `#!/bin/sh
case " $* " in *incremental=*)
  file="$(dirname "$0")/call.$$"
  printf '%s\\0' "$@" > "$file.args"
  env -0 > "$file.env"
  pwd > "$file.cwd" ;;
esac
exec "$@"
`;

function fields(file: string): string[] {
  return readFileSync(file, 'utf8').split('\0').slice(0, -1);
}

/**
 * Builds the project in `folder` by cargo and captures how rustc is called for the binary `crate`. Where patches need slots
 * the program has them: ipbp's wrapper then comes first, and may add to rustc's arguments.
 */
export function captureRustc(folder: string, crate: string, platform: Platform = HERE): PlainRustc {
  const calls = join(folder, 'rustc-calls');
  mkdirSync(calls);
  const wrapper = join(calls, 'wrapper.sh');
  writeFileSync(wrapper, WRAPPER, { mode: 0o755 });
  const wrappers = platform.slotsOnly
    ? { ...slotsEnvironment(platform, join(folder, 'slots')), IPBP_CHAIN_WRAPPER: wrapper }
    : { RUSTC_WRAPPER: wrapper };
  execFileSync('cargo', ['build', '--quiet', '--locked', ...platform.cargo], {
    cwd: folder,
    env: { ...process.env, ...platform.environment, ...wrappers },
  });
  const call = readdirSync(calls)
    .filter((name) => name.endsWith('.args'))
    .map((name) => ({ file: join(calls, name.slice(0, -'.args'.length)), args: fields(join(calls, name)) }))
    .find(({ args }) => args[args.indexOf('--crate-name') + 1] === crate && args.includes('bin'));
  if (call === undefined) throw new Error(`cargo called no incremental rustc for the binary ${crate}`);
  const environment = fields(`${call.file}.env`).map((line): [string, string] => {
    const split = line.indexOf('=');
    return [line.slice(0, split), line.slice(split + 1)];
  });
  // A job server of a cargo that is gone makes rustc wait or complain.
  const env = Object.fromEntries(environment.filter(([name]) => !/^(?:CARGO_MAKEFLAGS|MAKEFLAGS|MFLAGS)$/.test(name)));
  const cwd = readFileSync(`${call.file}.cwd`, 'utf8').trimEnd();
  const [rustc = 'rustc', ...args] = call.args;
  return { run: () => runOnce(rustc, [...args, '-Clinker=true'], cwd, env) };
}

function runOnce(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let messages = '';
    child.stderr.on('data', (chunk: Buffer) => {
      messages += chunk.toString('utf8');
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      const ms = performance.now() - start;
      if (code === 0) resolve(ms);
      else reject(new Error(`rustc ended with ${code}: ${messages}`));
    });
  });
}
