// The same edits in programs of several sizes that differ in nothing but a library they hold: does what ipbp adds grow
// with the executable? And for each of them: is a patch live before its rustc has ended, does a library's edit wait for
// the crates that use it, and how long does a start take beside `cargo run`? All sizes take turns.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APP_BODY, APP_CRATE, LIBRARY_BODY, writeHeavyProject, type Editable } from './programs/heavy.js';
import { RunningSession, type Patched } from './session.js';
import { type Summary, round, summarise } from './statistics.js';

/** Source files of the library in each program; see writeHeavyProject. */
const SIZES: readonly number[] = [0, 3, 8];
const WARM_UP = 3;
/** Of each kind and size. */
const STARTS = 4;

interface EditTimes {
  readonly scan: Summary;
  readonly diff: Summary;
  readonly link: Summary;
  /** scan + diff + link, ms. */
  readonly engine: Summary;
  /** The same, divided by that of the smallest program in the same round. */
  readonly engineToSmallest: Summary;
  readonly sinceSave: Summary;
  readonly exitSinceSave: Summary;
  /** Below 1: live before the last rustc of the edit has ended. */
  readonly liveToExit: Summary;
}

interface SizeResult {
  readonly executableBytes: number;
  readonly functions: number;
  /** Of reading the executable, at each start. */
  readonly indexMs: Summary;
  /** From the command to the program's first line, ms. */
  readonly cargoRun: Summary;
  /** From the command to `ready`, ms. */
  readonly ipbpReady: Summary;
  readonly readyToCargoRun: Summary;
  /** From the program's first line under ipbp to `ready`, ms; below 0 where `ready` came first. */
  readonly readyAfterFirstLine: Summary;
  readonly body: EditTimes;
  readonly libraryBody: EditTimes;
}

interface Subject {
  readonly folder: string;
  readonly executableBytes: number;
}

function build(folder: string, files: number): Subject {
  writeHeavyProject(folder, files);
  execFileSync('cargo', ['build', '--quiet', '--offline'], { cwd: folder });
  return { folder, executableBytes: statSync(join(folder, 'target', 'debug', APP_CRATE)).size };
}

/** ms from `cargo run` to the program's first line. */
function cargoRun(folder: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn('cargo', ['run', '--quiet', '--offline'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    let ms: number | null = null;
    child.stdout.once('data', () => {
      ms = performance.now() - start;
      // cargo and the program, which it does not become.
      if (child.pid !== undefined) process.kill(-child.pid);
    });
    child.on('error', reject);
    child.on('exit', () => (ms === null ? reject(new Error('cargo run printed nothing')) : resolve(ms)));
  });
}

function edit(
  { folder }: Subject,
  { file, original, variant }: Editable,
  number: number,
  texts: Map<string, string>,
): void {
  const path = join(folder, file);
  const text = texts.get(path) ?? readFileSync(path, 'utf8');
  texts.set(path, text);
  if (text.split(original).length !== 2) throw new Error(`${path} must hold ${original} once`);
  writeFileSync(path, text.replace(original, variant(number)));
}

interface Starts {
  readonly cargo: number[];
  readonly ready: number[];
  readonly afterFirstLine: number[];
  readonly index: number[];
  functions: number;
}

async function measureStarts(subjects: readonly Subject[]): Promise<readonly Starts[]> {
  const all = subjects.map((): Starts => ({ cargo: [], ready: [], afterFirstLine: [], index: [], functions: 0 }));
  // The first start of ipbp makes cargo record; it does not count.
  for (let turn = 0; turn <= STARTS; turn++) {
    for (const [i, { folder }] of subjects.entries()) {
      const starts = all[i] as Starts;
      const cargo = await cargoRun(folder);
      const begin = performance.now();
      const session = new RunningSession(folder, {}, 'started');
      const ready = await session.ready();
      const readyAt = performance.now();
      await session.end(ready.pid);
      if (turn === 0) continue;
      starts.cargo.push(cargo);
      starts.ready.push(readyAt - begin);
      starts.afterFirstLine.push(readyAt - (session.firstLineAt ?? readyAt));
      starts.index.push(ready.indexMs);
      starts.functions = ready.functions;
    }
  }
  return all;
}

