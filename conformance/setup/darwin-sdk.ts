// What a linker needs of macOS: libSystem's names as a text file (.tbd), from the wheel of the Zig compiler, which
// carries it for cross-compiling. No header and no code of Apple's is needed for Rust.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { madeOnce } from './cache.js';
import { run } from './run.js';

const WHEEL = 'ziglang==0.14.1';

/** Takes two files out of a wheel, which is a zip file. */
const UNPACK = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    for name, to in (('libSystem.tbd', 'usr/lib/libSystem.tbd'), ('SDKSettings.json', 'SDKSettings.json')):
        with open(sys.argv[2] + '/' + to, 'wb') as file:
            file.write(wheel.read('ziglang/lib/libc/darwin/' + name))
`;

/** The crate libc names this library in every program, though few use it. */
const ICONV = `--- !tapi-tbd
tbd-version:     4
targets:         [ x86_64-macos, arm64-macos ]
install-name:    '/usr/lib/libiconv.2.dylib'
exports:
  - targets:         [ x86_64-macos, arm64-macos ]
    symbols:         [ _iconv, _iconv_close, _iconv_open ]
...
`;

function makeSdk(folder: string): void {
  const wheels = join(folder, 'wheel');
  const libraries = join(folder, 'usr', 'lib');
  mkdirSync(libraries, { recursive: true });
  const only = ['--no-deps', '--only-binary=:all:', '--platform', 'manylinux2014_x86_64', '--dest', wheels];
  run('python3', ['-m', 'pip', 'download', '-q', '--disable-pip-version-check', ...only, WHEEL]);
  const wheel = readdirSync(wheels).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip brought no wheel of ${WHEEL}`);
  run('python3', ['-c', UNPACK, join(wheels, wheel), folder]);
  rmSync(wheels, { recursive: true });
  writeFileSync(join(libraries, 'libiconv.tbd'), ICONV);
  for (const name of ['c', 'm', 'pthread', 'dl']) symlinkSync('libSystem.tbd', join(libraries, `lib${name}.tbd`));
}

/** The same libraries under the same names, said to be for iOS: what Rust's std calls is in both systems. */
function makeIosSdk(folder: string): void {
  cpSync(join(darwinSdk('macos'), 'usr'), join(folder, 'usr'), { recursive: true, verbatimSymlinks: true });
  const libraries = join(folder, 'usr', 'lib');
  for (const name of ['libSystem.tbd', 'libiconv.tbd']) {
    const text = readFileSync(join(libraries, name), 'utf8');
    writeFileSync(join(libraries, name), text.replaceAll('arm64-macos', 'arm64-ios'));
  }
}

/** The folder that SDKROOT names, made once. */
export function darwinSdk(system: 'macos' | 'ios' = 'macos'): string {
  return system === 'ios' ? madeOnce(['ios-sdk'], makeIosSdk) : madeOnce(['darwin-sdk'], makeSdk);
}
