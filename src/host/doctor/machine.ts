// Checks of the machine. What the agent needs of the kernel is in agent/src/linux/memory.rs and threads.rs, what the host
// needs in src/host. Functions over facts; where the facts come from is machine-facts.ts.
import { isAtLeast, missing, ok, warning, type Finding } from './finding.js';

/** The machine as far as it was asked. Errors of the system are their codes: `EACCES`. */
export interface MachineFacts {
  /** As Node names them. */
  readonly platform: string;
  readonly arch: string;
  /** `20.11.1` */
  readonly nodeVersion: string;
  /** `6.1.0-13-amd64` */
  readonly kernelRelease: string;
  /** Opening /proc/self/mem for writing, and writing through it to a page that is read-only. */
  readonly memoryFile: { readonly opens: true | string; readonly passesProtection: boolean };
  /** SELinux is there and enforces its rules. */
  readonly selinuxEnforcing: boolean;
  /** kernel.yama.ptrace_scope; null where there is no Yama. */
  readonly ptraceScope: number | null;
  readonly inotify: {
    /** fs.inotify.max_user_instances and max_user_watches; null where they cannot be read. */
    readonly maxInstances: number | null;
    readonly maxWatches: number | null;
    /** What this user's processes hold, as far as they may be looked into. */
    readonly instances: number;
    readonly watches: number;
    /** Whether a directory could be watched just now. */
    readonly trial: true | string;
  };
  /** Commands that were looked for and are not on the PATH. */
  readonly absentCommands: readonly string[];
  /** The directory of sockets: its path, or why it cannot be used. */
  readonly sockets: { readonly directory: string } | { readonly error: string };
}

/** What our scripts call (scripts.ts, spawner.ts); `flock` alone can be done without. */
export const COMMANDS: readonly string[] = ['sh', 'env', 'sed', 'mkdir', 'mkfifo', 'mv', 'rm', 'ln', 'cat', 'flock'];

/** Of the first of these, an agent cannot do without MAP_FIXED_NOREPLACE (mmap(2)) and MEMBARRIER_CMD_…_SYNC_CORE. */
const OLDEST_KERNEL = '4.17';
const OLDEST_NODE = '20';
/** Directories of a big workspace. */
const WATCHES_WANTED = 1024;
/** A Unix socket's path has at most 107 bytes (unix(7)), of which the session's name takes some 20. */
const LONGEST_DIRECTORY = 80;

/** All checks of a machine; off Linux only those that mean something there. */
export function checkMachine(facts: MachineFacts): Finding[] {
  const target = checkTarget(facts);
  const node = checkNode(facts);
  if (facts.platform === 'darwin') return [target, node, checkCommands(facts), checkSockets(facts)];
  if (facts.platform !== 'linux') return [target, node];
  return [
    target,
    node,
    checkKernel(facts),
    checkMemory(facts),
    checkStacks(facts),
    checkInotify(facts),
    checkCommands(facts),
    checkSockets(facts),
  ];
}

function checkTarget({ platform, arch }: MachineFacts): Finding {
  const check = 'machine.target';
  if (platform === 'linux' && arch === 'x64') return ok(check, 'x86_64 Linux');
  if (platform === 'darwin') return ok(check, `macOS, ${arch}`);
  return missing(
    check,
    `${arch} ${platform} is not supported yet`,
    'Use x86_64 Linux (a container or a virtual machine does) or macOS.',
  );
}

function checkNode({ nodeVersion }: MachineFacts): Finding {
  const check = 'machine.node';
  if (isAtLeast(nodeVersion, OLDEST_NODE)) return ok(check, `Node ${nodeVersion}`);
  return missing(check, `Node ${nodeVersion} is too old`, `Install Node ${OLDEST_NODE} or newer.`);
}

function checkKernel({ kernelRelease }: MachineFacts): Finding {
  const check = 'machine.kernel';
  if (isAtLeast(kernelRelease, OLDEST_KERNEL)) return ok(check, `Linux ${kernelRelease}`);
  const remedy = /microsoft/i.test(kernelRelease)
    ? 'This is WSL 1, which is no Linux kernel: use WSL 2.'
    : `The agent needs Linux ${OLDEST_KERNEL} or newer (a sandbox such as gVisor calls itself 4.4): use another kernel or sandbox.`;
  return missing(check, `Linux ${kernelRelease} is too old`, remedy, 'IPBP5006');
}

