// Where the agent comes from: a library that the package brings along, one that was built before, or a build with the
// user's cargo, once per version of the sources and of rustc. And its other form, an object for static programs.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, readdirSync, readFileSync } from 'node:fs';
import { access, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IpbpError } from '../../codes/error.js';
import { readObjectFile } from '../../formats/read-object.js';
import { rewriteObject } from '../../formats/rewrite-object.js';
import { enclose } from '../../link/enclose.js';
import { NO_TOOLS, type TargetTools } from '../cargo/target-tools.js';
import { isApple, isIos, targetVariable } from '../cargo/target-triple.js';

const ARCHIVE = 'libipbp_agent.a';
const OBJECT = 'ipbp_agent.o';
/** What the agent stands before in a static program: there the linker must `--wrap` them. */
export const WRAPPED: readonly string[] = ['main', 'pthread_create'];
const AGENT_DIRECTORY = fileURLToPath(new URL('../../../agent/', import.meta.url));
/** What a build is made of, relative to the agent's folder. */
const MANIFESTS = ['Cargo.toml', 'Cargo.lock'];
/** Settings of the user's own builds that must not reach this one. */
const FOREIGN_SETTING = /^(RUSTFLAGS|RUSTC_WORKSPACE_WRAPPER|CARGO_ENCODED_RUSTFLAGS|CARGO_(BUILD|PROFILE|TARGET)_.*)$/;
/** How much of cargo's output an error keeps, in lines. */
const KEPT_LINES = 20;

