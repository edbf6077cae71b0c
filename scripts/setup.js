// Brings a fresh checkout to where everything else can run. Owns: what must be on the machine, and how it gets there.
// Plain JavaScript on Node's own modules only, because it runs before `npm ci`. It never touches anything outside the
// checkout, but for Debian packages when a tool is missing and it runs as root.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.js';

/** The checkout. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const NODE_MAJOR = 20;

/** Tools that the tests call, and the Debian package that brings each. ipbp itself needs none but cargo. */
const DEBIAN_TOOLS = [
  { tool: 'cc', package: 'gcc' },
  { tool: 'g++', package: 'g++' },
  { tool: 'as', package: 'binutils' },
  { tool: 'strip', package: 'binutils' },
  { tool: 'mold', package: 'mold' },
  { tool: 'clang-19', package: 'clang-19' },
  { tool: 'ld64.lld-19', package: 'lld-19' },
  { tool: 'llvm-objdump-19', package: 'llvm-19' },
  { tool: 'aarch64-linux-gnu-gcc', package: 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross' },
  { tool: 'qemu-aarch64-static', package: 'qemu-user-static' },
  { tool: 'pip3', package: 'python3-pip' },
];

function fail(message) {
  throw new Error(`set-up: ${message}`);
}

function say(message) {
  process.stderr.write(`set-up: ${message}\n`);
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], ...options });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) fail(`${command} ${args.join(' ')} ended with ${result.status ?? result.signal}`);
}

/** True when a program of this name is on the PATH. */
function onPath(tool) {
  return (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, tool)));
}

/** Ends with an explanation where Node is too old. */
export function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < NODE_MAJOR) fail(`Node ${NODE_MAJOR} or newer is needed, this is ${process.versions.node}`);
}

/** True when every package of package-lock.json is installed in its version. Optional ones may be missing. */
export function packagesAreCurrent() {
  const installedFile = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional === true || installed[path]?.version === entry.version,
  );
}

/** `npm ci` when node_modules is missing or does not fit package-lock.json. */
export function ensurePackages() {
  if (packagesAreCurrent()) return;
  say('installing the npm packages of package-lock.json');
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
}

/** Checks for cargo; it is the user's own toolchain, so it is never installed from here. */
export function checkCargo() {
  const result = spawnSync('cargo', ['--version'], { stdio: 'ignore' });
  if (result.error || result.status !== 0) fail('cargo is needed: install Rust from https://rustup.rs and try again');
}

/** Installs the Debian packages of missing tools when it may, says which they are when it may not. */
export function ensureDebianTools() {
  const missing = DEBIAN_TOOLS.filter(({ tool }) => !onPath(tool));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap((entry) => entry.package.split(' ')))];
  const tools = missing.map(({ tool }) => tool).join(', ');
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    fail(`${tools} not found; install the packages ${packages.join(' ')} (apt-get install, or your system's names)`);
  }
  say(`installing ${packages.join(' ')} for ${tools}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-q'], { env });
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], { env });
}

/** What `npm start` and `npm run build` in a fresh checkout need: packages, cargo, a build. */
export function setUp() {
  checkNode();
  checkCargo();
  ensurePackages();
  build();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    ensureDebianTools();
    setUp();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
