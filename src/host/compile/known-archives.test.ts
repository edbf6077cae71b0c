import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest } from '../../../tests/cargo-fixture.js';
import { readCapture } from '../cargo/unit.js';
import { dependencyArchives } from './known-archives.js';

test('what a program depends on, directly or not, as cargo built it last, and nothing else', () => {
  const library = (name: string, dependency?: string): Record<string, string> => ({
    [`${name}/Cargo.toml`]: manifest(
      name,
      dependency === undefined ? '' : `[dependencies]\n${dependency} = { path = "../${dependency}" }\n`,
    ),
    [`${name}/src/lib.rs`]: `pub fn ${name}() {}\n`,
  });
  const fixture = cargoFixture({
    'Cargo.toml': '[workspace]\nmembers = ["app", "near", "far", "other"]\nresolver = "2"\n',
    ...library('near', 'far'),
    ...library('far'),
    ...library('other'),
    'app/Cargo.toml': manifest('app', '[dependencies]\nnear = { path = "../near" }\n'),
    'app/src/main.rs': 'fn main() {\n    near::near();\n}\n',
  });
  try {
    fixture.cargo(['build', '--workspace'], { RUSTFLAGS: '-C opt-level=1' });
    const outDir = fixture.path('target/debug/deps');
    const before = new Set(readdirSync(outDir));
    fixture.cargo(['build', '--workspace']);
    const fresh = readdirSync(outDir).filter((name) => !before.has(name));
    const extra =
      fresh.map((name) => /^app(-[0-9a-f]{16})$/.exec(name)?.[1]).find((found) => found !== undefined) ?? '';
    const args = ['--crate-name', 'app', '--crate-type', 'bin', '--out-dir', outDir, '-C', `extra-filename=${extra}`];
    const fields = ['1', fixture.root, String(args.length + 1), 'rustc', ...args, 'CARGO_PKG_NAME=app', ''];
    const archives = dependencyArchives(readCapture(Buffer.from(fields.join('\0')), 'capture'));
    const expected = fresh.filter((name) => /^lib(near|far)-.*\.rlib$/.test(name)).map((name) => join(outDir, name));
    assert.is(expected.length, 2);
    assert.equal(archives.map((path) => basename(path)).sort(), expected.map((path) => basename(path)).sort());
  } finally {
    fixture.remove();
  }
});

test.run();
