// What is taken of the user's settings to build for another machine, and what is not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from './cargo-config.js';
import { targetTools } from './target-tools.js';

const HOST = 'x86_64-unknown-linux-gnu';
const MAC = 'aarch64-apple-darwin';
const CONFIG = `
[build]
rustc = "tools/rustc"
rustflags = ["-Cdebuginfo=1"]
[target.${MAC}]
linker = "bin/ld"
rustflags = ["-C", "linker-flavor=ld64.lld", "-Ctarget-cpu=native", "-Clink-arg=-dead_strip", "-L", "/libs", "-g"]
[env]
SDKROOT = { value = "sdk", relative = true }
NAME = "value"
`;

test('a foreign target: compiler, linker, how it is called, and variables, by where they are named', () => {
  assert.equal(targetTools(parseSettings(CONFIG, '/project'), '/project/sub', MAC, HOST, '+nightly', {}), {
    toolchain: '+nightly',
    rustc: '/project/tools/rustc',
    linker: '/project/bin/ld',
    rustflags: ['-C', 'linker-flavor=ld64.lld', '-Clink-arg=-dead_strip', '-L', '/libs'],
    variables: { SDKROOT: '/project/sdk', NAME: 'value' },
  });
});

test('variables go before the configuration', () => {
  const variables = {
    RUSTC: './rustc',
    CARGO_TARGET_AARCH64_APPLE_DARWIN_LINKER: 'ld64.lld',
    RUSTFLAGS: '-C link-arg=-x --sysroot /std -Zsanitizer=address',
  };
  const tools = targetTools(parseSettings(CONFIG, '/project'), '/project/sub', MAC, HOST, null, variables);
  assert.is(tools.rustc, '/project/sub/rustc');
  assert.is(tools.linker, 'ld64.lld');
  assert.equal(tools.rustflags, ['-C', 'link-arg=-x', '--sysroot', '/std']);
});

test("this machine's own programs need the compiler only", () => {
  const tools = targetTools(parseSettings(CONFIG, '/project'), '/project', HOST, HOST, null, { RUSTFLAGS: '-Lx' });
  assert.equal(tools, { toolchain: null, rustc: '/project/tools/rustc', linker: null, rustflags: [], variables: {} });
});

test.run();
