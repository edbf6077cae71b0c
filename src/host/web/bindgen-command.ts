// The user's own wasm-bindgen, in the version that a program's crate has: the two speak to each other in a form that changes
// with every release. Where it may be is where trunk and wasm-pack look for it and keep it, after PATH.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';

const NAME = process.platform === 'win32' ? 'wasm-bindgen.exe' : 'wasm-bindgen';
/** It takes some seconds for the largest modules. */
const LIMIT_MS = 300_000;

/** What it was given and where it put what it made. */
export interface BindgenRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

/** Its path. Throws IPBP5054. */
export async function findBindgen(version: string, environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const found: string[] = [];
  for (const path of places(version, environment)) {
    if (!existsSync(path)) continue;
    const [own] = await said({ command: path, args: ['--version'] }).then(
      (text) => /\d\S*/.exec(text) ?? [],
      () => [],
    );
    if (own === version) return path;
    found.push(`${path} (${own ?? 'no version'})`);
  }
  throw new IpbpError('IPBP5054', 'wasm-bindgen was not found in the version that the program has', {
    expected: version,
    ...(found.length === 0 ? {} : { actual: found.join(', ') }),
  });
}

function* places(version: string, environment: NodeJS.ProcessEnv): Generator<string> {
  for (const folder of (environment.PATH ?? '').split(delimiter)) if (folder !== '') yield join(folder, NAME);
  const home = environment.HOME ?? homedir();
  yield join(environment.CARGO_HOME ?? join(home, '.cargo'), 'bin', NAME);
  const mac = join(home, 'Library', 'Caches');
  for (const cache of [environment.XDG_CACHE_HOME ?? join(home, '.cache'), mac]) {
    for (const trunk of ['trunk', 'dev.trunkrs.trunk']) yield join(cache, trunk, `wasm-bindgen-${version}`, NAME);
    const pack = join(cache, '.wasm-pack');
    if (!existsSync(pack)) continue;
    // Behind the name it has a hash of where it was loaded from.
    for (const folder of readdirSync(pack)) if (folder.startsWith('wasm-bindgen-')) yield join(pack, folder, NAME);
  }
}

/** Runs it. Throws IPBP5055 with what it said. */
export async function runBindgen(run: BindgenRun): Promise<void> {
  try {
    await said(run);
  } catch (cause) {
    const because = cause instanceof Error ? cause.message.split('\n').filter((line) => line.trim() !== '') : [];
    throw new IpbpError('IPBP5055', 'wasm-bindgen could not make bindings', { where: run.command, because, cause });
  }
}

function said({ command, args, cwd }: BindgenRun): Promise<string> {
  return new Promise((fulfil, reject) => {
    execFile(command, args, { timeout: LIMIT_MS, ...(cwd === undefined ? {} : { cwd }) }, (error, stdout, stderr) => {
      if (error === null) fulfil(stdout);
      else reject(new Error(stderr || error.message));
    });
  });
}
