// `ipbp run` takes cargo run's own arguments: which of them are cargo's, which the program's; `ipbp link` takes ld's. Pure. Our own flags stay
// among cargo's here; commander takes them out afterwards.
import { IpbpError } from '../codes/error.js';

/** Options whose value is the next argument: cargo run's (cargo 1.95, `cargo help run`) and ours. */
const VALUE_OPTIONS: ReadonlySet<string> = new Set([
  '--package',
  '--bin',
  '--example',
  '--test',
  '--bench',
  '--features',
  '--jobs',
  '--profile',
  '--target',
  '--target-dir',
  '--manifest-path',
  '--lockfile-path',
  '--message-format',
  '--color',
  '--config',
  '-C',
  '--on-refusal',
  '--redirect',
  '--deliver',
  '--serve',
  '--build-page',
  '--port',
  '--patchable',
]);

/** A cluster of short options that ends in one with a value: `-p`, `-rp`, `-vF`. Longer ones hold their value. */
const SHORT_VALUE = /^-[vqr]*[pFjZ]$/;

/** An argument of `ipbp run` that cannot be the value of an option before it; `-j -1` is cargo's one exception. */
const NO_VALUE = /^-(?!\d+$)/;

/** The two halves of `ipbp run`'s arguments, each in its order. */
export interface RunArguments {
  /** cargo's options, with ours among them. */
  readonly options: readonly string[];
  /** What the program gets. */
  readonly program: readonly string[];
}

/**
 * Splits the arguments as cargo does: the program's begin behind `--`, or with the first argument that is neither an
 * option nor the value of one. Throws IPBP5901 for `+toolchain`, which is rustup's and not cargo run's.
 */
export function splitRunArguments(args: readonly string[]): RunArguments {
  if (args[0]?.startsWith('+') === true) {
    throw new IpbpError('IPBP5901', 'a toolchain cannot be named here', {
      actual: args[0],
      expected: `RUSTUP_TOOLCHAIN=${args[0].slice(1)} in the environment`,
    });
  }
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === '--') return { options: args.slice(0, at), program: args.slice(at + 1) };
    if (!arg.startsWith('-')) break;
    const next = args[at + 1];
    if ((VALUE_OPTIONS.has(arg) || SHORT_VALUE.test(arg)) && next !== undefined && !NO_VALUE.test(next)) at++;
  }
  return { options: args.slice(0, at), program: args.slice(at) };
}

/** Flags of every command. ld's --verbose prints its script, of which there is none here. */
const OWN_FLAGS: ReadonlySet<string> = new Set(['--json', '--quiet', '--verbose', '--help']);

/** Those of `ipbp link`: our own flags wherever they stand, and the words of ld's command line. */
export function splitLinkArguments(args: readonly string[]): RunArguments {
  return {
    options: args.filter((word) => OWN_FLAGS.has(word)),
    program: args.filter((word) => !OWN_FLAGS.has(word)),
  };
}

/** Options of `ipbp run` that are about modules of WebAssembly, as they are written. */
export interface ModuleFlags {
  readonly serve?: string;
  readonly buildPage?: string;
  readonly port?: string;
  readonly patchable?: string;
}

/** What they say; those that are not given are not there. Throws IPBP5901. */
export function moduleOptions({ serve, buildPage, port, patchable }: ModuleFlags): {
  readonly serve?: string;
  readonly buildPage?: string;
  readonly port?: number;
  readonly patchable?: readonly string[];
} {
  return {
    ...(serve === undefined ? {} : { serve }),
    ...(buildPage === undefined ? {} : { buildPage }),
    ...(port === undefined ? {} : { port: portNumber(port) }),
    ...(patchable === undefined ? {} : { patchable: patchable.split(',').filter((name) => name !== '') }),
  };
}

function portNumber(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw new IpbpError('IPBP5901', 'not a port', { actual: text, expected: 'a number from 0 to 65535' });
}
