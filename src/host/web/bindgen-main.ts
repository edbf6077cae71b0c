// What stands in for wasm-bindgen while a command makes a page (page-tool.ts): `REAL LINKED PREPARED ARGUMENT…` runs the real
// one, with the prepared module in the place of the linked one, and makes its output a base again. Any other module goes
// through as it is.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sameFile } from '../files/same-file.js';
import { FINISHED, finishModule, readPrepared } from './finish-module.js';

const [real = '', linked = '', prepared = '', ...given] = process.argv.slice(2);

/** The value of an option, as clap takes them. */
function option(name: string): string | undefined {
  const at = given.findIndex((word) => word === name || word.startsWith(`${name}=`));
  const word = given[at];
  return word === name ? given[at + 1] : word?.slice(name.length + 1);
}

const at = given.findIndex((word) => word.endsWith('.wasm') && !word.startsWith('-') && sameFile(word, linked));
const args = at < 0 ? given : given.with(at, prepared);
const { status, error } = spawnSync(real, args, { stdio: 'inherit' });
if (error !== undefined) process.stderr.write(`ipbp: ${real} cannot be run: ${error.message}\n`);
process.exitCode = status ?? 1;
if (status === 0 && at >= 0) {
  const name = option('--out-name') ?? basename(given[at] ?? '', '.wasm');
  const file = join(option('--out-dir') ?? '.', `${name}_bg.wasm`);
  const bytes = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
  const finished = finishModule(readPrepared(bytes(prepared), prepared), { name: file, bytes: bytes(file) });
  writeFileSync(file, finished.bytes);
  writeFileSync(join(dirname(prepared), FINISHED), finished.bytes);
}
