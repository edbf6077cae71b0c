// The POSIX shell scripts that cargo and rustc call back, and where they are written. Starting Node would cost
// 70-90 ms per call, sh next to nothing. They are strings so that they work from the sources and from dist alike;
// they live at a stable path in the target directory, because cargo asks rustc anew when its wrapper changes.
// What they record is read by capture-store.ts and link-arguments.ts.
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * cargo's RUSTC_WRAPPER. Records each rustc call that has an incremental directory as NUL-separated fields in
 * `$IPBP_UNITS/<crate><extra-filename>/capture` (or leaves `not-incremental` there, with its output directory): "1", working directory, count of
 * arguments, arguments, `NAME=value`…. Of the environment it keeps what cargo sets for rustc and what the session
 * itself does not have ($IPBP_OWN_NAMES, so variables of build scripts and of cargo's [env]); never secrets or the
 * jobserver. For arm64 it also has statics kept apart.
 */
export const RUSTC_WRAPPER = `#!/bin/sh
# ipbp: notes how cargo calls rustc, then calls it.
crate= extra= metadata= incremental= folder= types= linker= static= module= previous=
for argument; do
  case $previous in
    --crate-name) crate=$argument ;;
    --crate-type) types="$types $argument" ;;
    --out-dir) folder=$argument ;;
    -C | --codegen)
      case $argument in
        extra-filename=*) extra=\${argument#*=} ;;
        metadata=*) metadata=\${argument#*=} ;;
        incremental=*) incremental=yes ;;
        linker=*) linker=\${argument#*=} ;;
      esac ;;
  esac
  case $argument in
    --crate-name=*) crate=\${argument#*=} ;;
    -Cextra-filename=*) extra=\${argument#*=} ;;
    -Cincremental=*) incremental=yes ;;
    -Clinker=*) linker=\${argument#*=} ;;
    --crate-type=*) types="$types \${argument#*=}" ;;
    --test) types=test ;;
  esac
  # Without a loader nothing can be preloaded: the linker tells which of these are really static. iOS has one that
  # preloads nothing.
  case $argument in *+crt-static* | *-musl* | *-apple-ios*) static=yes ;; esac
  # What a module is linked of is noted: it is made one for patches of that.
  case $previous$argument in --targetwasm32-* | *--target=wasm32-*) module=yes ;; esac
  previous=$argument
done
# When it optimises for arm64, LLVM makes one of several statics, which a patch could not find again (IPBP3017).
case $incremental$IPBP_TARGET in
  yesaarch64-* | yesarm64*) set -- "$@" -C llvm-args=-aarch64-enable-global-merge=false ;;
esac
# Shared libraries and modules have no extra filename: others of the crate, built otherwise, may have the same files.
others=
if [ -z "$extra" ] && [ -n "$metadata" ]; then extra=-$metadata others=$IPBP_UNITS/$crate; fi
unit=$IPBP_UNITS/$crate$extra
if [ -z "$IPBP_UNITS" ] || [ -z "$crate" ] || [ -z "$extra" ]; then
  :
elif [ -z "$incremental" ]; then
  # Of the crates that cargo was asked for, so that "not incremental" can be told from "not recorded".
  if [ -n "$CARGO_PRIMARY_PACKAGE" ]; then
    mkdir -p "$unit" && rm -f "$unit/capture" && printf '%s' "$folder" >"$unit/not-incremental"
  fi
else
  (
    umask 077
    mkdir -p "$unit" && rm -f "$unit/not-incremental" \${others:+"$others"-*/not-incremental} || exit
    {
      printf '%s\\0' 1 "$PWD" "$#" "$@"
      for name in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p'); do
        case $name in
          *TOKEN* | *SECRET* | *PASSW* | *CREDENTIAL* | *MAKEFLAGS* | IPBP_* | RUSTC_WRAPPER | PWD | OLDPWD | _) continue ;;
          CARGO | CARGO_MANIFEST_* | CARGO_PKG_* | CARGO_CRATE_NAME | CARGO_BIN_NAME | CARGO_PRIMARY_PACKAGE) ;;
          CARGO_TARGET_TMPDIR | CARGO_ENCODED_RUSTFLAGS | OUT_DIR | LD_LIBRARY_PATH | DYLD_* | RUSTUP_TOOLCHAIN) ;;
          *)
            [ -n "$IPBP_OWN_NAMES" ] || continue
            case " $IPBP_OWN_NAMES " in *" $name "*) continue ;; esac ;;
        esac
        eval "printf '%s=%s\\\\0' $name \\"\\$$name\\""
      done
    } >"$unit/capture.$$" && mv -f "$unit/capture.$$" "$unit/capture"
  )
fi
# What is linked: programs, and libraries that they load.
case $types in
  *bin*) ;;
  *test*) IPBP_SLOTS= module= ;;
  *dylib*) static= ;;
  *) IPBP_SLOTS= static= module= ;;
esac
if [ "$IPBP_SLOTS" = where-needed ] && [ ! -f "$unit/wants-slots" ]; then IPBP_SLOTS=; fi
if [ -f "$unit/capture" ] && [ -n "$IPBP_LINKER_SCRIPT" ] &&
  { [ -n "$IPBP_SLOTS" ] || [ -n "$static" ] || [ -n "$module" ]; }; then
  case $crate in build_script_*) ;; *)
    # rustc tells a linker's kind by its name: ours has the name of the one it stands for.
    if [ -n "$module" ]; then IPBP_SLOTS= linker=\${linker:-rust-lld}; fi
    IPBP_LINKER=\${linker:-cc} IPBP_UNIT=$unit IPBP_MODULE=$module
    export IPBP_LINKER IPBP_UNIT IPBP_SLOTS IPBP_MODULE
    mkdir -p "$unit/linker" && ln -sf "$IPBP_LINKER_SCRIPT" "$unit/linker/\${IPBP_LINKER##*/}" &&
      set -- "$@" -C "linker=$unit/linker/\${IPBP_LINKER##*/}" ;;
  esac
fi
if [ -n "$IPBP_CHAIN_WRAPPER" ]; then exec "$IPBP_CHAIN_WRAPPER" "$@"; fi
exec "$@"
`;

/** Writes a linker's arguments NUL-separated to a file, as {@link RECORDER} and {@link LINKER} do, and the response file's. */
const NOTE_ARGUMENTS = (file: string): string => `printf '%s\\0' "$@" >"${file}"
for argument; do
  case $argument in @*) cat "\${argument#@}" >"${file}.response" ;; esac
done`;

/**
 * Stands in for the linker in replays: writes its arguments NUL-separated to `$IPBP_LINK_ARGUMENTS` and succeeds.
 * Where they do not fit a command line rustc passes `@file`, which is gone when rustc ends: its text is kept beside.
 */
const RECORDER = `#!/bin/sh
# ipbp: notes what rustc would have linked; links nothing.
[ -n "$IPBP_LINK_ARGUMENTS" ] || exit 0
${NOTE_ARGUMENTS('$IPBP_LINK_ARGUMENTS')}
exit 0
`;

/**
 * The linker of the workspace's programs where their functions get slots or the agent is linked in: runs
 * $IPBP_LINK_WRITER (link-main.ts), which leaves the arguments to link with as a line of shell, then the linker.
 * Whatever goes wrong before, it links. Of a module it notes what is linked (`$IPBP_UNIT/link`), links just that, and
 * keeps a second name of what came out (`$IPBP_UNIT/module`), by which a later link without us shows.
 */
export const LINKER = `#!/bin/sh
# ipbp: gives the linker objects whose functions are reached through slots, and to static programs the agent.
if [ -n "$IPBP_MODULE" ]; then
  rm -f "$IPBP_UNIT/link" "$IPBP_UNIT/link.response"
  ${NOTE_ARGUMENTS('$IPBP_UNIT/link')}
  rm -f "$IPBP_UNIT/module"
  "$IPBP_LINKER" "$@" || exit
  while [ "$#" -gt 1 ]; do
    if [ "$1" = -o ]; then ln "$2" "$IPBP_UNIT/module"; fi
    shift
  done
  exit 0
fi
arguments=$IPBP_UNIT/link-arguments.$$
if eval "$IPBP_LINK_WRITER" '"$arguments" "$@"' </dev/null && [ -r "$arguments" ]; then . "$arguments"; fi
rm -f "$arguments"
exec "$IPBP_LINKER" "$@"
`;

/**
 * cargo's runner; cargo execs it, it execs the program, so the pid stays. Before that it says what it would start
 * (NUL-separated pid, working directory, program, arguments in `$IPBP_SESSION/started`) and waits for the session's
 * word: `go` (the session holds its own copies of executable and objects), or an exit status. `program-env` sets the
 * agent's environment and takes away ours. A runner of the user's own (`$IPBP_CHAIN_RUNNER`, words quoted for a shell)
 * comes first and runs this one, so that the agent is in the program and not in that runner; it may start a process of
 * its own and clear the environment, so the session is an argument then. A runner that emulates another machine
 * (`$IPBP_EMULATOR`) cannot run this script: it comes last and hands the agent's environment on. Of several programs
 * (cargo test) the first is followed.
 */
const RUNNER = `#!/bin/sh
# ipbp: starts the program that cargo built, with the agent in it.
if [ "$1" = --ipbp-session ]; then
  IPBP_SESSION=$2 IPBP_HOST=$3
  shift 3
elif [ -n "$IPBP_CHAIN_RUNNER" ]; then
  eval "exec $IPBP_CHAIN_RUNNER \\"\\$0\\" --ipbp-session \\"\\$IPBP_SESSION\\" \\"\\$IPBP_HOST\\" \\"\\$@\\""
fi
if [ -n "$IPBP_SESSION" ] && [ ! -e "$IPBP_SESSION/started" ] && kill -0 "$IPBP_HOST" 2>/dev/null; then
  umask_before=$(umask)
  umask 077
  rm -f "$IPBP_SESSION/gate" && mkfifo "$IPBP_SESSION/gate" &&
    printf '%s\\0' "$$" "$PWD" "$@" >"$IPBP_SESSION/started.new" &&
    mv -f "$IPBP_SESSION/started.new" "$IPBP_SESSION/started" || exit 1
  umask "$umask_before"
  read -r word <"$IPBP_SESSION/gate" || exit 1
  case $word in
    go) . "$IPBP_SESSION/program-env" ;;
    *) exit "$word" ;;
  esac
fi
# Of a module, what is started is made of what cargo has built.
if [ -n "$IPBP_PROGRAM" ]; then
  shift
  set -- "$IPBP_PROGRAM" "$@"
  unset IPBP_PROGRAM
fi
emulator=$IPBP_EMULATOR
unset IPBP_EMULATOR IPBP_CHAIN_RUNNER
if [ -n "$emulator" ]; then eval "exec $emulator \\"\\$@\\""; fi
exec "$@"
`;

/**
 * rustc calls this after its linker where debug information is packed (macOS), for the file that the linker would have
 * made: in a replay that is the user's own of before.
 */
const IDLE_TOOL = `#!/bin/sh
# ipbp: nothing was linked, so there is nothing to pack.
exit 0
`;

/** The folder that comes first on the PATH of a replay; the recorder lies beside it. */
export function idleToolsBeside(recorder: string): string {
  return join(dirname(recorder), 'idle');
}

/** Absolute paths of the scripts. */
export interface Scripts {
  readonly rustcWrapper: string;
  readonly recorder: string;
  readonly runner: string;
  readonly linker: string;
}

/** Writes the scripts into `directory` where they are missing or differ. A file that is right is not touched. */
export function writeScripts(directory: string): Scripts {
  mkdirSync(join(directory, 'idle'), { recursive: true });
  const put = (name: string, text: string): string => {
    const path = join(directory, name);
    if (readIfThere(path) !== text) {
      // A rename, so that a session that just executes the old one is not disturbed.
      const fresh = `${path}.${process.pid}`;
      writeFileSync(fresh, text);
      chmodSync(fresh, 0o755);
      renameSync(fresh, path);
    }
    return path;
  };
  put('idle/dsymutil', IDLE_TOOL);
  return {
    rustcWrapper: put('rustc-wrapper', RUSTC_WRAPPER),
    recorder: put('recorder', RECORDER),
    runner: put('runner', RUNNER),
    linker: put('linker', LINKER),
  };
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** One word for a POSIX shell. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_/.:=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
