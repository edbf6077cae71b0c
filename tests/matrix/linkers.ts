// Linkers other than rustc's own choice, and how rustc is told to use one.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** What cargo is given to link with `ld.NAME`, which must be on the PATH. */
export function linkerFlags(name: 'bfd' | 'mold'): string {
  const tool = name === 'bfd' ? 'ld.bfd' : name;
  const { status } = spawnSync(tool, ['--version'], { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${tool} is not installed`);
  return `-Clinker-features=-lld -Clink-arg=-fuse-ld=${name}`;
}

/** The release of wild that this compiler can build. */
const WILD = '0.10.0';

/** Has cargo link with wild. */
export function wildFlags(): string {
  const wild = wildProgram();
  // The C compiler looks for a program of the name `ld`.
  const folder = join(dirname(dirname(wild)), 'as-ld');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'ld'))) symlinkSync(wild, join(folder, 'ld'));
  return `-Clinker-features=-lld -Clink-arg=-B${folder}`;
}

/** The path of wild, built once in the user's cache (4 minutes of one core). */
export function wildProgram(): string {
  const root = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ipbp-matrix', `wild-${WILD}`);
  const wild = join(root, 'bin', 'wild');
  if (existsSync(wild)) return wild;
  const install = ['install', 'wild-linker', '--version', WILD, '--locked', '--root', root];
  const { status } = spawnSync('cargo', install, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`cargo ${install.join(' ')} ended with ${status}`);
  return wild;
}
