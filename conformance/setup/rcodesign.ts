// A program that reads signatures by rcodesign's library (the crate apple-codesign), compiled into the cache: one build for
// each state of its sources and its lock file. Three hundred crates: 193 seconds of one processor.
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../record.js';
import { madeOnce } from './cache.js';
import { run } from './run.js';

const SOURCES = join(ROOT, 'conformance', 'checkers', 'rcodesign');
const NAME = 'signature-reader';

/** The program: paths on standard input, a line of JSON for each. */
export function rcodesign(): string {
  const hash = createHash('sha256');
  for (const file of ['Cargo.toml', 'Cargo.lock', 'src/main.rs']) hash.update(readFileSync(join(SOURCES, file)));
  const folder = madeOnce(['rcodesign', hash.digest('hex').slice(0, 16)], (target) => {
    const source = join(target, 'source');
    cpSync(SOURCES, source, { recursive: true });
    run('cargo', ['build', '-q', '--locked'], { cwd: source, timeout: 3_600_000, env: { CARGO_TARGET_DIR: target } });
    copyFileSync(join(target, 'debug', NAME), join(target, NAME));
    for (const name of ['debug', 'source']) rmSync(join(target, name), { recursive: true });
  });
  return join(folder, NAME);
}