/** The agent reads memory through /proc/self/mem, and writes code through it or, where that is refused, by mprotect(2). */
function checkMemory({ memoryFile, selinuxEnforcing }: MachineFacts): Finding {
  const check = 'machine.memory';
  const { opens, passesProtection } = memoryFile;
  if (opens !== true)
    return missing(
      check,
      `/proc/self/mem cannot be opened for writing (${opens})`,
      'Mount /proc in the container, and allow a process to write to its own memory file.',
      'IPBP5006',
    );
  if (passesProtection) return ok(check, 'a process may write to its own code');
  if (!selinuxEnforcing)
    return ok(check, 'the kernel restricts /proc/self/mem (proc_mem.force_override); code is made writable instead');
  return warning(
    check,
    'the kernel restricts /proc/self/mem, and SELinux may forbid to make code writable instead',
    'If patches are not taken (IPBP4010): boot with proc_mem.force_override=always, or allow execmod for your programs.',
    'IPBP4010',
  );
}

/** Stacks of the program are read from outside, of a process that ipbp started. */
function checkStacks({ ptraceScope }: MachineFacts): Finding {
  const check = 'machine.stacks';
  if (ptraceScope === null || ptraceScope < 2) return ok(check, "a process may read its children's stacks");
  return warning(
    check,
    `kernel.yama.ptrace_scope is ${ptraceScope}: threads that are still inside an old body cannot be named (IPBP3060)`,
    'Patching works all the same; for the warning: sudo sysctl kernel.yama.ptrace_scope=1',
    'IPBP3060',
  );
}

/** One instance per session, one watch per directory of sources. */
function checkInotify({ inotify }: MachineFacts): Finding {
  const check = 'machine.inotify';
  const { maxInstances, maxWatches, instances, watches, trial } = inotify;
  const held = `${instances} of ${maxInstances ?? '?'} instances and ${watches} of ${maxWatches ?? '?'} watches in use`;
  const raise = (name: string, to: number): string =>
    `sudo sysctl fs.inotify.${name}=${to} (to keep it: a file in /etc/sysctl.d), or end a program that watches many files.`;
  const moreInstances = raise('max_user_instances', Math.max(512, 2 * (maxInstances ?? 0)));
  const moreWatches = raise('max_user_watches', Math.max(65536, 2 * (maxWatches ?? 0)));
  if (trial !== true)
    return missing(
      check,
      `a directory cannot be watched (${trial}): ${held}`,
      trial === 'ENOSPC' ? moreWatches : trial === 'EMFILE' ? moreInstances : 'See what inotify(7) says of this error.',
    );
  if (maxInstances !== null && maxInstances - instances < 2) return warning(check, held, moreInstances);
  if (maxWatches !== null && maxWatches - watches < WATCHES_WANTED) return warning(check, held, moreWatches);
  return ok(check, held);
}

function checkCommands({ absentCommands, platform }: MachineFacts): Finding {
  const check = 'machine.commands';
  const needed = absentCommands.filter((name) => name !== 'flock');
  if (needed.length > 0)
    return missing(
      check,
      `not on the PATH: ${needed.join(', ')}`,
      'Install them (Debian: dash, sed, coreutils), or repair the PATH.',
    );
  if (absentCommands.length > 0)
    return warning(
      check,
      'flock is not on the PATH: compiling is not kept apart from a cargo that builds at the same time',
      `Install ${platform === 'darwin' ? 'flock (Homebrew has it)' : 'util-linux'}, or do not run cargo build while a session compiles.`,
    );
  return ok(check, 'sh, flock and the other tools that our scripts call are there');
}

/** Where the program finds its session, and other commands of ipbp. */
function checkSockets({ sockets }: MachineFacts): Finding {
  const check = 'machine.sockets';
  if ('error' in sockets)
    return missing(check, sockets.error, 'Unset XDG_RUNTIME_DIR, or let it name a directory of your own.', 'IPBP5014');
  const length = Buffer.byteLength(sockets.directory);
  if (length <= LONGEST_DIRECTORY) return ok(check, `sockets in ${sockets.directory}`);
  return missing(
    check,
    `the path of ${sockets.directory} has ${length} bytes, too many for sockets`,
    `Let XDG_RUNTIME_DIR (or TMPDIR) name a directory with a shorter path, at most ${LONGEST_DIRECTORY} bytes.`,
    'IPBP4009',
  );
}
