// The agent as pages get it: one script, made by the build (scripts/build.js), which defines `ipbpAgent`.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { IpbpError } from '../../codes/error.js';

/** The script's text. Throws IPBP4008 where it was not built. */
export function agentScript(): string {
  return readFileSync(builtForPages('agent.js'), 'utf8');
}

/** A file of those that the build makes of the agent's sources. Throws IPBP4008. */
export function builtForPages(name: string): string {
  // Beside this file's folder where all is built; this may also be its source.
  const places = [`../../web/${name}`, `../../../dist/web/${name}`].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = places.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new IpbpError('IPBP4008', 'the agent for pages was not built', { where: places[0] ?? '' });
}
