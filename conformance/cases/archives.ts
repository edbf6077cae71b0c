// Libraries of distributions linked whole: every member of an archive, with the options that a C++ driver gives.
import { join } from 'node:path';
import { cacheFolder } from '../setup/cache.js';
import { run } from '../setup/run.js';
import { type MachineName } from '../suite.js';
import { captureSettings, readCapture, type CapturedLink } from './capture.js';
import { MACHINE_TOOLS } from './machine-tools.js';

/** Archives by the name of the case; the compiler driver knows where each is. */
const ARCHIVES: Readonly<Record<string, string>> = {
  'whole-libstdc++': 'libstdc++.a',
  'whole-libasan': 'libasan.a',
  'whole-libubsan': 'libubsan.a',
  'whole-libtsan': 'libtsan.a',
};

/** The names of all cases. */
export const ARCHIVE_NAMES: readonly string[] = Object.keys(ARCHIVES);

/** The captured link of one archive, made when the cache has it not. */
export function captureArchive(machine: MachineName, name: string): CapturedLink {
  const folder = cacheFolder('captured', 'archives', machine);
  const known = readCapture(machine, folder, name);
  if (known !== null) return known;
  const { cxx } = MACHINE_TOOLS[machine];
  const archive = run(cxx, [`-print-file-name=${ARCHIVES[name]!}`]).trim();
  const { folder: shim, env } = captureSettings(machine, folder);
  const output = join(cacheFolder('archives', machine), `lib${name}.so`);
  const whole = ['-Wl,--whole-archive', archive, '-Wl,--no-whole-archive'];
  run(cxx, ['-shared', '-nodefaultlibs', `-B${shim}`, ...whole, '-lgcc', '-lc', '-o', output], { env });
  const link = readCapture(machine, folder, name);
  if (link === null) throw new Error(`${cxx} called no linker of -B for ${name}`);
  return link;
}
