// Where the agent's library comes from: one that the package brings along, one that was built before, or a build with
// the user's cargo, once per version of the sources and of rustc.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IpbpError } from '../../codes/error.js';

const LIBRARY = 'libipbp_agent.so';
const AGENT_DIRECTORY = fileURLToPath(new URL('../../../agent/', import.meta.url));
/** What a build is made of, relative to the agent's folder. */
const MANIFESTS = ['Cargo.toml', 'Cargo.lock'];
/** Settings of the user's own builds that must not reach this one. */
const FOREIGN_SETTING = /^(RUSTFLAGS|RUSTC_WORKSPACE_WRAPPER|CARGO_ENCODED_RUSTFLAGS|CARGO_(BUILD|PROFILE|TARGET)_.*)$/;
/** How much of cargo's output an error keeps, in lines. */
const KEPT_LINES = 20;

export interface AgentBuildOptions {
  /** What `rustc -vV` says; asked when not given (some 15 ms). */
  readonly rustcVersion?: string;
  /** Called before a build, which takes some seconds. */
  readonly onBuild?: () => void;
}

/** Where the agent's library is, or will be once it is built. */
export interface AgentPlace {
  readonly library: string;
  readonly isBuilt: boolean;
}

/** Looks for the agent's library; builds nothing. Throws IPBP4008 when rustc's version is not given and cannot be had. */
export async function findAgent(triple: string, rustcVersion?: string): Promise<AgentPlace> {
  const prebuilt = join(AGENT_DIRECTORY, 'prebuilt', triple, LIBRARY);
  if ((await exists(prebuilt)) && (await loads(prebuilt))) return { library: prebuilt, isBuilt: true };
  const version = rustcVersion ?? (await output(process.env['RUSTC'] ?? 'rustc', ['-vV'], AGENT_DIRECTORY));
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ipbp');
  const library = join(cache, `agent-${await keyOf(triple, version)}`, LIBRARY);
  return { library, isBuilt: await exists(library) };
}

/** The oldest rustc that compiles the agent, as its manifest names it. */
export async function agentRustVersion(): Promise<string> {
  const manifest = await readFile(join(AGENT_DIRECTORY, 'Cargo.toml'), 'utf8');
  return /^rust-version = "(.+)"$/m.exec(manifest)?.[1] ?? '0';
}

/**
 * Path of the agent's shared library, built if need be.
 * @param triple that the program is compiled for
 * @throws IpbpError IPBP4008 when cargo fails or is missing.
 */
export async function agentLibrary(triple: string, options: AgentBuildOptions = {}): Promise<string> {
  const { library, isBuilt } = await findAgent(triple, options.rustcVersion);
  if (isBuilt) return library;
  const directory = dirname(library);
  options.onBuild?.();
  await mkdir(directory, { recursive: true });
  // Away from the user's project: its cargo configuration is not meant for this.
  const work = await mkdtemp(join(directory, 'build-'));
  try {
    for (const part of [...MANIFESTS, 'src'])
      await cp(join(AGENT_DIRECTORY, part), join(work, part), { recursive: true });
    const target = join(work, 'target');
    const rest = ['--release', '--locked', '--target', triple, '--target-dir', target];
    await output(process.env['CARGO'] ?? 'cargo', ['build', ...rest], work);
    await rename(join(target, triple, 'release', LIBRARY), library);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return library;
}

async function keyOf(target: string, version: string): Promise<string> {
  const hash = createHash('sha256').update(`${target}\n${version}\n`);
  const sources = (await readdir(join(AGENT_DIRECTORY, 'src'))).sort().map((name) => join('src', name));
  for (const name of [...MANIFESTS, ...sources]) {
    const bytes = await readFile(join(AGENT_DIRECTORY, name));
    hash.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex').slice(0, 16);
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}

/** The loader says so on stderr when a library cannot be preloaded, and starts the program without it. */
async function loads(library: string): Promise<boolean> {
  const { errors, status } = await run('/bin/true', [], { ...process.env, LD_PRELOAD: library }, '/');
  return status === 0 && errors === '';
}

async function output(program: string, args: readonly string[], directory: string): Promise<string> {
  const kept = Object.entries(process.env).filter(([name]) => !FOREIGN_SETTING.test(name));
  // An empty value also puts away the wrapper that a configuration file names.
  const environment = { ...Object.fromEntries(kept), RUSTC_WRAPPER: '' };
  const { text, errors, status } = await run(program, args, environment, directory);
  if (status === 0) return text;
  throw new IpbpError('IPBP4008', 'the agent could not be built', {
    actual: `${program} ${args[0] ?? ''} ended with ${status}`,
    because: errors.trimEnd().split('\n').slice(-KEPT_LINES),
  });
}

interface Ran {
  readonly text: string;
  readonly errors: string;
  readonly status: number | string;
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Promise<Ran> {
  return new Promise((resolve) => {
    let text = '';
    let errors = '';
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
    child.on('error', (error) => {
      resolve({ text, errors: error.message, status: 'an error' });
    });
    child.on('close', (code, signal) => {
      resolve({ text, errors, status: code ?? signal ?? 'an error' });
    });
  });
}
