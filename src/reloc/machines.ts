// Which machine and rows belong to a file. The only place that lists the supported pairs of format and machine.
import { IpbpError } from '../codes/error.js';
import type { Format, MachineName } from '../formats/object-file.js';
import { arm64Machine } from './arm64/machine.js';
import { ELF_AARCH64_DYNAMIC, ELF_AARCH64_ROWS } from './elf-aarch64.js';
import { ELF_X86_64_DYNAMIC, ELF_X86_64_ROWS } from './elf-x86-64.js';
import type { Machine } from './machine.js';
import { x86Machine } from './x86-64/machine.js';

const MACHINES: ReadonlyMap<string, Machine> = new Map([
  ['elf x86_64', x86Machine(ELF_X86_64_ROWS, ELF_X86_64_DYNAMIC)],
  ['elf arm64', arm64Machine(ELF_AARCH64_ROWS, ELF_AARCH64_DYNAMIC)],
]);

/**
 * The machine of a file.
 * @throws IpbpError IPBP1003 when the pair is not supported.
 */
export function machineFor(format: Format, machine: MachineName, where: string): Machine {
  const found = MACHINES.get(`${format} ${machine}`);
  if (found === undefined) {
    throw new IpbpError('IPBP1003', 'this format and machine cannot be linked yet', {
      expected: [...MACHINES.keys()].join(', '),
      actual: `${format} ${machine}`,
      where,
    });
  }
  return found;
}
