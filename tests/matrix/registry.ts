// Where cargo keeps the sources of a published package. cargo itself fetches what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folder of one package's sources in cargo's own cache. Throws when cargo cannot bring it. */
export function packageFolder(crate: string, version: string): string {
  const known = findFolder(crate, version);
  if (known !== undefined) return known;
  // Away from any project: within one, cargo would tell of the version that is locked there.
  const { status, stderr } = spawnSync('cargo', ['info', `${crate}@${version}`], { cwd: tmpdir(), encoding: 'utf8' });
  const folder = findFolder(crate, version);
  if (folder === undefined) throw new Error(`cargo info ${crate}@${version} ended with ${status}: ${stderr}`);
  return folder;
}

function findFolder(crate: string, version: string): string | undefined {
  const sources = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry', 'src');
  const registries = existsSync(sources) ? readdirSync(sources) : [];
  return registries
    .map((registry) => join(sources, registry, `${crate}-${version}`))
    .find((folder) => existsSync(join(folder, 'Cargo.toml')));
}
