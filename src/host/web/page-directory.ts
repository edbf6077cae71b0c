// Where the project's page is: the folder that is served.
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { CargoProject } from '../cargo/cargo-project.js';

/** Where projects have it, the package's own folder last. */
const FOLDERS = ['web', 'www', 'static', 'public', '.'];

/**
 * The folder with the page: the one that was named, else the first with an index.html of those that projects have, below
 * the directory where cargo is run and below packages that become modules. Throws IPBP5049 where there is none.
 */
export function pageDirectory(named: string | null, directory: string, packages: CargoProject['packages']): string {
  if (named !== null) {
    const folder = resolve(directory, named);
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder;
    throw new IpbpError('IPBP5049', 'the folder to serve is not there', { where: folder });
  }
  const modules = packages.filter(({ crates }) => crates.some(({ kinds }) => kinds.includes('cdylib')));
  const bases = [directory, ...modules.map(({ manifest }) => dirname(manifest))];
  const folders = bases.flatMap((base) => FOLDERS.map((name) => join(base, name)));
  const found = folders.find((folder) => existsSync(join(folder, 'index.html')));
  if (found !== undefined) return found;
  throw new IpbpError('IPBP5049', 'no page was found', {
    expected: `an index.html in ${FOLDERS.map((name) => (name === '.' ? 'the package' : `${name}/`)).join(', ')}, or --serve DIR`,
    where: directory,
  });
}
