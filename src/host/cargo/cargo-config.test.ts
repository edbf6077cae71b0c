// Settings as they are written in configuration files.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings, stringSetting } from './cargo-config.js';
import { cfgHolds } from './cfg-expression.js';

const test = suite('cargo configuration');

test('strings, bare words and lists, in tables, dotted keys and inline tables', () => {
  const settings = parseSettings(
    `# a comment = "no"
build.rustc-wrapper = "sccache" # behind
[build]
jobs = 4
rustflags = [
  "-Clink-arg=-Wl,--as-needed", # one
  '--cfg', "a\\"b\\u0041",
]
target = 'x86_64-unknown-linux-gnu'
[target.'cfg(all(unix, target_arch = "x86_64"))']
runner = ["sudo", "-E"]
[target.x86_64-unknown-linux-gnu]
linker = """
clang"""
[env]
NAMED = { value = "1", force = true }
[[list]]
last="yes"`,
    'here',
  );
  assert.equal(
    settings.map(({ path, value }) => [path.join('/'), value]),
    [
      ['build/rustc-wrapper', 'sccache'],
      ['build/jobs', '4'],
      ['build/rustflags', ['-Clink-arg=-Wl,--as-needed', '--cfg', 'a"bA']],
      ['build/target', 'x86_64-unknown-linux-gnu'],
      ['target/cfg(all(unix, target_arch = "x86_64"))/runner', ['sudo', '-E']],
      ['target/x86_64-unknown-linux-gnu/linker', 'clang'],
      ['env/NAMED/value', '1'],
      ['env/NAMED/force', 'true'],
      ['list/last', 'yes'],
    ],
  );
  assert.is(stringSetting(settings, 'build', 'target'), 'x86_64-unknown-linux-gnu');
  assert.is(stringSetting(settings, 'build', 'linker'), null);
});

test('broken text ends', () => {
  for (const text of ['a = [', '[', 'a = "', 'a = {', 'a = { b', '= 1', 'a = [[[', 'a = [}', '"'])
    assert.type(parseSettings(text, '').length, 'number');
});

test('cfg expressions', () => {
  const known = new Set(['unix', 'debug_assertions', 'target_os="linux"', 'target_arch="x86_64"']);
  for (const [text, holds] of [
    ['cfg(unix)', true],
    ['cfg(windows)', false],
    ['cfg(not(windows))', true],
    ['cfg(all(unix, target_arch = "x86_64"))', true],
    ['cfg(all(unix, target_arch = "arm",))', false],
    ['cfg(any(target_os="none", target_os = "linux"))', true],
    ['cfg(all())', true],
    ['cfg(any())', false],
    ['cfg(', false],
    ['unix', false],
  ] as const)
    assert.is(cfgHolds(text, known), holds, text);
});

test.run();
