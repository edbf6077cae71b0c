// What would be published: which files, how large, and whether others can import it. Reads the list that npm itself
// makes; publint judges exports, types and bin.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Bytes unpacked. Today's size with room to grow; a test file or a source map that slips in shows here. */
const SIZE_LIMIT = 4_500_000;

/** Bytes of the agent that every page loads, as it is sent. */
const PAGE_AGENT_LIMIT = 15_000;

/** What a shell or another program starts; nothing else may be executable. */
const EXECUTABLE = ['dist/cli/main.js', 'linker/ld', 'linker/ld64.lld'];

const REQUIRED = [
  'package.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE-MIT',
  'LICENSE-APACHE',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/cli/main.js',
  'agent/Cargo.toml',
  'agent/Cargo.lock',
  'agent/src/lib.rs',
  'docs/codes.md',
  'docs/protocol.md',
  'linker/ld',
  'linker/ld64.lld',
  'dist/web/index.js',
  'dist/web/index.d.ts',
  'dist/web/agent.js',
  'dist/web/wasi.js',
];

/** What the user gets; all else is a mistake. */
const ALLOWED = [
  /^(?:package\.json|README\.md|CHANGELOG\.md|LICENSE-(?:MIT|APACHE))$/,
  /^dist\/(?!.*\.test\.).*\.(?:js|d\.ts)$/,
  /^agent\/(?:Cargo\.(?:toml|lock)|src\/.*\.rs)$/,
  /^docs\/.*\.(?:md|svg|png)$/,
  /^linker\/ld(?:64\.lld)?$/,
];

interface Packed {
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly mode: number; readonly size: number }[];
}

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

function pack(): Packed {
  const text = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const [packed] = JSON.parse(text) as Packed[];
  if (packed === undefined) throw new Error('npm pack listed no package');
  return packed;
}

const packed = pack();
const paths = packed.files.map((file) => file.path);
const problems: string[] = [];

for (const path of REQUIRED) if (!paths.includes(path)) problems.push(`${path} would not be published`);
for (const path of paths) if (!ALLOWED.some((form) => form.test(path))) problems.push(`${path} would be published`);
for (const { path, mode } of packed.files) {
  const executable = (mode & 0o111) !== 0;
  const wanted = EXECUTABLE.includes(path);
  if (executable !== wanted) problems.push(`${path} is ${executable ? '' : 'not '}executable`);
}
const pageAgent = packed.files.find(({ path }) => path === 'dist/web/agent.js')?.size ?? 0;
if (pageAgent > PAGE_AGENT_LIMIT) problems.push(`the agent of pages has ${pageAgent} bytes, over ${PAGE_AGENT_LIMIT}`);
if (packed.unpackedSize > SIZE_LIMIT) problems.push(`${packed.unpackedSize} bytes unpacked, over ${SIZE_LIMIT}`);

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
  if (!/^\d+\.\d+\.\d+$/.test(version)) problems.push(`${name} has no exact version: ${version}`);
}

const files = paths.map((path) => ({ name: path, data: readFileSync(join(ROOT, path)) }));
const judged = await publint({
  pkgDir: 'package',
  strict: true,
  pack: { files: files.map(({ name, data }) => ({ name: join('package', name), data })) },
});
for (const message of judged.messages) problems.push(`publint: ${formatMessage(message, judged.pkg) ?? message.code}`);

for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`${paths.length} files, ${packed.unpackedSize} bytes\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