export interface AgentBuildOptions {
  /** Without: this machine's own. */
  readonly tools?: TargetTools;
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

function libraryName(triple: string): string {
  return isApple(triple) ? 'libipbp_agent.dylib' : 'libipbp_agent.so';
}

/** Looks for the agent's library; builds nothing. Throws IPBP4008 when rustc's version is not given and cannot be had. */
export async function findAgent(triple: string, options: AgentBuildOptions = {}): Promise<AgentPlace> {
  const prebuilt = join(AGENT_DIRECTORY, 'prebuilt', triple, libraryName(triple));
  // Where the system's own programs take no library by a variable (macOS), none can be tried.
  if ((await exists(prebuilt)) && (isApple(triple) || (await loads(prebuilt))))
    return { library: prebuilt, isBuilt: true };
  const library = join(await cacheDirectory(triple, options), libraryName(triple));
  return { library, isBuilt: await exists(library) };
}

async function cacheDirectory(triple: string, { rustcVersion, tools = NO_TOOLS }: AgentBuildOptions): Promise<string> {
  const rustc = tools.rustc ?? process.env['RUSTC'] ?? 'rustc';
  const version = rustcVersion ?? (await output(rustc, ['-vV'], AGENT_DIRECTORY));
  const settings = [tools.linker ?? '', ...tools.rustflags, ...Object.entries(tools.variables).flat()].filter(Boolean);
  const made = [triple, version, ...settings, sourcesHash()].join('\n');
  const key = createHash('sha256').update(made).digest('hex').slice(0, 16);
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ipbp', `agent-${sourcesHash()}-${key}`);
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
  const { library, isBuilt } = await findAgent(triple, options);
  return isBuilt ? library : builtInto(library, triple, options, buildLibrary);
}

/**
 * Path of an object that is the agent for a static program: all of it, with a std of its own, under one local name
 * ({@link linkedAgentMark}), so that nothing in it meets what the program has. Built if need be.
 * @param triple as above
 * @throws IpbpError IPBP4008 when cargo or the linker fails or is missing.
 */
export async function agentObject(triple: string, options: AgentBuildOptions = {}): Promise<string> {
  const object = join(await cacheDirectory(triple, options), OBJECT);
  return (await exists(object)) ? object : builtInto(object, triple, options, buildObject);
}

/** The name under which everything of the agent stands in a static program that it was linked into. */
export function linkedAgentMark(): string {
  return `ipbp_agent.${sourcesHash()}`;
}

/** Whether a program names the agent's library of this version so. */
export function isAgentLibrary(path: string): boolean {
  return path.includes(`/agent-${sourcesHash()}-`) && path.endsWith('/libipbp_agent.dylib');
}

/** Calls `cargo rustc` with more arguments; what it makes lies in `made`, and will lie at `file`. */
type Build = (
  cargo: (more: readonly string[]) => Promise<unknown>,
  made: string,
  triple: string,
  file: string,
) => Promise<string>;

const buildLibrary: Build = async (cargo, made, triple, file) => {
  // Programs that are linked with it find it by the name that it has itself.
  const named = isIos(triple) ? ['--', `-Clink-arg=-Wl,-install_name,${file}`] : [];
  await cargo(['--crate-type', 'cdylib', ...named]);
  return join(made, libraryName(triple));
};

const buildObject: Build = async (cargo, made) => {
  await cargo(['--crate-type', 'staticlib', '--features', 'linked']);
  const entries = WRAPPED.map((name) => `__wrap_${name}`);
  const object = join(made, OBJECT);
  // What rustc would call for a program; it also leaves out what nothing in the agent uses.
  const kept = ['-Wl,--gc-sections', `-Wl,-e,${entries[0] ?? ''}`, ...entries.map((name) => `-Wl,-u,${name}`)];
  await output('cc', ['-r', '-nostdlib', '-Wl,-S', ...kept, '-o', object, join(made, ARCHIVE)], made);
  const file = readObjectFile(await readFile(object), object);
  await writeFile(object, rewriteObject(file, enclose(file, linkedAgentMark(), new Set(entries))));
  return object;
};

async function builtInto(file: string, triple: string, options: AgentBuildOptions, build: Build): Promise<string> {
  const directory = dirname(file);
  options.onBuild?.();
  await mkdir(directory, { recursive: true });
  // Away from the user's project: its cargo configuration is not meant for this.
  const work = await mkdtemp(join(directory, 'build-'));
  try {
    for (const part of [...MANIFESTS, 'src'])
      await cp(join(AGENT_DIRECTORY, part), join(work, part), { recursive: true });
    const target = join(work, 'target');
    const rest = ['--lib', '--release', '--locked', '--target', triple, '--target-dir', target];
    const { tools = NO_TOOLS } = options;
    const plus = tools.toolchain === null ? [] : [tools.toolchain];
    const program = plus.length > 0 ? 'cargo' : (process.env['CARGO'] ?? 'cargo');
    const cargo = (more: readonly string[]): Promise<string> =>
      output(program, [...plus, 'rustc', ...rest, ...more], work, buildEnvironment(triple, tools));
    await rename(await build(cargo, join(target, triple, 'release'), triple, file), file);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return file;
}

/** Of this process, less what is meant for the user's own builds. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !FOREIGN_SETTING.test(name));
  // An empty value also puts away the wrapper that a configuration file names.
  return { ...Object.fromEntries(kept), RUSTC_WRAPPER: '' };
}

function buildEnvironment(triple: string, tools: TargetTools): NodeJS.ProcessEnv {
  return {
    ...tools.variables,
    ...ownEnvironment(),
    ...(tools.rustc === null ? {} : { RUSTC: tools.rustc }),
    ...(tools.linker === null ? {} : { [targetVariable(triple, 'LINKER')]: tools.linker }),
    ...(tools.rustflags.length === 0 ? {} : { CARGO_ENCODED_RUSTFLAGS: tools.rustflags.join('\u001f') }),
  };
}

function sourcesHash(): string {
  const hash = createHash('sha256');
  const sources = readdirSync(join(AGENT_DIRECTORY, 'src'), { recursive: true, encoding: 'utf8' }).sort();
  for (const name of [
    ...MANIFESTS,
    ...sources.filter((name) => name.endsWith('.rs')).map((name) => join('src', name)),
  ]) {
    const bytes = readFileSync(join(AGENT_DIRECTORY, name));
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

async function output(
  program: string,
  args: readonly string[],
  directory: string,
  environment = ownEnvironment(),
): Promise<string> {
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