async function measureEdits(
  subjects: readonly Subject[],
  edits: number,
): Promise<readonly { readonly body: Patched[]; readonly library: Patched[] }[]> {
  const texts = new Map<string, string>();
  const sessions = subjects.map(({ folder }) => new RunningSession(folder, {}));
  const pids: number[] = [];
  for (const session of sessions) pids.push((await session.ready()).pid);
  const all = subjects.map(() => ({ body: [] as Patched[], library: [] as Patched[] }));
  try {
    for (let number = 0; number < WARM_UP + edits; number++) {
      for (const [i, subject] of subjects.entries()) {
        for (const kind of ['body', 'library'] as const) {
          edit(subject, kind === 'body' ? APP_BODY : LIBRARY_BODY, number, texts);
          const patched = await sessions[i]?.patched();
          if (patched !== undefined && number >= WARM_UP) all[i]?.[kind].push(patched);
        }
      }
    }
  } finally {
    for (const [i, session] of sessions.entries()) await session.end(pids[i] ?? 0);
  }
  return all;
}

const engineOf = ({ patch: { ms } }: Patched): number => ms.scan + ms.diff + ms.link;
const sinceSave = ({ patch }: Patched): number => patch.sinceSaveMs ?? Number.NaN;

function editTimes(turns: readonly Patched[], smallest: readonly Patched[]): EditTimes {
  const of = (value: (turn: Patched, index: number) => number): Summary => summarise(turns.map(value));
  return {
    scan: of(({ patch }) => patch.ms.scan),
    diff: of(({ patch }) => patch.ms.diff),
    link: of(({ patch }) => patch.ms.link),
    engine: of(engineOf),
    engineToSmallest: of((turn, i) => engineOf(turn) / engineOf(smallest[i] ?? turn)),
    sinceSave: of(sinceSave),
    exitSinceSave: of((turn) => turn.exitSinceSave),
    liveToExit: of((turn) => sinceSave(turn) / turn.exitSinceSave),
  };
}

function print(result: SizeResult): void {
  const { executableBytes, functions, indexMs, cargoRun: cargo, ipbpReady, readyToCargoRun } = result;
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`${round(executableBytes / 1e6)} MB, ${functions} functions, index ${indexMs.median.toFixed(0)} ms`);
  say(`  cargo run to first line ${cargo.median.toFixed(0)} ms, ipbp run to ready ${ipbpReady.median.toFixed(0)} ms`);
  const after = result.readyAfterFirstLine.median.toFixed(0);
  say(
    `  ready is ${readyToCargoRun.median.toFixed(2)} × cargo run, and ${after} ms after the program's own first line`,
  );
  for (const kind of ['body', 'libraryBody'] as const) {
    const times = result[kind];
    const { scan, diff, link, engine, engineToSmallest } = times;
    const parts = `scan ${scan.median.toFixed(1)} + diff ${diff.median.toFixed(1)} + link ${link.median.toFixed(1)}`;
    const { median, low, high } = engineToSmallest;
    say(`  ${kind}: ${parts}; engine ${engine.median.toFixed(1)} ms`);
    say(`    ${median.toFixed(2)} (${low.toFixed(2)} … ${high.toFixed(2)}) × that of the smallest program`);
    say(
      `    live after ${times.sinceSave.median.toFixed(0)} ms, ${times.liveToExit.median.toFixed(3)} × the exit of rustc`,
    );
  }
}

/** @param keep a folder for the built programs, so that a second run need not build them; null: a temporary one */
export async function benchSize(edits: number, keep: string | null): Promise<readonly SizeResult[]> {
  const folder = keep ?? mkdtempSync(join(tmpdir(), 'ipbp-bench-size-'));
  try {
    const subjects = SIZES.map((files) => build(join(folder, `files-${files}`), files));
    const starts = await measureStarts(subjects);
    const turns = await measureEdits(subjects, edits);
    return subjects.map(({ executableBytes }, i) => {
      const { cargo, ready, afterFirstLine, index, functions } = starts[i] as Starts;
      const own = turns[i];
      const smallest = turns[0];
      if (own === undefined || smallest === undefined) throw new Error('no turns');
      const result: SizeResult = {
        executableBytes,
        functions,
        indexMs: summarise(index),
        cargoRun: summarise(cargo),
        ipbpReady: summarise(ready),
        readyAfterFirstLine: summarise(afterFirstLine),
        readyToCargoRun: summarise(ready.map((ms, turn) => ms / (cargo[turn] ?? Number.NaN))),
        body: editTimes(own.body, smallest.body),
        libraryBody: editTimes(own.library, smallest.library),
      };
      print(result);
      return result;
    });
  } finally {
    if (keep === null) rmSync(folder, { recursive: true, force: true });
  }
}
