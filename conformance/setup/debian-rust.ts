// Debian's rustc-web: a Rust compiler whose sources of std, with all crates it is made of, are a package too, so that std
// can be built for any target without rustup's registry. Unpacked into the cache; only LLVM's library is installed.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { madeOnce } from './cache.js';
import { run, tryRun } from './run.js';

/** A compiler that cargo is told to use. */
export interface RustCompiler {
  /** A script that starts it with its own libraries. */
  readonly rustc: string;
  readonly version: string;
}

/** The compiler and where it lies. */
export interface DebianRust extends RustCompiler {
  /** `usr` of the packages: `lib/rustlib/TARGET/lib` holds a target's std. */
  readonly prefix: string;
  /** `library` of the compiler's sources. */
  readonly library: string;
}

const NAME = 'debian-rust';
const QUIET = { env: { DEBIAN_FRONTEND: 'noninteractive' } };

/** The one package file in a folder whose name starts so. Throws when there is none. */
export function debFile(folder: string, start: string): string {
  const found = readdirSync(folder).find((name) => name.startsWith(start) && name.endsWith('.deb'));
  if (found === undefined) throw new Error(`apt-get download brought no ${start}…deb`);
  return join(folder, found);
}

function unpack(folder: string): void {
  run('apt-get', ['update', '-q'], QUIET);
  const debs = join(folder, 'debs');
  mkdirSync(debs);
  const download = (...names: readonly string[]): void => {
    run('apt-get', ['download', '-q', ...names], { ...QUIET, cwd: debs });
  };
  download('rustc-web', 'libstd-rust-web-dev', 'rust-web-src');
  const dev = debFile(debs, 'libstd-rust-web-dev_');
  const std = /libstd-rust-web-[0-9.]+/.exec(run('dpkg-deb', ['-f', dev, 'Depends']))?.[0];
  if (std === undefined) throw new Error('libstd-rust-web-dev depends on no libstd-rust-web');
  download(std);
  for (const deb of [debFile(debs, 'rustc-web_'), dev, debFile(debs, `${std}_`)]) run('dpkg-deb', ['-x', deb, folder]);
  const source = debFile(debs, 'rust-web-src_');
  const wanted = ["--wildcards './usr/src/rustc-*/library'", "'./usr/lib/rustlib/src'"].join(' ');
  run('sh', ['-c', `dpkg-deb --fsys-tarfile '${source}' | tar x -C '${folder}' ${wanted}`]);
  writeFileSync(join(folder, 'version'), run('dpkg-deb', ['-f', dev, 'Version']).trim());
  writeFileSync(join(folder, 'llvm'), run('dpkg-deb', ['-f', debFile(debs, `${std}_`), 'Depends']));
  rmSync(debs, { recursive: true });
  const usr = join(folder, 'usr');
  const start = `#!/bin/sh\nLD_LIBRARY_PATH=${usr}/lib/x86_64-linux-gnu exec ${usr}/bin/rustc "$@"\n`;
  writeFileSync(join(folder, 'rustc'), start);
  chmodSync(join(folder, 'rustc'), 0o755);
}

/** LLVM's library is the system's: also a cache from another machine may lack it. */
function ensureLlvm(rustc: string, depends: string): void {
  if (tryRun(rustc, ['--version']).status === 0) return;
  const llvm = /libllvm[0-9]+/.exec(depends)?.[0];
  if (llvm === undefined) throw new Error(`no libllvm in ${depends}`);
  run('apt-get', ['update', '-q'], QUIET);
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', llvm], QUIET);
}

/** The compiler, unpacked once. Throws where apt brings none. */
export function debianRust(): DebianRust {
  const folder = madeOnce([NAME], unpack);
  const rustc = join(folder, 'rustc');
  if (!existsSync(rustc)) throw new Error(`${rustc} is not there: remove ${folder} and try again`);
  ensureLlvm(rustc, readFileSync(join(folder, 'llvm'), 'utf8'));
  const sources = join(folder, 'usr', 'src');
  const release = readdirSync(sources).find((name) => name.startsWith('rustc-'));
  if (release === undefined) throw new Error(`no sources of the compiler in ${sources}`);
  const library = join(sources, release, 'library');
  return { rustc, version: run(rustc, ['--version']).trim(), prefix: join(folder, 'usr'), library };
}

/** What is added to the compiler's folder once, as a target's std: `make` is called with the compiler and a folder. */
export function addedOnce(what: string, make: (rust: DebianRust, folder: string) => void): DebianRust {
  const rust = debianRust();
  madeOnce([NAME, what], (folder) => make(rust, folder));
  return rust;
}
