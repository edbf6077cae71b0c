// Checks of cargo, rustc and the agent. Functions over facts; toolchain-facts.ts asks for them.
import { isModule, isSupportedTarget } from '../cargo/target-triple.js';
import { isAtLeast, missing, ok, warning, type Finding } from './finding.js';

/** How a trial of the agent in a program of the system's ended. */
export type AgentTrial =
  { readonly kind: 'came-up'; readonly hasRoom: boolean } | { readonly kind: 'failed'; readonly reason: string };

/** The toolchain as far as it was asked. */
export interface ToolchainFacts {
  /** First line of `cargo -V`, or why it could not be had. */
  readonly cargo: Answer;
  /** What `rustc -vV` says. */
  readonly rustc: Answer;
  /** What is built for; null where it is not known. */
  readonly targetTriple: string | null;
  /** std for the target: the directory of its libraries, and whether it is there. */
  readonly std: { readonly directory: string; readonly isThere: boolean } | null;
  /** The command that links, where it is named, and its path. */
  readonly linker: { readonly name: string; readonly from: string; readonly path: string | null };
  /** Null where rustc did not answer. */
  readonly agent: AgentFacts | null;
}

/** What a command printed, or why it did not. */
export type Answer = { readonly text: string } | { readonly error: string };

/** The agent's library, and what came of trying it. */
export interface AgentFacts {
  /** The library that is there, or will be. */
  readonly library: string;
  readonly isBuilt: boolean;
  /** Of the agent's manifest. */
  readonly oldestRustc: string;
  /** Why nothing can be written where it will be built; null where it can, or need not. */
  readonly cacheError: string | null;
  /** Null where it is not built yet, or where no program of this machine can take it. */
  readonly trial: AgentTrial | null;
  /** Some filter of system calls is in force (/proc/self/status, Seccomp). */
  readonly isFiltered: boolean;
}

/** What the tests run with. */
const TESTED = '1.95';
const INSTALL = 'Install Rust (https://rustup.rs), or put its bin directory on the PATH (~/.cargo/bin).';

/** All checks of a toolchain; without cargo and rustc only these two. */
export function checkToolchain(facts: ToolchainFacts): Finding[] {
  const findings = [checkCargo(facts), checkRustc(facts)];
  if (findings.some(({ status }) => status === 'missing')) return findings;
  return [...findings, checkTarget(facts), checkStd(facts), checkLinker(facts), checkAgent(facts)];
}

function checkCargo({ cargo }: ToolchainFacts): Finding {
  const check = 'toolchain.cargo';
  if ('text' in cargo) return ok(check, cargo.text);
  return missing(check, `cargo does not answer: ${cargo.error}`, INSTALL, 'IPBP5001');
}

function checkRustc({ rustc, agent }: ToolchainFacts): Finding {
  const check = 'toolchain.rustc';
  if ('error' in rustc) return missing(check, `rustc does not answer: ${rustc.error}`, INSTALL, 'IPBP5001');
  const release = /^release: (.+)$/m.exec(rustc.text)?.[1] ?? '';
  const oldest = agent?.oldestRustc ?? '0';
  if (!isAtLeast(release, oldest))
    return missing(
      check,
      `rustc ${release} is too old for the agent`,
      `Update to ${oldest} or newer: rustup update (and see rust-toolchain.toml of the project).`,
      'IPBP4008',
    );
  const tested = release.startsWith(`${TESTED}.`) ? '' : `; the tests of ipbp run with ${TESTED}`;
  return ok(check, `rustc ${release}${tested}`);
}

function checkTarget({ targetTriple }: ToolchainFacts): Finding {
  const check = 'toolchain.target';
  if (targetTriple !== null && isSupportedTarget(targetTriple)) return ok(check, targetTriple);
  return missing(
    check,
    `programs for ${targetTriple ?? 'an unknown target'} cannot be patched yet`,
    'Build for x86_64-unknown-linux-gnu or aarch64-apple-darwin: see --target, CARGO_BUILD_TARGET and build.target.',
    'IPBP1003',
  );
}

function checkStd({ std, targetTriple }: ToolchainFacts): Finding {
  const check = 'toolchain.std';
  if (std?.isThere === true) return ok(check, `std for ${targetTriple ?? 'the host'}`);
  return missing(
    check,
    `std for ${targetTriple ?? 'the host'} is not installed`,
    `rustup target add ${targetTriple ?? ''} (without rustup: your system's package of it)`,
    'IPBP4008',
  );
}

function checkLinker({ linker: { name, from, path } }: ToolchainFacts): Finding {
  const check = 'toolchain.linker';
  if (path !== null) return ok(check, `${name} (${from})`);
  return missing(
    check,
    `the linker ${name} (${from}) is not on the PATH`,
    name === 'cc'
      ? 'Install a C compiler (Debian: gcc, Fedora: gcc, Alpine: build-base): rustc links by it.'
      : `Install ${name}, or name another linker.`,
    'IPBP4008',
  );
}

/** Built by cargo at the first run, in a cache, once per rustc; then it can be tried. */
function checkAgent({ agent, targetTriple }: ToolchainFacts): Finding {
  const check = 'toolchain.agent';
  if (targetTriple !== null && isModule(targetTriple)) return ok(check, 'comes with ipbp: nothing is built');
  if (agent === null) return missing(check, 'where the agent is cannot be told', INSTALL, 'IPBP4008');
  const { library, isBuilt, cacheError, trial, isFiltered } = agent;
  if (!isBuilt && cacheError !== null)
    return missing(
      check,
      `the agent cannot be built: ${cacheError}`,
      'Let XDG_CACHE_HOME name a directory that you may write to.',
      'IPBP4008',
    );
  if (!isBuilt)
    return ok(
      check,
      `not built yet: the first ipbp run does it, some seconds (cargo build --release --locked --target ${targetTriple ?? ''}, ` +
        `its few crates come from cargo's registry); it will be ${library}`,
    );
  if (trial === null) return ok(check, `built (${library}); no program of this machine can try it`);
  if (trial.kind === 'came-up' && trial.hasRoom) return ok(check, `built, and came up in a trial program (${library})`);
  if (trial.kind === 'came-up')
    return warning(
      check,
      'came up in a trial program, which had no address space for patches below it',
      'See ulimit -v: the agent keeps 64 MiB to 1 GiB of address space (no memory).',
      'IPBP2005',
    );
  const filter = isFiltered
    ? ' A filter of system calls is in force here (a container?): it must allow membarrier(2).'
    : '';
  return missing(
    check,
    `built, but did not come up in a trial program: ${trial.reason}`,
    `Remove ${library}, so that it is built anew; see the checks of the machine.${filter}`,
    'IPBP5006',
  );
}
