// A workspace of a program and a library for the poisoning sequences: what its sources say, what cargo makes of them,
// and how much work that was. The sequences themselves are in the tests beside it.
import { spawnSync } from 'node:child_process';
import { statSync, utimesSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { startTalker, type Talker } from '../talker.js';

/** What each of the three places says; the program prints them in this order. */
export interface Words {
  /** A plain body of the library. */
  readonly plain: string;
  /** A generic body of the library: its instance is in the program's objects. */
  readonly generic: string;
  /** A body of the program. */
  readonly own: string;
}

export const FIRST: Words = { plain: 'p0', generic: 'g0', own: 'o0' };

/** The line that sources with these words make. */
export function spoken({ plain, generic, own }: Words): string {
  return `${plain} ${generic} ${own}`;
}

const LIBRARY_FILE = 'lib/src/lib.rs';
const PROGRAM_FILE = 'app/src/main.rs';

export function librarySource({ plain, generic }: Words): string {
  return `#[inline(never)]
pub fn plain() -> String {
    String::from("${plain}")
}

#[inline(never)]
pub fn generic<T: std::fmt::Debug>(value: T) -> String {
    format!("${generic}{}", &format!("{value:?}")[1..])
}
`;
}

/** Prints `<pid> <count> <words>` a hundred times a second, or the words once when it has an argument. */
export function programSource({ own }: Words, expression = `String::from("${own}")`): string {
  return `mod own {
    #[inline(never)]
    pub fn own() -> String {
        ${expression}
    }
}

mod line {
    #[inline(never)]
    pub fn line() -> String {
        format!("{} {} {}", words::plain(), words::generic(0u32), super::own::own())
    }
}

fn main() {
    if std::env::args().nth(1).is_some() {
        return println!("{}", line::line());
    }
    for count in 0u64.. {
        println!("{} {count} {}", std::process::id(), line::line());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
`;
}

/** What a `cargo build` left. */
export interface Built {
  /** Crates that rustc ran for, in order. */
  readonly compiled: readonly string[];
  /** What the program says that cargo left. */
  readonly says: string;
}

/** The workspace, and at most one session in it at a time. */
export class Workshop {
  readonly fixture: CargoFixture;
  words: Words = FIRST;

  constructor() {
    this.fixture = cargoFixture({
      'Cargo.toml': '[workspace]\nmembers = ["lib", "app"]\nresolver = "2"\n',
      'lib/Cargo.toml': manifest('words'),
      [LIBRARY_FILE]: librarySource(FIRST),
      'app/Cargo.toml': manifest('app', '[dependencies]\nwords = { path = "../lib" }\n'),
      [PROGRAM_FILE]: programSource(FIRST),
    });
  }

  /** Saves what differs, as an editor that overwrites a file. */
  save(words: Partial<Words>): void {
    const before = this.words;
    this.words = { ...before, ...words };
    if (librarySource(this.words) !== librarySource(before))
      this.fixture.write(LIBRARY_FILE, librarySource(this.words));
    if (programSource(this.words) !== programSource(before))
      this.fixture.write(PROGRAM_FILE, programSource(this.words));
  }

  /** Gives both sources back with the content and the times that they had. */
  memorise(): () => void {
    const words = this.words;
    const times = [LIBRARY_FILE, PROGRAM_FILE].map((file) => {
      const path = this.fixture.path(file);
      return { path, mtime: statSync(path).mtime };
    });
    return () => {
      this.words = words;
      this.fixture.write(LIBRARY_FILE, librarySource(words));
      this.fixture.write(PROGRAM_FILE, programSource(words));
      for (const { path, mtime } of times) utimesSync(path, mtime, mtime);
    };
  }

  /** `cargo build -v` as in another terminal, and what came of it. Throws when cargo fails. */
  build(environment: Readonly<Record<string, string>> = {}): Built {
    const { status, stderr } = spawnSync('cargo', ['build', '-v'], {
      cwd: this.fixture.root,
      encoding: 'utf8',
      env: { ...process.env, ...environment, CARGO_TERM_COLOR: 'never' },
    });
    if (status !== 0) throw new Error(`cargo build ended with ${status}:\n${stderr}`);
    const compiled = [...stderr.matchAll(/^ +Running `.*--crate-name (\w+) /gm)].map(([, crate]) => crate ?? '');
    return { compiled, says: this.run() };
  }

  /** What cargo's newest executable says. */
  run(): string {
    return spawnSync(this.fixture.path('target/debug/app'), ['once'], { encoding: 'utf8' }).stdout.trim();
  }

  /** Builds, and checks that the result is what the sources say, and that no other crates than these were compiled. */
  builds(expected: readonly string[], why: string): void {
    const { compiled, says } = this.build();
    assert.is(says, spoken(this.words), why);
    assert.equal(compiled, expected, why);
  }

  /** Starts a session and waits until its program can be patched. */
  async start(args: readonly string[] = []): Promise<Talker> {
    const talker = startTalker(this.fixture.root, args);
    try {
      await talker.ready();
    } catch (error) {
      await talker.session.stop();
      throw error;
    }
    return talker;
  }
}
