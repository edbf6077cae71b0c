// The same inputs linked to a shared library by ipbp and by others, taking turns: cold, each run a process of its own, and
// by ipbp in a process that is at hand. How do time and memory grow with what is linked?
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argumentsFor, type CapturedLink } from '../conformance/cases/capture.js';
import { ensureDebianTools, versionOf } from '../conformance/setup/debian-tools.js';
import { run, tryRun } from '../conformance/setup/run.js';
import { wildProgram } from '../tests/matrix/linkers.js';
import { inputBytes, LINK_SUBJECTS } from './link-inputs.js';
import type { ResidentRun } from './link-resident.js';
import { ROOT } from './record.js';
import { round, summarise, type Summary } from './statistics.js';

/** Not counted: the disk's cache fills up. */
const WARM_UP = 2;

interface Linker {
  readonly name: string;
  readonly command: readonly string[];
}

/** One linker on one subject. */
interface LinkerResult {
  readonly linker: string;
  /** From the command to its end. */
  readonly ms: Summary;
  readonly peakMiB: Summary;
  /** ms / that of single-threaded lld in the same round. */
  readonly toLld: Summary;
  /** ms / that of ld in the same round. */
  readonly toLd: Summary;
  readonly outputBytes: number;
}

interface LinkResult {
  readonly subject: string;
  /** Of the files on the command line, archives whole. */
  readonly inputMiB: number;
  /** Of the objects that became part of the link. */
  readonly objectMiB: number;
  readonly objects: number;
  readonly cold: readonly LinkerResult[];
  readonly resident: { readonly ms: Summary; readonly peakMiB: number; readonly toLld: number; readonly toLd: number };
}

const MEBI = 2 ** 20;
const OURS = 'ipbp';
const LLD = 'lld --threads=1';
const LD = 'ld';

/** `--no-fork`: mold and wild else leave their work to a child that the clock does not see. */
function linkers(): Linker[] {
  return [
    { name: OURS, command: [process.execPath, join(ROOT, 'dist', 'cli', 'main.js'), 'link'] },
    { name: LLD, command: ['ld.lld-19', '--threads=1'] },
    { name: 'lld', command: ['ld.lld-19'] },
    { name: 'mold', command: ['mold', '--no-fork'] },
    { name: 'wild', command: [wildProgram(), '--no-fork'] },
    { name: LD, command: ['ld.bfd'] },
  ];
}

/** A run: milliseconds, and the most memory that it took, in MiB. Throws with what the linker said when it fails. */
function time({ name, command }: Linker, args: readonly string[]): { ms: number; peak: number } {
  const start = performance.now();
  const { status, stderr } = tryRun('time', ['--format=peak %M', ...command, ...args]);
  const ms = performance.now() - start;
  const peak = /peak (\d+)/.exec(stderr)?.[1];
  if (status !== 0 || peak === undefined) throw new Error(`${name} ended with ${status}: ${stderr}`);
  return { ms, peak: Number(peak) / 1024 };
}

interface Timed {
  readonly linker: Linker;
  readonly output: string;
  readonly ms: number[];
  readonly peak: number[];
}

/** Links once with each, over and over. */
function measureCold(link: CapturedLink, rounds: number, folder: string): LinkerResult[] {
  const all = linkers().map((linker, index): Timed => {
    return { linker, output: join(folder, `${index}.so`), ms: [], peak: [] };
  });
  for (let turn = -WARM_UP; turn < rounds; turn++) {
    for (const { linker, output, ms, peak } of all) {
      const taken = time(linker, argumentsFor(link, output));
      if (turn < 0) continue;
      ms.push(taken.ms);
      peak.push(taken.peak);
    }
  }
  const to = (name: string, ms: readonly number[]): Summary => {
    const others = all.find(({ linker }) => linker.name === name)?.ms ?? [];
    return summarise(ms.map((value, turn) => value / (others[turn] ?? NaN)));
  };
  return all.map(({ linker, output, ms, peak }) => ({
    linker: linker.name,
    ms: summarise(ms),
    peakMiB: summarise(peak),
    toLld: to(LLD, ms),
    toLd: to(LD, ms),
    outputBytes: statSync(output).size,
  }));
}

function measureResident(link: CapturedLink, rounds: number, folder: string): ResidentRun {
  const words = join(folder, 'words.json');
  writeFileSync(words, JSON.stringify(argumentsFor(link, join(folder, 'resident.so'))));
  const script = join(ROOT, 'bench', 'link-resident.ts');
  return JSON.parse(
    run(process.execPath, ['--import', 'tsx', script, `${rounds}`, words], { cwd: ROOT }),
  ) as ResidentRun;
}

function print({ subject, inputMiB, objectMiB, objects, cold, resident }: LinkResult): void {
  process.stdout.write(`${subject}: ${objects} objects of ${objectMiB} MiB, in files of ${inputMiB} MiB\n`);
  for (const { linker, ms, peakMiB, toLld, toLd } of cold) {
    const ratios = `${toLld.median} × ${LLD}, ${toLd.median} × ${LD}`;
    process.stdout.write(
      `  ${linker.padEnd(16)} ${ms.median} ms (${ms.low}–${ms.high}), ${peakMiB.median} MiB: ${ratios}\n`,
    );
  }
  const { ms, peakMiB, toLld, toLd } = resident;
  process.stdout.write(`  ${'ipbp, at hand'.padEnd(16)} ${ms.median} ms (${ms.low}–${ms.high}), ${peakMiB} MiB: `);
  process.stdout.write(`${toLld} × ${LLD}, ${toLd} × ${LD}\n`);
}

/** Measures all subjects, or those named. */
export function benchLink(
  rounds: number,
  names: readonly string[],
): { versions: Readonly<Record<string, string>>; subjects: readonly LinkResult[] } {
  ensureDebianTools();
  run(process.execPath, [join(ROOT, 'scripts', 'build.js')]);
  const subjects: LinkResult[] = [];
  for (const { name, link: capture } of LINK_SUBJECTS.filter(
    ({ name }) => names.length === 0 || names.includes(name),
  )) {
    const link = capture();
    const folder = mkdtempSync(join(tmpdir(), 'ipbp-bench-link-'));
    try {
      const cold = measureCold(link, rounds, folder);
      const { ms, objectBytes, objects, peakBytes } = measureResident(link, rounds, folder);
      const resident = summarise(ms);
      const medianOf = (name: string): number => cold.find(({ linker }) => linker === name)?.ms.median ?? NaN;
      const result: LinkResult = {
        subject: name,
        inputMiB: round(inputBytes(link) / MEBI),
        objectMiB: round(objectBytes / MEBI),
        objects,
        cold,
        resident: {
          ms: resident,
          peakMiB: round(peakBytes / MEBI),
          toLld: round(resident.median / medianOf(LLD)),
          toLd: round(resident.median / medianOf(LD)),
        },
      };
      print(result);
      subjects.push(result);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const versions = Object.fromEntries(
    linkers()
      .filter(({ name }) => name !== OURS && name !== LLD)
      .map(({ name, command: [program = ''] }) => [name, versionOf(program)]),
  );
  return { versions, subjects };
}
