// What slots cost against none, in the same run and of the same objects: ns per call of a leaf function, a workload of JSON
// and hash maps, the size of executables, the time of a link, and of the rewriting before it.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CapturedProgram, type Before, type Way } from './captured-program.js';
import { platformOf, type Platform, type Profile, type Target } from './platform.js';
import { ROOT } from './record.js';
import { round, summarise, type Summary } from './statistics.js';

/** A program that is linked both ways. */
interface Subject {
  readonly name: string;
  /** From the checkout's root. */
  readonly source: string;
  readonly profiles: readonly Profile[];
  /** It takes `leaf N` and `work N`. */
  readonly runs: boolean;
}

const SUBJECTS: readonly Subject[] = [
  { name: 'work', source: 'bench/programs/slots', profiles: ['debug', 'release'], runs: true },
  { name: 'example', source: 'examples/garden', profiles: ['debug', 'release'], runs: false },
  { name: 'server', source: 'examples/server', profiles: ['debug'], runs: false },
];

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
  readonly target: string;
  readonly profile: Profile;
  readonly bytes: { readonly none: number; readonly slots: number; readonly ratio: number };
  /** What a rewrite of all reads. */
  readonly objects: { readonly count: number; readonly bytes: number };
  readonly times: readonly Measured[];
  /** Of a process that rewrites what it must before a link, ms; `node` is that of one that does nothing. */
  readonly rewrite: Readonly<Record<Before | 'node', Summary>>;
}

/** Both ways by turns, so that what else the machine does meets both. */
function measured(what: string, times: number, one: (way: Way) => number): Measured {
  const values: Record<Way, number[]> = { none: [], slots: [] };
  for (let i = 0; i < times; i++) for (const way of WAYS) values[way].push(one(way));
  const [none, slots] = [summarise(values.none), summarise(values.slots)];
  return { what, none, slots, ratio: round(slots.median / none.median) };
}

/** What the program printed: nanoseconds. */
function run(platform: Platform, executable: string, what: 'leaf' | 'work', times: number): number {
  const [command, ...args] = [...platform.runner, executable, what, String(times)];
  return Number(execFileSync(command, args, { encoding: 'utf8' }));
}

function emptyProcess(): number {
  const start = performance.now();
  execFileSync(process.execPath, ['-e', '']);
  return performance.now() - start;
}

function repeated(times: number, one: () => number): Summary {
  return summarise(Array.from({ length: times }, one));
}

function measure(subject: Subject, platform: Platform, profile: Profile, times: number, folder: string): SlotsResult {
  const project = join(folder, 'project');
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, subject.source), project, { recursive: true, filter: (path) => !path.includes('/target') });
  const program = new CapturedProgram(platform, profile, project, folder);
  for (const way of WAYS) program.link(way, 'nothing');
  const [none, slots] = WAYS.map((way) => statSync(program.executable(way)).size) as [number, number];
  const calls = (what: 'leaf' | 'work', count: number) => (way: Way) =>
    run(platform, program.executable(way), what, count);
  const runs =
    subject.runs && platform.native
      ? [
          measured('leaf call, ns', times, calls('leaf', CALLS[profile])),
          measured('JSON and hash maps, ns per round', times, calls('work', ROUNDS[profile])),
        ]
      : [];
  const links = (['nothing', 'all but one', 'all'] as const).map((before) =>
    measured(`link with ${before} rewritten before, ms`, times, (way) => program.link(way, before)),
  );
  const objects = program.objects();
  return {
    subject: subject.name,
    target: platform.target,
    profile,
    bytes: { none, slots, ratio: round(slots / none) },
    objects: { count: objects.length, bytes: objects.reduce((sum, path) => sum + statSync(path).size, 0) },
    times: [...runs, ...links],
    rewrite: {
      nothing: repeated(times, () => program.rewrite('nothing')),
      'all but one': repeated(times, () => program.rewrite('all but one')),
      all: repeated(times, () => program.rewrite('all')),
      node: repeated(times, emptyProcess),
    },
  };
}

function print({ subject, target, profile, bytes, objects, times, rewrite }: SlotsResult): void {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`${subject}, ${target}, ${profile}: ${bytes.none} bytes without slots, ${bytes.slots} with: ${bytes.ratio}`);
  for (const { what, none, slots, ratio } of times) {
    say(`  ${what.padEnd(42)} none ${none.median}, slots ${slots.median}, ratio ${ratio}`);
  }
  const { nothing, all, node, 'all but one': one } = rewrite;
  say(`  rewriting ${objects.count} objects, ${objects.bytes} bytes: ${nothing.median} ms (from ${nothing.low})`);
  say(`  one of them ${one.median} ms, none of them ${all.median} ms, Node alone ${node.median} ms`);
}

/**
 * Measures all subjects, or those named, for each target; `times` is how often each way.
 * @param keep a folder for what was built, so that a second run need not; null: a temporary one
 */
export function benchSlots(
  times: number,
  names: readonly string[],
  targets: readonly Target[],
  keep: string | null,
): Promise<readonly SlotsResult[]> {
  const results: SlotsResult[] = [];
  for (const platform of targets.map(platformOf)) {
    for (const subject of SUBJECTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
      for (const profile of subject.profiles) {
        const folder =
          keep === null
            ? mkdtempSync(join(tmpdir(), 'ipbp-bench-slots-'))
            : join(keep, `${subject.name}-${platform.target}-${profile}`);
        try {
          const result = measure(subject, platform, profile, times, folder);
          print(result);
          results.push(result);
        } finally {
          if (keep === null) rmSync(folder, { recursive: true, force: true });
        }
      }
    }
  }
  return Promise.resolve(results);
}
