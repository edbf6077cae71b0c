// A small link in which a linker has to choose: how large common storage is, what of an archive is fetched, which sections
// live, in which order functions run at the start.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../setup/cache.js';
import { run } from '../setup/run.js';
import { type MachineName } from '../suite.js';
import { type CapturedLink } from './capture.js';
import { MACHINE_TOOLS } from './machine-tools.js';

const TEXTS = {
  // mold takes the first size: that is the largest. What runs first comes second; only the names of its ends refer to `set`.
  first: `
    .comm shared_block, 64, 32
    .data
    .balign 8
    .globl words
    .type words, @object
words:
    .quad __start_set, __stop_set, eager, shared_block
    .size words, . - words
    .section set, "aw", @progbits
    .balign 8
    .quad 1
    .section .unused, "aw", @progbits
    .quad 2
    .section .text.later, "ax", @progbits
later:
    .cfi_startproc
    ret
    .cfi_endproc
    .section .init_array.00200, "aw", @init_array
    .balign 8
    .quad later
`,
  last: `
    .comm shared_block, 8, 8
    .weak lazy
    .data
    .balign 8
    .globl weakly
    .type weakly, @object
weakly:
    .quad lazy
    .size weakly, . - weakly
    .section set, "aw", @progbits
    .balign 8
    .quad 3
    .section .text.sooner, "ax", @progbits
sooner:
    .cfi_startproc
    ret
    .cfi_endproc
    .section .init_array.00100, "aw", @init_array
    .balign 8
    .quad sooner
`,
  lazy: `
    .data
    .balign 8
    .globl lazy
    .type lazy, @object
lazy:
    .quad 4
    .size lazy, . - lazy
`,
  eager: `
    .data
    .balign 8
    .globl eager
    .type eager, @object
eager:
    .quad 5
    .size eager, . - eager
`,
} as const;

/** The link; its objects are made anew. */
export function choicesLink(machine: MachineName): CapturedLink {
  const folder = cacheFolder('choices', machine);
  const { triple } = MACHINE_TOOLS[machine];
  const [first, last, ...members] = Object.entries(TEXTS).map(([name, text]) => {
    const [source, object] = [join(folder, `${name}.s`), join(folder, `${name}.o`)];
    writeFileSync(source, `.section .note.GNU-stack, "", @progbits\n${text}`);
    run('llvm-mc-19', ['-filetype=obj', `-triple=${triple}`, source, '-o', object]);
    return object;
  });
  const archive = join(folder, 'members.a');
  run('ar', ['rcs', archive, ...members]);
  const options = ['-shared', '--hash-style=gnu', '--gc-sections', '--eh-frame-hdr'];
  // The names of the ends are shown by some linkers unless they are told not to; GNU ld needs the one, lld the other.
  const script = join(folder, 'shown.map');
  writeFileSync(script, '{ global: words; weakly; eager; shared_block; local: *; };\n');
  const ends = ['-z', 'nostart-stop-gc', '-z', 'start-stop-visibility=hidden', `--version-script=${script}`];
  const args = [...options, ...ends, '-soname', 'choices.so', '-o', '{output}', first!, archive, last!];
  return { name: 'choices', machine, args };
}
