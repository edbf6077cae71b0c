// The scripts that `ipbp init` leaves in `.cargo/ipbp/` for a plain `cargo run`: rustc's wrapper and the runner of
// scripts.ts, which find out by themselves what a session tells those by variables. They name no place of this machine and
// may be committed; where ipbp and Node are is in `local`, which may not, and without which they only call what they are
// given. So they do under `ipbp run`, whose own scripts call them as the user's.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { LINKER, RUSTC_WRAPPER, shellQuote } from './scripts.js';
import { isEmulated } from './target-triple.js';

/** What was configured before, to be called by ours. */
export interface Chained {
  readonly rustcWrapper: string | null;
  /** By target triple: those that get a runner of ours, with no words where there was none. */
  readonly runners: ReadonlyMap<string, readonly string[]>;
}

/** How ipbp is started on this machine, and what its links need. */
export interface LocalSetup {
  /** Node, its options, and behind them ipbp's own program. */
  readonly node: string;
  readonly nodeOptions: readonly string[];
  readonly program: string;
  /** Variables for rustc's wrapper, by the target that is compiled for if none is named. */
  readonly links: (targetTriple: string) => Readonly<Record<string, string>>;
}

/** Names below `.cargo/ipbp/`. */
export const INIT_SCRIPTS = { rustcWrapper: 'rustc-wrapper', runner: 'runner', linker: 'linker' } as const;

/** The name of the runner for a target: each calls the user's own of that target. */
export function runnerScript(triple: string, hostTriple: string): string {
  return triple === hostTriple ? INIT_SCRIPTS.runner : `${INIT_SCRIPTS.runner}-${triple}`;
}

/** Writes the scripts into `directory`, the `.cargo/ipbp` of the workspace `root`. */
export function writeInitScripts(
  root: string,
  directory: string,
  chained: Chained,
  local: LocalSetup,
  hostTriple: string,
): void {
  mkdirSync(directory, { recursive: true });
  const put = (name: string, text: string): void => {
    writeFileSync(join(directory, name), text);
    chmodSync(join(directory, name), 0o755);
  };
  put(INIT_SCRIPTS.rustcWrapper, rustcWrapper(root, chained.rustcWrapper));
  for (const [triple, words] of chained.runners)
    put(runnerScript(triple, hostTriple), runner(root, words, isEmulated(triple, hostTriple)));
  put(INIT_SCRIPTS.linker, LINKER);
  writeFileSync(join(directory, '.gitignore'), '# Only of this machine.\nlocal\n');
  writeFileSync(join(directory, 'local'), localText(local, hostTriple));
}

/**
 * cargo's build.rustc-wrapper. The build directory is where rustc is told to write, less the profile and, where rustc is
 * told a target, that target's directory. Variables that cargo itself was started with are the user's own.
 */
function rustcWrapper(root: string, chained: string | null): string {
  const [chain = ''] = chained === null ? [] : wordsBelow(root, [chained]);
  return `#!/bin/sh
# ipbp init: notes how cargo calls rustc, for hot reload; ipbp init --undo takes it away.
here=\${0%/*}
root=\${here%/.cargo/ipbp}
IPBP_CHAIN_WRAPPER=${chain}
if [ -n "$IPBP_UNITS" ] || [ -n "$CI" ] || [ ! -r "$here/local" ]; then
  if [ -n "$IPBP_CHAIN_WRAPPER" ]; then exec "$IPBP_CHAIN_WRAPPER" "$@"; fi
  exec "$@"
fi
out= target= previous=
for argument; do
  case $previous in
    --out-dir) out=$argument ;;
    --target) target=$argument ;;
  esac
  case $argument in
    --out-dir=*) out=\${argument#*=} ;;
    --target=*) target=\${argument#*=} ;;
  esac
  previous=$argument
done
case $out in
  */deps | */examples) out=\${out%/*} ;;
  */build/*) out=\${out%/build/*} ;;
  *) out= ;;
esac
if [ -n "$out" ]; then
  out=\${out%/*}
  if [ -n "$target" ]; then
    target=\${target##*/}
    out=\${out%/"\${target%.json}"}
  fi
  IPBP_UNITS=$out/ipbp/units
  IPBP_OWN_NAMES=$(tr '\\0' '\\n' <"/proc/$PPID/environ" 2>/dev/null | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p' | tr '\\n' ' ')
  . "$here/local"
  if [ -n "$target" ]; then IPBP_TARGET=\${target%.json}; fi
  # There nothing but slots leads to new code.
  case $IPBP_TARGET in *-apple-*) IPBP_SLOTS=all ;; esac
  IPBP_LINKER_SCRIPT=$here/linker
  export IPBP_SLOTS IPBP_TARGET IPBP_LINK_WRITER IPBP_LINKER_SCRIPT
fi
${RUSTC_WRAPPER.replace(/^#!.*\n/, '')}`;
}

