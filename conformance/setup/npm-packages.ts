// Packages of npm that only a comparison needs: installed in the cache, each set once, with exact versions.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { madeOnce } from './cache.js';
import { run } from './run.js';

/** `node_modules` of a folder in the cache that has these packages: `name@version`. */
export function npmPackages(name: string, packages: readonly string[]): string {
  const folder = madeOnce(['npm', `${name}-${packages.join('-').replace(/[^\w.@-]/g, '_')}`], (made) => {
    mkdirSync(made, { recursive: true });
    writeFileSync(join(made, 'package.json'), '{"private":true}\n');
    run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', ...packages], { cwd: made });
  });
  return join(folder, 'node_modules');
}
