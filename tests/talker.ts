// A program that talks: a line with its pid, a count and a word, a hundred times a second. Under `ipbp run` it shows
// from outside which code runs, that its state stays, and that nothing in it was touched.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { ReadyEvent, SessionEvent } from '../src/host/events.js';
import { cargoFixture, manifest, type CargoFixture } from './cargo-fixture.js';
import { Session, runToEnd, type CommandResult } from './matrix/session.js';

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const READY_LIMIT_MS = 120_000;
const LINE_LIMIT_MS = 20_000;
export const VERDICT_LIMIT_MS = 60_000;
const VERDICTS: ReadonlySet<string> = new Set(['patched', 'refused', 'unchanged', 'compile-error', 'exit']);

/** The source; `expression` is the body of the function that gives the word. */
export function talkerSource(expression = '"hello"', rest = ''): string {
  return `use std::time::Duration;

mod words {
    #[inline(never)]
    pub fn word(_count: u64) -> String {
        String::from(${expression})
    }

    #[inline(never)]
    pub fn mark() -> &'static str {
        "."
    }
}
${rest}
fn main() {
    for count in 0u64.. {
        println!("{} {count} {}{}", std::process::id(), words::word(count), words::mark());
        std::thread::sleep(Duration::from_millis(10));
    }
}
`;
}

/** A crate of the talker alone, in a temporary directory. */
export function talkerFixture(more: Readonly<Record<string, string>> = {}): CargoFixture {
  return cargoFixture({ 'Cargo.toml': manifest('talker'), 'src/main.rs': talkerSource(), ...more });
}

/** One line of a talker. */
interface Line {
  readonly pid: number;
  readonly count: number;
  readonly words: string;
}

/** Runs `ipbp` in a directory to its end. */
export function ipbp(directory: string, ...args: readonly string[]): Promise<CommandResult> {
  return runToEnd([process.execPath, CLI, ...args], directory);
}

/** A talker under `ipbp run --json`. Made by {@link startTalker}. */
export class Talker {
  constructor(readonly session: Session) {}

  /** The newest whole line, or undefined before the first. */
  private newest(): Line | undefined {
    const lines = this.session.output.split('\n').slice(0, -1);
    const found = lines.map((line) => /^(\d+) (\d+) (.*)$/.exec(line)).findLast((match) => match !== null);
    if (found === null || found === undefined) return undefined;
    return { pid: Number(found[1]), count: Number(found[2]), words: found[3] ?? '' };
  }

  /** A line that is printed from now on. Throws when none comes: the program is not alive. */
  async line(): Promise<Line> {
    const before = this.newest();
    return this.waitFor((line) => before === undefined || line.count > before.count, 'another line');
  }

  /** Waits until the program says these words. */
  async says(words: string): Promise<Line> {
    return this.waitFor((line) => line.words === words, `"${words}"`);
  }

  /** Its `ready` event: the program can be patched. */
  ready(): Promise<ReadyEvent> {
    return this.session.waitFor((event) => event.event === 'ready', 0, READY_LIMIT_MS);
  }

  /** Saves a source, the talker's if no other, and waits for what becomes of it, which must be `kind`. */
  async save<K extends SessionEvent['event']>(
    fixture: CargoFixture,
    source: string,
    kind: K,
    file = 'src/main.rs',
  ): Promise<Extract<SessionEvent, { event: K }>> {
    const from = this.session.events.length;
    fixture.write(file, source);
    const event = await this.session.waitFor(
      (one): one is SessionEvent => VERDICTS.has(one.event),
      from,
      VERDICT_LIMIT_MS,
    );
    assert.is(event.event, kind, JSON.stringify(event));
    return event as Extract<SessionEvent, { event: K }>;
  }

  /**
   * Does some work and checks that the program did not notice: the same process goes on counting and saying the same, and
   * all code in it is the same byte for byte, at the same places.
   */
  async untouchedBy<T>(work: () => Promise<T>): Promise<T> {
    const before = await this.line();
    const code = codeOf(before.pid);
    const result = await work();
    const after = await this.line();
    assert.is(after.pid, before.pid);
    assert.is(after.words, before.words);
    assert.ok(after.count > before.count);
    assert.equal(codeOf(before.pid), code, 'the code in memory changed');
    return result;
  }

  private async waitFor(wanted: (line: Line) => boolean, what: string): Promise<Line> {
    for (const end = Date.now() + LINE_LIMIT_MS; Date.now() < end;) {
      const line = this.newest();
      if (line !== undefined && wanted(line)) return line;
      await new Promise((done) => setTimeout(done, 10));
    }
    throw new Error(`the program did not say ${what}; the end of its output: ${this.session.output.slice(-2000)}`);
  }
}

/** Starts `ipbp run --json` in a directory; it need not be ready yet, nor ever become so. */
export function startTalker(
  directory: string,
  cargoArguments: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Talker {
  const args = [CLI, 'run', '--json', '--on-refusal', 'continue', '--quiet', ...cargoArguments];
  const child = spawn(process.execPath, args, {
    cwd: directory,
    env: { ...process.env, ...environment, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  return new Talker(new Session(child, directory, ''));
}

/** The first event of these kinds at or after index `from`. */
export function eventOf<K extends SessionEvent['event']>(
  talker: Talker,
  from: number,
  ...kinds: readonly K[]
): Promise<Extract<SessionEvent, { event: K }>> {
  const wanted: ReadonlySet<string> = new Set(kinds);
  return talker.session.waitFor(
    (event): event is Extract<SessionEvent, { event: K }> => wanted.has(event.event),
    from,
    VERDICT_LIMIT_MS,
  );
}

/** Mappings of a process: start, protection and path. */
export function mappingsOf(pid: number): { start: number; end: number; protection: string; path: string }[] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .map((line) => /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, start = '', end = '', protection = '', path = '']) => ({
      start: parseInt(start, 16),
      end: parseInt(end, 16),
      protection,
      // The kernel adds a word when the file has been replaced.
      path: path.replace(/ \(deleted\)$/, ''),
    }));
}

/** Every executable mapping of a process with a hash of what is in it. */
function codeOf(pid: number): string[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    return mappingsOf(pid)
      .filter(({ protection, path }) => protection.includes('x') && path !== '[vsyscall]')
      .map(({ start, end, path }) => {
        const bytes = Buffer.alloc(end - start);
        assert.is(readSync(memory, bytes, 0, bytes.length, start), bytes.length);
        return `${start.toString(16)} ${path} ${createHash('sha256').update(bytes).digest('hex')}`;
      });
  } finally {
    closeSync(memory);
  }
}
