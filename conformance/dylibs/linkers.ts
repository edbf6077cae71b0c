// The linkers of Mach-O libraries that are compared, and how each is given a case.
import { join } from 'node:path';
import { ROOT } from '../record.js';
import { cacheFolder } from '../setup/cache.js';
import { tryRun, type Said } from '../setup/run.js';
import { zig } from '../setup/zig.js';
import type { DylibCase } from './cases.js';

export const DYLIB_LINKERS = ['lld', 'zig', 'ipbp'] as const;
export type DylibLinker = (typeof DYLIB_LINKERS)[number];

/** What a linker made. */
export interface LinkedCase {
  readonly output: string;
  /** Null where the linker writes none. */
  readonly map: string | null;
  readonly said: Said;
}

/** Links a case; `more` are options of the one link. */
export function linkDylibCase(one: DylibCase, linker: DylibLinker, more: readonly string[] = []): LinkedCase {
  const folder = cacheFolder('links', 'dylibs', one.machine, one.name);
  const output = join(folder, `${linker}${more.join('')}.dylib`);
  const map = join(folder, `${linker}${more.join('')}.map`);
  const args = [...one.args().map((arg) => arg.replaceAll('{output}', output)), ...more];
  const mapped = [...args, '-map', map];
  switch (linker) {
    case 'lld':
      // Its hints make other instructions of pairs: what is compared are the places that the objects have.
      return { output, map, said: tryRun('ld64.lld-22', [...mapped, '-adhoc_codesign', '-ignore_optimization_hints']) };
    case 'zig':
      return { output, map: null, said: tryRun(zig(), zigArguments(one, args, output)) };
    case 'ipbp':
      return { output, map, said: tryRun(process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), 'link', ...mapped]) };
  }
}

/** Values that zig's driver has no words for, or sets itself. */
const WITH_VALUE = new Set(['-arch', '-syslibroot', '-o', '-install_name', '-exported_symbols_list', '-undefined']);

/** zig's linker is behind a compiler driver: inputs and few options are given. */
function zigArguments({ machine }: DylibCase, args: readonly string[], output: string): string[] {
  const inputs: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (word === '-platform_version') at += 3;
    else if (word === '-force_load') inputs.push(`-Wl,-force_load,${args[++at] ?? ''}`);
    else if (WITH_VALUE.has(word)) at++;
    else if (word === '-dead_strip') inputs.push('-Wl,-dead_strip');
    else if (!word.startsWith('-')) inputs.push(word);
  }
  const target = `${machine === 'aarch64' ? 'aarch64' : machine}-macos.13.0`;
  return ['cc', '-target', target, '-shared', '-Wl,-undefined,dynamic_lookup', ...inputs, '-o', output];
}
