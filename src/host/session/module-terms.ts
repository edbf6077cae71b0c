// What is different for modules of WebAssembly from what `ipbp run` says and takes for processes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { PageEvent } from '../web/page-host.js';
import type { ReachContext } from './reach.js';

/** What the script that stands in for the linker notes of modules' links, by the keys of their units. */
export function recordedLinks({ directories }: Pick<ReachContext, 'directories'>): {
  folderOf(key: string): string;
  has(key: string): boolean;
} {
  const folderOf = (key: string): string => join(directories.units, key);
  return { folderOf, has: (key) => existsSync(join(folderOf(key), 'link')) };
}

/**
 * Throws IPBP5902 for what only processes have.
 * @param further given besides, and not for this kind of module
 */
export function refuseForModules({ options, project }: ReachContext, further: string | null = null): void {
  const given =
    options.redirect === 'jump'
      ? '--redirect jump'
      : options.deliver !== 'auto'
        ? `--deliver ${options.deliver}`
        : options.noBuild
          ? '--no-build'
          : further;
  if (given === null) return;
  throw new IpbpError('IPBP5902', 'not for modules of WebAssembly', { where: `${given}, ${project.targetTriple}` });
}

/**
 * Throws IPBP5902 for what only modules have.
 * @param isModule it is one, and no page loads it
 */
export function refuseForProcesses({ options, project }: ReachContext, isModule: boolean): void {
  const { serve, buildPage, port, patchable } = options;
  const ofPages = { '--serve': serve, '--build-page': buildPage, '--port': port };
  const ofModules = isModule ? {} : { '--patchable': patchable };
  const given = Object.entries({ ...ofPages, ...ofModules }).find(([, value]) => value !== undefined);
  if (given === undefined) return;
  const what = isModule ? 'only for modules that pages load' : 'only for modules of WebAssembly';
  throw new IpbpError('IPBP5902', what, { where: `${given[0]}, ${project.targetTriple}` });
}

/** What goes on among a module's instances. */
export function tellPage({ note, emit }: Pick<ReachContext, 'note' | 'emit'>, event: PageEvent): void {
  switch (event.event) {
    case 'connected':
    case 'disconnected':
      return emit({
        event: 'page',
        name: event.page.name,
        kind: event.page.kind,
        connected: event.event === 'connected',
      });
    case 'ready':
      return event.error === null ? undefined : note(event.error.code, `${event.page.name}: ${event.error.message}`);
    case 'trapped': {
      const { function: name, patch, message } = event.trap;
      const of = patch === null ? '' : ` of patch #${patch}`;
      return note(null, `${event.page.name}: ${name}${of} trapped: ${message}`);
    }
    case 'rejected':
      return note(event.error.code, event.error.message);
  }
}
