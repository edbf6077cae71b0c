// The suite `tools`: which compilers and linkers this machine compares with.
import { type Suite } from '../suite.js';
import { ensureDebianTools, versionOf } from './debian-tools.js';

const PEERS = ['ld.bfd', 'ld.lld-19', 'mold', 'clang-19', 'gcc', 'qemu-aarch64-static', 'rustc'];

/** Installs what is missing and tells the versions. */
export const toolsSuite: Suite = {
  name: 'tools',
  run: (_options, say) => {
    ensureDebianTools();
    const versions = Object.fromEntries(PEERS.map((tool) => [tool, versionOf(tool)]));
    for (const [name, found] of Object.entries(versions)) say({ machine: '', name, found, failures: [] });
    return Promise.resolve(versions);
  },
};
