// What a target's name tells.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isEmulated, isSupportedTarget } from './target-triple.js';

test('whose programs can be patched', () => {
  const targets = [
    'x86_64-unknown-linux-gnu',
    'x86_64-alpine-linux-musl',
    'aarch64-apple-darwin',
    'x86_64-apple-darwin',
    'aarch64-apple-ios',
    'wasm32-unknown-unknown',
    'wasm32-wasip1',
  ];
  assert.equal(
    targets.filter((target) => !isSupportedTarget(target)),
    [],
  );
  const others = [
    'aarch64-unknown-linux-gnu',
    'x86_64-pc-windows-msvc',
    'aarch64-apple-ios-sim',
    'x86_64-unknown-linux-gnux32',
  ];
  assert.equal(others.filter(isSupportedTarget), []);
});

test('where a runner is what runs the program', () => {
  const linux = 'x86_64-unknown-linux-gnu';
  assert.not(isEmulated(linux, linux));
  assert.not(isEmulated('x86_64-unknown-linux-musl', linux));
  assert.ok(isEmulated('aarch64-unknown-linux-gnu', linux));
  assert.ok(isEmulated('x86_64-apple-darwin', linux));
  assert.ok(isEmulated('aarch64-apple-darwin', linux));
  // macOS starts both by itself.
  assert.not(isEmulated('x86_64-apple-darwin', 'aarch64-apple-darwin'));
  assert.ok(isEmulated('aarch64-apple-ios', 'aarch64-apple-darwin'));
});

test.run();
