// A workspace of a program, a library and a library below it for the poisoning sequences: what its sources say, what
// cargo makes of them, and how much work that was, beside a twin that no session touches. The sequences themselves are
// in the tests beside it.
import { spawnSync } from 'node:child_process';
import { statSync, utimesSync } from 'node:fs';
import { delimiter } from 'node:path';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { startTalker, type Talker } from '../talker.js';

/** What each of the four places says; the program prints them in this order. */
export interface Words {
  /** A plain body of the library that the library uses. */
  readonly deep: string;
  /** A plain body of the library. */
  readonly plain: string;
  /** A generic body of the library: its instance is in the program's objects. */
  readonly generic: string;
  /** A body of the program. */
  readonly own: string;
}

export const FIRST: Words = { deep: 'd0', plain: 'p0', generic: 'g0', own: 'o0' };

/** The line that sources with these words make. */
export function spoken({ deep, plain, generic, own }: Words): string {
  return `${deep} ${plain} ${generic} ${own}`;
}

const DEEP_FILE = 'base/src/lib.rs';
const LIBRARY_FILE = 'lib/src/lib.rs';
const PROGRAM_FILE = 'app/src/main.rs';

function deepSource({ deep }: Words): string {
  return `#[inline(never)]
pub fn deep() -> String {
    String::from("${deep}")
}
`;
}

export function librarySource({ plain, generic }: Words): string {
  return `pub fn deep() -> String {
    base::deep()
}

#[inline(never)]
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
        format!("{} {} {} {}", words::deep(), words::plain(), words::generic(0u32), super::own::own())
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

/** How the workspace's libraries are linked. */
export type Linkage = 'static' | 'shared';

function workspace(linkage: Linkage): CargoFixture {
  const kind = linkage === 'shared' ? '[lib]\ncrate-type = ["dylib"]\n' : '';
  return cargoFixture({
    'Cargo.toml': '[workspace]\nmembers = ["base", "lib", "app"]\nresolver = "2"\n',
    ...(linkage === 'shared' && {
      '.cargo/config.toml': '[build]\nrustflags = ["-Cprefer-dynamic", "-Csymbol-mangling-version=v0"]\n',
    }),
    'base/Cargo.toml': manifest('base', kind),
    [DEEP_FILE]: deepSource(FIRST),
    'lib/Cargo.toml': manifest('words', `[dependencies]\nbase = { path = "../base" }\n${kind}`),
    [LIBRARY_FILE]: librarySource(FIRST),
    'app/Cargo.toml': manifest('app', '[dependencies]\nwords = { path = "../lib" }\n'),
    [PROGRAM_FILE]: programSource(FIRST),
  });
}

const SOURCES = [
  [DEEP_FILE, deepSource],
  [LIBRARY_FILE, librarySource],
  [PROGRAM_FILE, programSource],
] as const satisfies readonly (readonly [string, (words: Words) => string])[];

/** The workspace, and at most one session in it at a time. */
export class Workshop {
  readonly fixture: CargoFixture;
  words: Words = FIRST;
  /** Is edited, restored and built at the same moments, and knows no ipbp. */
  private readonly twin: CargoFixture;

  constructor(linkage: Linkage = 'static') {
    this.fixture = workspace(linkage);
    this.twin = workspace(linkage);
    cargoBuild(this.twin);
  }

  remove(): void {
    this.fixture.remove();
    this.twin.remove();
  }

  /** Saves what differs, as an editor that overwrites a file. */
  save(words: Partial<Words>): void {
    const before = this.words;
    this.words = { ...before, ...words };
    for (const [file, source] of SOURCES)
      if (source(this.words) !== source(before)) this.write(file, source(this.words));
  }

  /** Writes a file of both. */
  write(file: string, text: string): void {
    for (const fixture of [this.fixture, this.twin]) fixture.write(file, text);
  }

  /** Dates all sources of both. */
  date(time: Date): void {
    for (const { path } of this.sources()) utimesSync(path, time, time);
  }

  private sources(): { readonly path: string; readonly mtime: Date }[] {
    return [this.fixture, this.twin].flatMap((fixture) =>
      SOURCES.map(([file]) => {
        const path = fixture.path(file);
        return { path, mtime: statSync(path).mtime };
      }),
    );
  }

  /** Gives the sources back with the content and the times that they had. */
  memorise(): () => void {
    const words = this.words;
    const times = this.sources();
    return () => {
      this.words = words;
      for (const [file, source] of SOURCES) this.write(file, source(words));
      for (const { path, mtime } of times) utimesSync(path, mtime, mtime);
    };
  }

  /** `cargo build -v` as in another terminal, and what came of it. Throws when cargo fails. */
  build(environment: Readonly<Record<string, string>> = {}): Built {
    cargoBuild(this.twin, environment);
    return { compiled: cargoBuild(this.fixture, environment), says: this.run() };
  }

  /** What cargo's newest executable says. */
  run(): string {
    return spawnSync(this.fixture.path('target/debug/app'), ['once'], {
      encoding: 'utf8',
      env: { ...process.env, LD_LIBRARY_PATH: [this.fixture.path('target/debug/deps'), LIBRARIES].join(delimiter) },
    }).stdout.trim();
  }

  /**
   * Builds, and checks that the result is what the sources say, and that these crates were compiled and no others.
   * @param beside what cargo compiles where no session ever was, if that is not the same
   */
  builds(expected: readonly string[], why: string, beside: readonly string[] = expected): void {
    assert.equal(cargoBuild(this.twin), beside, `${why}, without ipbp`);
    const compiled = cargoBuild(this.fixture);
    assert.is(this.run(), spoken(this.words), why);
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

/** rustc's own, with the shared standard library. */
const LIBRARIES = spawnSync('rustc', ['--print', 'target-libdir'], { encoding: 'utf8' }).stdout.trim();

/** Crates that rustc ran for, in order. */
function cargoBuild({ root }: CargoFixture, environment: Readonly<Record<string, string>> = {}): readonly string[] {
  const { status, stderr } = spawnSync('cargo', ['build', '-v'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...environment, CARGO_TERM_COLOR: 'never' },
  });
  if (status !== 0) throw new Error(`cargo build ended with ${status}:\n${stderr}`);
  return [...stderr.matchAll(/^ +Running `.*--crate-name (\w+) /gm)].map(([, crate]) => crate ?? '');
}