/**
 * cargo's runner; it and the program have one pid. A runner of the user's own comes first and runs this one, so that
 * the agent is in the program and not in it; one that emulates another machine comes last. Only what lies in a profile's directory, which cargo locks while it
 * builds, can be patched, and of that not what is in deps/: tests and benches. ipbp itself is started as a process of
 * its own, no child of the program's, which may wait for its children; the gate is open for reading before, so that no
 * word is lost.
 */
function runner(root: string, chained: readonly string[], emulated: boolean): string {
  const chain = wordsBelow(root, chained).map((word) => `${word} `);
  const start = `exec ${emulated ? chain.join('') : ''}"$@"`;
  const outer =
    chain.length === 0 || emulated
      ? ''
      : `
if [ "$1" = --ipbp-program ]; then
  shift
else
  exec ${chain.join('')}"$0" --ipbp-program "$@"
fi`;
  return `#!/bin/sh
# ipbp init: starts the program that cargo built, with hot reload; ipbp init --undo takes it away.
here=\${0%/*}
root=\${here%/.cargo/ipbp}
plain=
if [ -n "$IPBP_SESSION" ] || [ "$IPBP" = 0 ] || [ -n "$CI" ] || [ ! -r "$here/local" ]; then plain=yes; fi
if [ "$1" != --ipbp-program ]; then
  case $1 in */deps/*) plain=yes ;; esac
  if [ ! -e "\${1%/*}/.cargo-lock" ] && [ ! -e "\${1%/*}/../.cargo-lock" ]; then plain=yes; fi
  if [ -n "$plain" ]; then exec ${chain.join('')}"$@"; fi
fi${outer}
. "$here/local"
if [ ! -f "$ipbp_program" ]; then ipbp_program=$root/node_modules/ipbp/dist/cli/main.js ipbp_options=; fi
if [ ! -x "$ipbp_node" ]; then ipbp_node=$(command -v node); fi
if [ -z "$ipbp_node" ] || [ ! -f "$ipbp_program" ]; then ${start}; fi
case $1 in
  /*) program=$1 ;;
  *) program=$PWD/$1 ;;
esac
gate=$(mktemp -d "\${TMPDIR:-/tmp}/ipbp.XXXXXX") && mkfifo "$gate/gate" && exec 3<>"$gate/gate" || ${start}
(
  {
    exec 3>&-
    eval "\\"\\$ipbp_node\\" $ipbp_options \\"\\$ipbp_program\\" attach \\"\\$gate\\" $$ \\"\\$program\\""
    # It ended before it said a word.
    if [ -p "$gate/gate" ]; then echo unpatched 1<>"$gate/gate"; fi
  } </dev/null >/dev/null &
)
read -r word <&3
exec 3>&-
if [ "$word" = go ]; then . "$gate/program-env"; fi
rm -rf "$gate"
${start}
`;
}

/** Words for a shell; a path below the root is said from `$root`. */
function wordsBelow(root: string, words: readonly string[]): string[] {
  return words.map((word) =>
    word.startsWith(`${root}/`) ? `"$root"/${shellQuote(relative(root, word))}` : shellQuote(word),
  );
}

function localText({ node, nodeOptions, program, links }: LocalSetup, triple: string): string {
  const lines = [
    '# Where ipbp is on this machine; ipbp init writes it anew.',
    `ipbp_node=${shellQuote(node)}`,
    `ipbp_options=${shellQuote(nodeOptions.map(shellQuote).join(' '))}`,
    `ipbp_program=${shellQuote(program)}`,
    ...Object.entries(links(triple)).map(([name, value]) => `${name}=${shellQuote(value)}`),
  ];
  return `${lines.join('\n')}\n`;
}
