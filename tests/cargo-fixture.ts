// Small cargo projects in temporary directories, for tests of the host.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A project that a test may build and edit; everything lies below `root`. */
export interface CargoFixture {
  readonly root: string;
  path(file: string): string;
  write(file: string, text: string): void;
  read(file: string): string;
  /** Runs cargo in the project, quietly. Throws when it fails. */
  cargo(args: readonly string[], env?: Readonly<Record<string, string>>): string;
  remove(): void;
}

/** Makes a project of files by their path. */
export function cargoFixture(files: Readonly<Record<string, string>>): CargoFixture {
  const root = mkdtempSync(join(tmpdir(), 'ipbp-test-'));
  const fixture: CargoFixture = {
    root,
    path: (file) => join(root, file),
    write(file, text) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    },
    read: (file) => readFileSync(join(root, file), 'utf8'),
    cargo: (args, env = {}) =>
      execFileSync('cargo', [...args], {
        cwd: root,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, ...env },
      }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
  for (const [file, text] of Object.entries(files)) fixture.write(file, text);
  return fixture;
}

/** A crate's manifest. */
export function manifest(name: string, rest = ''): string {
  return `[package]\nname = "${name}"\nversion = "0.1.0"\nedition = "2021"\n\n${rest}`;
}

/** A workspace of a binary `app` that uses a library `lib` with a plain and a generic function. */
export function workspaceFixture(): CargoFixture {
  return cargoFixture({
    'Cargo.toml': '[workspace]\nmembers = ["lib", "app"]\nresolver = "2"\n',
    'lib/Cargo.toml': manifest('fixture-lib'),
    'lib/src/lib.rs': LIBRARY,
    'app/Cargo.toml': manifest('app', '[dependencies]\nfixture-lib = { path = "../lib" }\n'),
    'app/src/main.rs': MAIN,
  });
}

export const LIBRARY = `#[inline(never)]
pub fn plain(x: u32) -> u32 {
    x + 1
}

pub fn generic<T: std::fmt::Debug>(value: T) -> String {
    format!("{:?}!", value)
}
`;

export const MAIN = `mod greet {
    #[inline(never)]
    pub fn greet() -> &'static str {
        "hello"
    }
}

mod count {
    #[inline(never)]
    pub fn count(x: u32) -> u32 {
        fixture_lib::plain(x) * 2
    }
}

fn main() {
    println!("{} {} {}", greet::greet(), count::count(2), fixture_lib::generic(3));
}
`;
