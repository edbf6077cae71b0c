// Pages that a command of the user's makes (`trunk build`, `wasm-pack build`): it builds with cargo, which has nothing to do,
// and calls wasm-bindgen, in whose place a script of ours stands first on PATH. That has the user's own wasm-bindgen go over
// the prepared module instead of the linked one, and makes of the output a base again, where the command expects it.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IpbpError } from '../../codes/error.js';
import { bindgenVersion } from '../../formats/wasm/bindgen.js';
import { factsOf } from '../../formats/wasm/facts.js';
import { shellQuote } from '../cargo/scripts.js';
import type { PreparedModule } from './base-facts.js';
import { findBindgen } from './bindgen-command.js';
import { FINISHED, readPrepared } from './finish-module.js';

/** The command and what it is run with. */
export interface PageTool {
  /** A line of shell. */
  readonly command: string;
  readonly directory: string;
  /** With which its cargo finds all built. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A module, before the command and as it was linked. */
interface ToolModule {
  readonly prepared: PreparedModule;
  /** The file's name. */
  readonly name: string;
  readonly linked: string;
}

/**
 * Runs it. What the pages will instantiate is the answer.
 * @param folder of the session, for what is between
 * @throws IpbpError IPBP5054 without wasm-bindgen, IPBP5056 where the command failed, or made its page of another module
 */
export async function makePage(tool: PageTool, module: ToolModule, folder: string): Promise<PreparedModule> {
  const { prepared, name, linked } = module;
  rmSync(folder, { recursive: true, force: true });
  const scripts = join(folder, 'bin');
  mkdirSync(scripts, { recursive: true });
  const version = bindgenVersion(factsOf(prepared.bytes, name));
  if (version !== null) {
    writeFileSync(join(folder, name), prepared.bytes);
    const script = join(scripts, 'wasm-bindgen');
    writeFileSync(script, standIn(await findBindgen(version), linked, join(folder, name)));
    chmodSync(script, 0o755);
  }
  const status = await run(tool, scripts);
  if (status !== 0) throw new IpbpError('IPBP5056', `it ended with ${status}`, { where: tool.command });
  if (version === null) return prepared;
  const finished = join(folder, FINISHED);
  if (existsSync(finished)) return readPrepared(new Uint8Array(readFileSync(finished)), name);
  throw new IpbpError('IPBP5056', 'it did not call wasm-bindgen for the module that cargo built', {
    where: tool.command,
    expected: `wasm-bindgen ${version} from PATH, for a copy of ${linked}`,
  });
}

/** Tools ask for the version first, and take another one where it is not the program's. */
function standIn(command: string, linked: string, prepared: string): string {
  // Beside this file; this may also be its source, and the command has its own working directory.
  const places = ['bindgen-main.js', '../../../dist/host/web/bindgen-main.js'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const main = places.find((path) => existsSync(path)) ?? '';
  const words = [process.execPath, main, command, linked, prepared].map(shellQuote).join(' ');
  return `#!/bin/sh
case "$1" in
--version | -V | --help | -h) exec ${shellQuote(command)} "$@" ;;
esac
exec ${words} "$@"
`;
}

/** Its status; what it says goes to stderr. */
function run({ command, directory, environment }: PageTool, scripts: string): Promise<number> {
  const path = `${scripts}${delimiter}${process.env.PATH ?? ''}`;
  const child = spawn('sh', ['-c', command], {
    cwd: directory,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...environment, PATH: path },
  });
  return new Promise((fulfil, reject) => {
    child.once('error', (cause) => reject(new IpbpError('IPBP5056', 'it cannot be run', { where: command, cause })));
    child.once('close', (code) => fulfil(code ?? 128));
  });
}
