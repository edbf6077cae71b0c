// Stands in as `ld` while a case is built: keeps the linker's arguments and a copy of every input that will not stay,
// then lets the real linker (CONFORMANCE_LD) do its work. Plain JavaScript, because a compiler driver starts it.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const { CONFORMANCE_CAPTURE: capture, CONFORMANCE_LD: linker } = process.env;
if (capture === undefined || linker === undefined)
  throw new Error('CONFORMANCE_CAPTURE and CONFORMANCE_LD are not set');

/** What @files hold, taken apart as compilers write them: a line or a quoted word each. */
function unfolded(args) {
  return args.flatMap((arg) => {
    if (!arg.startsWith('@') || !existsSync(arg.slice(1))) return [arg];
    const words = readFileSync(arg.slice(1), 'utf8').match(/"(?:[^"\\]|\\.)*"|[^\s"]+/g) ?? [];
    return words.map((word) => word.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1'));
  });
}

const args = unfolded(process.argv.slice(2));
const output = args[args.indexOf('-o') + 1] ?? 'a.out';
const folder = join(
  capture,
  basename(output)
    .replace(/^lib/, '')
    .replace(/\.(?:so|dylib)$/, ''),
);
rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'files'), { recursive: true });

let count = 0;
/** A path that will hold the same bytes after the build. */
function kept(path) {
  const full = resolve(path);
  if (full.startsWith('/usr/') || full.startsWith('/lib')) return full;
  const copy = join(folder, 'files', `${String(count++).padStart(4, '0')}-${basename(full)}`);
  copyFileSync(full, copy);
  return copy;
}

function isFile(path) {
  return existsSync(path) && statSync(path).isFile();
}

const mapped = args.map((arg, index) => {
  if (args[index - 1] === '-o') return '{output}';
  if (args[index - 1] === '-plugin') return arg;
  const [option, value] = [arg.slice(0, arg.indexOf('=') + 1), arg.slice(arg.indexOf('=') + 1)];
  if (/^--?(version-script|dynamic-list)=$/.test(option) && isFile(value)) return `${option}${kept(value)}`;
  return !arg.startsWith('-') && isFile(arg) ? kept(arg) : arg;
});
writeFileSync(join(folder, 'link.json'), `${JSON.stringify({ args: mapped }, undefined, 1)}\n`);
const { status, error } = spawnSync(linker, process.argv.slice(2), { stdio: 'inherit' });
if (error !== undefined) throw error;
process.exitCode = status ?? 1;
