// Which machine and rows belong to a file. The only place that lists the supported pairs of format and machine.
import { IpbpError } from '../codes/error.js';
import type { Format, MachineName } from '../formats/object-file.js';
import { arm64Machine } from './arm64/machine.js';
import { ELF_AARCH64_DYNAMIC, ELF_AARCH64_ROWS } from './elf-aarch64.js';
import { ELF_X86_64_DYNAMIC, ELF_X86_64_ROWS } from './elf-x86-64.js';
import { MACHO_ARM64_ROWS } from './macho-arm64.js';
import { MACHO_X86_64_ROWS } from './macho-x86-64.js';
import type { Machine } from './machine.js';
import { WASM32_MACHINE } from './wasm32/machine.js';
import { x86Machine } from './x86-64/machine.js';

const [KIB4, KIB16, KIB64] = [0x1000, 0x4000, 0x1_0000] as const;
const ELF = { lazy: true, codeStays: false };
/** Loaders of Mach-O files bind everything before any code runs, from lists that are no relocations. */
const MACHO = { dynamic: null, lazy: false, codeStays: true, hasAgent: true };
const ELF_X86_64 = { ...ELF, rows: ELF_X86_64_ROWS, dynamic: ELF_X86_64_DYNAMIC, hasAgent: true };
const ELF_AARCH64 = { ...ELF, rows: ELF_AARCH64_ROWS, dynamic: ELF_AARCH64_DYNAMIC, hasAgent: false };

const MACHINES: ReadonlyMap<string, Machine> = new Map([
  ['elf x86_64', x86Machine({ ...ELF_X86_64, pageSize: KIB4 })],
  // Linux runs with pages of 4, 16 or 64 KiB.
  ['elf arm64', arm64Machine({ ...ELF_AARCH64, pageSize: KIB64 })],
  ['macho x86_64', x86Machine({ ...MACHO, rows: MACHO_X86_64_ROWS, pageSize: KIB4 })],
  ['macho arm64', arm64Machine({ ...MACHO, rows: MACHO_ARM64_ROWS, pageSize: KIB16 })],
  ['wasm wasm32', WASM32_MACHINE],
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
