// A Rust compiler with a standard library for arm64, unpacked into the cache: Debian's rustc-web with the arm64 package
// of its std, as rustup's registry may be out of reach. Nothing is installed but the LLVM library that it loads.
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { madeOnce } from './cache.js';
import { run } from './run.js';

/** A compiler that cargo is told to use. */
export interface RustCompiler {
  readonly rustc: string;
  /** Its libraries, for programs that it loads (proc macros). */
  readonly version: string;
}

function debs(folder: string, start: string): string {
  const found = readdirSync(folder).find((name) => name.startsWith(start) && name.endsWith('.deb'));
  if (found === undefined) throw new Error(`apt-get download brought no ${start}…deb`);
  return join(folder, found);
}

/** A private apt that believes to be on arm64 too; the machine's own is left as it is. */
function foreignApt(folder: string): Record<string, string> {
  const state = join(folder, 'apt');
  mkdirSync(join(state, 'state', 'lists', 'partial'), { recursive: true });
  mkdirSync(join(state, 'cache', 'archives', 'partial'), { recursive: true });
  writeFileSync(join(state, 'status'), '');
  const lines = [
    'APT::Architecture "amd64";',
    'APT::Architectures { "amd64"; "arm64"; };',
    `Dir::State "${state}/state";`,
    `Dir::State::status "${state}/status";`,
    `Dir::Cache "${state}/cache";`,
    'APT::Sandbox::User "root";',
  ];
  writeFileSync(join(state, 'apt.conf'), `${lines.join('\n')}\n`);
  return { APT_CONFIG: join(state, 'apt.conf') };
}

function unpack(folder: string): void {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-q'], { env });
  const download = (name: string, settings = {}): void => {
    run('apt-get', ['download', '-q', name], { cwd: folder, ...settings });
  };
  download('rustc-web');
  download('libstd-rust-web-dev');
  const dev = debs(folder, 'libstd-rust-web-dev_');
  const std = /libstd-rust-web-[0-9.]+/.exec(run('dpkg-deb', ['-f', dev, 'Depends']))?.[0];
  if (std === undefined) throw new Error('libstd-rust-web-dev depends on no libstd-rust-web');
  download(std);
  const llvm = /libllvm[0-9]+/.exec(run('dpkg-deb', ['-f', debs(folder, `${std}_`), 'Depends']))?.[0];
  if (llvm !== undefined) run('apt-get', ['install', '-y', '-q', '--no-install-recommends', llvm], { env });
  const version = run('dpkg-deb', ['-f', dev, 'Version']).trim();
  for (const deb of [debs(folder, 'rustc-web_'), dev, debs(folder, `${std}_`)]) run('dpkg-deb', ['-x', deb, folder]);
  const arm = foreignApt(folder);
  run('apt-get', ['update', '-q'], { env: arm });
  const armFolder = join(folder, 'arm64');
  mkdirSync(armFolder);
  download(`libstd-rust-web-dev:arm64=${version}`, { cwd: armFolder, env: arm });
  run('dpkg-deb', ['-x', debs(armFolder, 'libstd-rust-web-dev_'), folder]);
  const usr = join(folder, 'usr');
  const start = `#!/bin/sh\nLD_LIBRARY_PATH=${usr}/lib/x86_64-linux-gnu exec ${usr}/bin/rustc "$@"\n`;
  writeFileSync(join(folder, 'rustc'), start);
  chmodSync(join(folder, 'rustc'), 0o755);
}

/** The compiler, unpacked once. Throws where apt brings none. */
export function arm64Rust(): RustCompiler {
  const folder = madeOnce(['rust-arm64'], unpack);
  const rustc = join(folder, 'rustc');
  if (!existsSync(rustc)) throw new Error(`${rustc} is not there: remove ${folder} and try again`);
  return { rustc, version: run(rustc, ['--version']).trim() };
}
