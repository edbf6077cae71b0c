// A Rust compiler with a standard library for arm64 Linux: the arm64 package of the compiler's own std.
import { readFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type RustCompiler, addedOnce, debFile } from './debian-rust.js';
import { run } from './run.js';

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

/** The compiler with arm64's std, unpacked once. Throws where apt brings none. */
export function arm64Rust(): RustCompiler {
  return addedOnce('arm64-linux', ({ prefix }, folder) => {
    const root = dirname(prefix);
    const version = readFileSync(join(root, 'version'), 'utf8');
    const env = foreignApt(folder);
    run('apt-get', ['update', '-q'], { env });
    run('apt-get', ['download', '-q', `libstd-rust-web-dev:arm64=${version}`], { cwd: folder, env });
    run('dpkg-deb', ['-x', debFile(folder, 'libstd-rust-web-dev_'), root]);
  });
}
