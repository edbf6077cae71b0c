// Stand-ins for Apple's tools that link: `ld`, which is lld and signs what it makes, and `cc`, which rustc calls on a Mac
// and which only turns the compiler driver's arguments into the linker's.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache.js';
import { run } from './run.js';

/** lld as rustup's toolchain has it, or Debian's. */
function lld(): string {
  const sysroot = run('rustc', ['--print', 'sysroot']).trim();
  const own = join(sysroot, 'lib', 'rustlib', 'x86_64-unknown-linux-gnu', 'bin', 'rust-lld');
  return existsSync(own) ? `"${own}" -flavor darwin` : 'ld64.lld-19';
}

const LD = (linker: string): string => `#!/bin/sh
# rustc says which flavour of lld it takes this for.
if [ "$1" = -flavor ]; then shift 2; fi
exec ${linker} -adhoc_codesign "$@"
`;

/** Each argument is taken from the front and what becomes of it put at the end. */
const CC = (ld: string): string => `#!/bin/sh
left=$#
while [ "$left" -gt 0 ]; do
  left=$((left - 1))
  argument=$1
  shift
  case $argument in
    -Wl,*)
      old=$IFS
      IFS=,
      for part in \${argument#-Wl,}; do set -- "$@" "$part"; done
      IFS=$old ;;
    -Xlinker) set -- "$@" "$1"; shift; left=$((left - 1)) ;;
    -isysroot | --sysroot) set -- "$@" -syslibroot "$1"; shift; left=$((left - 1)) ;;
    -target)
      # arm64-apple-ios10.0.0
      system=\${1#*-apple-ios}
      set -- "$@" -arch "\${1%%-*}" -platform_version ios "$system" "$system"
      shift; left=$((left - 1)) ;;
    -mmacosx-version-min=* | -mmacos-version-min=*) set -- "$@" -platform_version macos "\${argument#*=}" "\${argument#*=}" ;;
    -dynamiclib | -shared) set -- "$@" -dylib ;;
    -nodefaultlibs | -nostdlib | -nostartfiles | -m64 | -fuse-ld=* | -pie | -no-pie) ;;
    *) set -- "$@" "$argument" ;;
  esac
done
# Apple's driver takes the SDK from the environment, too.
exec "${ld}" \${SDKROOT:+-syslibroot "$SDKROOT"} "$@"
`;

/** In a folder of its text's, and moved into its place when it is whole: two processes may write at once. */
function putScript(name: string, text: string): string {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const script = join(cacheFolder('darwin-linker', hash), name);
  if (existsSync(script)) return script;
  const temporary = `${script}.${process.pid}`;
  writeFileSync(temporary, text);
  chmodSync(temporary, 0o755);
  renameSync(temporary, script);
  return script;
}

/** The two scripts' paths. */
export function darwinLinker(): { readonly ld: string; readonly cc: string } {
  const ld = putScript('ld', LD(lld()));
  return { ld, cc: putScript('cc', CC(ld)) };
}
