// Builds dist/: the pure core first (compiled without any types, so that Node cannot leak in), then host and command
// line; then what the compiler does not do: the executable bit, forgetting deleted sources, commands in one file.
// Plain JavaScript, because `npm test` and `npm start` call it from a fresh checkout. With `--commands` it only makes the
// commands in one file anew, from sources that are not checked.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCE = join(ROOT, 'src');
const OUTPUT = join(ROOT, 'dist');

/** What the compiler says of the agent for pages, for itself: of it one file is published. */
const WEB_TYPES = join(OUTPUT, 'web-types');

/** Ends of the files that the compiler writes for one source. */
const COMPILED = /\.(?:js|js\.map|d\.ts|d\.ts\.map)$/;

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function compile(projects) {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [tsc, '-b', ...projects], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) throw new Error(`build: the compiler ended with ${result.status ?? result.signal}`);
}

/** Outputs whose source is gone would be published for ever. */
function removeOrphans() {
  for (const file of filesBelow(OUTPUT)) {
    if (!COMPILED.test(file) || file.startsWith(WEB_TYPES)) continue;
    const source = join(SOURCE, relative(OUTPUT, file)).replace(COMPILED, '.ts');
    if (!existsSync(source)) rmSync(file);
  }
}

function finishCommand() {
  const main = join(OUTPUT, 'cli', 'main.js');
  if (!readFileSync(main, 'utf8').startsWith('#!/usr/bin/env node\n')) {
    throw new Error('build: src/cli/main.ts must begin with #!/usr/bin/env node');
  }
  if ((statSync(main).mode & 0o111) !== 0o111) chmodSync(main, 0o755);
}

/**
 * Commands that are over so soon that loading a hundred modules is a third of their time: they take their modules along.
 * Made from the sources, in the place of what the compiler wrote there.
 */
function bundleCommands() {
  const options = ['--bundle', '--platform=node', '--format=esm', '--target=node20', '--packages=external'];
  // Names stay: stacks are read by people.
  options.push('--minify-whitespace', '--minify-syntax', '--log-level=warning');
  const entries = [join(SOURCE, 'cli', 'link.ts'), join(SOURCE, 'host', 'cargo', 'link-main.ts')];
  esbuild([...entries, ...options, `--outbase=${SOURCE}`, `--outdir=${OUTPUT}`]);
}

/** The agent for pages: one file to import, and one that a server puts into a page as it is. */
function bundleWebAgent() {
  const options = ['--bundle', '--minify', '--target=es2022', '--log-level=warning'];
  const entry = join(ROOT, 'agent', 'web', 'index.ts');
  const web = join(OUTPUT, 'web');
  esbuild([entry, ...options, '--format=esm', `--outfile=${join(web, 'index.js')}`]);
  esbuild([entry, ...options, '--format=iife', '--global-name=ipbpAgent', `--outfile=${join(web, 'agent.js')}`]);
  copyFileSync(join(WEB_TYPES, 'index.d.ts'), join(web, 'index.d.ts'));
  const wasi = join(ROOT, 'agent', 'wasi', 'main.ts');
  const forNode = ['--platform=node', '--format=esm', '--packages=external', `--outfile=${join(web, 'wasi.js')}`];
  esbuild([wasi, ...options, ...forNode]);
}

function esbuild(args) {
  // A program of its own, as the compiler is: a fresh checkout has no packages yet when this file is loaded.
  const program = join(ROOT, 'node_modules', '.bin', 'esbuild');
  const result = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (result.status !== 0)
    throw new Error(`build: esbuild ended with ${result.status ?? result.error ?? result.signal}`);
}

/** Builds what has changed. Throws an Error that names what failed; the compiler's messages went to stderr. */
export function build() {
  compile(['tsconfig.core.json', 'tsconfig.host.json', 'tsconfig.web.json']);
  removeOrphans();
  bundleCommands();
  bundleWebAgent();
  finishCommand();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    if (process.argv.includes('--commands')) bundleCommands();
    else build();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
