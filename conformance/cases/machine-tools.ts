// The programs of each machine: compilers, the linkers that are compared, and how a program of it is run.
import { type MachineName } from '../suite.js';

/** Linkers, by the name of the table. `ipbp` is ours. */
export const PEERS = ['ld', 'lld', 'mold'] as const;

/** One of the linkers compared with. */
export type PeerName = (typeof PEERS)[number];

/** Ours or a peer. */
export type LinkerName = PeerName | 'ipbp';

/** What there is for a machine. */
export interface MachineTools {
  readonly triple: string;
  readonly cc: string;
  readonly cxx: string;
  /** clang's options that choose the machine. */
  readonly clang: readonly string[];
  readonly linkers: Readonly<Record<PeerName, string>>;
  /** Put before a program's own command line. */
  readonly run: readonly string[];
}

/** Programs that ensureDebianTools has brought. */
export const MACHINE_TOOLS: Readonly<Record<MachineName, MachineTools>> = {
  x86_64: {
    triple: 'x86_64-unknown-linux-gnu',
    cc: 'gcc',
    cxx: 'g++',
    clang: ['--target=x86_64-linux-gnu'],
    linkers: { ld: 'ld.bfd', lld: 'ld.lld-19', mold: 'mold' },
    run: [],
  },
  aarch64: {
    triple: 'aarch64-unknown-linux-gnu',
    cc: 'aarch64-linux-gnu-gcc',
    cxx: 'aarch64-linux-gnu-g++',
    clang: ['--target=aarch64-linux-gnu'],
    linkers: { ld: 'aarch64-linux-gnu-ld.bfd', lld: 'ld.lld-19', mold: 'mold' },
    run: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'],
  },
};
