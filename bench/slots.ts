// What slots cost against none, in the same run: ns per call of a leaf function, a workload of JSON and hash maps, the
// size of executables and the time of a link. Both builds are cargo's own; one has the scripts of `--redirect slots`.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeScripts } from '../src/host/cargo/scripts.js';
import { linkEnvironment } from '../src/host/cargo/slot-environment.js';
import { ROOT } from './record.js';
import { round, summarise, type Summary } from './statistics.js';

/** A program that is built both ways. */
interface Subject {
  readonly name: string;
  /** From the checkout's root. */
  readonly source: string;
  readonly executable: string;
  /** It takes `leaf N` and `work N`. */
  readonly runs: boolean;
}

const SUBJECTS: readonly Subject[] = [
  { name: 'work', source: 'bench/programs/slots', executable: 'slots-work', runs: true },
  { name: 'example', source: 'examples/garden', executable: 'garden', runs: false },
];

type Way = 'none' | 'slots';
const WAYS: readonly Way[] = ['none', 'slots'];

/** Calls and rounds of one run: about half a second each. */
const CALLS = { debug: 100_000_000, release: 200_000_000 } as const;
const ROUNDS = { debug: 100, release: 1000 } as const;

interface Measured {
  readonly what: string;
  readonly none: Summary;
  readonly slots: Summary;
  /** Of the medians, slots to none. */
  readonly ratio: number;
}

interface SlotsResult {
  readonly subject: string;
  readonly profile: 'debug' | 'release';
  readonly bytes: { readonly none: number; readonly slots: number; readonly ratio: number };
  readonly times: readonly Measured[];
}

/** One subject in one profile, in two target directories. */
class Builds {
  readonly #environments: Readonly<Record<Way, NodeJS.ProcessEnv>>;

  constructor(
    readonly subject: Subject,
    readonly profile: 'debug' | 'release',
    readonly folder: string,
  ) {
    const scripts = writeScripts(join(folder, 'scripts'));
    const slots = {
      ...linkEnvironment('slots', 'x86_64-unknown-linux-gnu', scripts),
      RUSTC_WRAPPER: scripts.rustcWrapper,
      IPBP_UNITS: join(folder, 'units'),
      // What `ipbp run` uses: the compiled program, not its source through a loader.
      IPBP_LINK_WRITER: `'${process.execPath}' '${join(ROOT, 'dist', 'host', 'cargo', 'link-main.js')}'`,
    };
    const { CARGO_TARGET_DIR: _, ...own } = process.env;
    this.#environments = { none: own, slots: { ...own, ...slots } };
    cpSync(join(ROOT, subject.source), join(folder, 'project'), {
      recursive: true,
      filter: (path) => !path.includes('/target'),
    });
  }

  #target(way: Way): string {
    return join(this.folder, way);
  }

  executable(way: Way): string {
    return join(this.#target(way), this.profile, this.subject.executable);
  }

  /** Milliseconds of `cargo build`. */
  build(way: Way): number {
    const args = ['build', '--quiet', '--target-dir', this.#target(way)];
    const start = performance.now();
    execFileSync('cargo', this.profile === 'release' ? [...args, '--release'] : args, {
      cwd: join(this.folder, 'project'),
      env: { ...this.#environments[way], CARGO_PROFILE_RELEASE_INCREMENTAL: 'true' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return performance.now() - start;
  }

  /** Milliseconds of a build in which only the link is to be done: cargo is made to think the program's unit is old. */
  relink(way: Way): number {
    const fingerprints = join(this.#target(way), this.profile, '.fingerprint');
    for (const unit of readdirSync(fingerprints)) {
      if (!unit.startsWith(this.subject.executable)) continue;
      for (const file of readdirSync(join(fingerprints, unit))) {
        if (file.startsWith('dep-')) utimesSync(join(fingerprints, unit, file), 1, 1);
      }
    }
    return this.build(way);
  }

  /** What the program printed: nanoseconds. */
  run(way: Way, what: 'leaf' | 'work', times: number): number {
    return Number(execFileSync(this.executable(way), [what, String(times)], { encoding: 'utf8' }));
  }
}

/** Both ways by turns, so that what else the machine does meets both. */
function measured(what: string, times: number, one: (way: Way) => number): Measured {
  const values: Record<Way, number[]> = { none: [], slots: [] };
  for (let i = 0; i < times; i++) for (const way of WAYS) values[way].push(one(way));
  const [none, slots] = [summarise(values.none), summarise(values.slots)];
  return { what, none, slots, ratio: round(slots.median / none.median) };
}

function measure(builds: Builds, times: number): SlotsResult {
  const { subject, profile } = builds;
  for (const way of WAYS) builds.build(way);
  const [none, slots] = WAYS.map((way) => statSync(builds.executable(way)).size) as [number, number];
  const runs = subject.runs
    ? [
        measured('leaf call, ns', times, (way) => builds.run(way, 'leaf', CALLS[profile])),
        measured('JSON and hash maps, ns per round', times, (way) => builds.run(way, 'work', ROUNDS[profile])),
      ]
    : [];
  const links = measured('cargo build that only links, ms', times, (way) => builds.relink(way));
  return {
    subject: subject.name,
    profile,
    bytes: { none, slots, ratio: round(slots / none) },
    times: [...runs, links],
  };
}

function print({ subject, profile, bytes, times }: SlotsResult): void {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`${subject}, ${profile}: ${bytes.none} bytes without slots, ${bytes.slots} with: ${bytes.ratio}`);
  for (const { what, none, slots, ratio } of times) {
    say(`  ${what.padEnd(34)} none ${none.median}, slots ${slots.median}, ratio ${ratio}`);
  }
}

/** Measures all subjects in both profiles; `times` is how often each way. */
export function benchSlots(times: number): Promise<readonly SlotsResult[]> {
  const results: SlotsResult[] = [];
  for (const subject of SUBJECTS) {
    for (const profile of ['debug', 'release'] as const) {
      const folder = mkdtempSync(join(tmpdir(), 'ipbp-bench-slots-'));
      try {
        const result = measure(new Builds(subject, profile, folder), times);
        print(result);
        results.push(result);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  }
  return Promise.resolve(results);
}
