// One body edit, over and over, through `ipbp run`, side by side with rustc alone on the same edit: the two take turns,
// so that whatever else the machine does hits both. Answers: what does ipbp add to rustc, and what does a patch leave
// behind in the program's memory?
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PatchedEvent } from '../src/host/events.js';
import { captureRustc } from './plain-rustc.js';
import { SUBJECTS, type Subject, copyProject } from './project.js';
import { RunningSession } from './session.js';
import { type Summary, round, summarise } from './statistics.js';

/** Edits before counting begins: caches of the disk, of Node's compiler and of rustc fill up. */
const WARM_UP = 3;

/** One edit on both sides. */
interface Turn {
  readonly patch: PatchedEvent;
  /** By ipbp, ms, to its exit. */
  readonly rustc: number;
  /** From the save to that exit. */
  readonly exit: number;
  /** By the plain replay, ms. */
  readonly alone: number;
}

interface EditResult {
  readonly subject: string;
  /** Of the executable, as ipbp indexed it. */
  readonly functions: number;
  readonly indexMs: number;
  /** Milliseconds. */
  readonly rustcAlone: Summary;
  readonly rustcByIpbp: Summary;
  readonly scan: Summary;
  readonly diff: Summary;
  readonly link: Summary;
  readonly apply: Summary;
  /** Objects on disk to live. */
  readonly total: Summary;
  /** The same for the very first patch, while nothing is warm yet. */
  readonly firstTotal: number;
  readonly sinceSave: Summary;
  /** Save to the exit of the rustc that ipbp ran. */
  readonly exitSinceSave: Summary;
  /** Save to live / save to that exit, edit by edit: below 1 the patch is live before rustc has ended. */
  readonly liveToExit: Summary;
  /** What ipbp adds: total / rustc alone, of the medians. */
  readonly addedToRustc: number;
  /** Save to live / rustc alone, edit by edit. */
  readonly saveToLive: Summary;
  readonly memory: {
    /** Of each patch, as the session told it. */
    readonly imageBytes: Summary;
    /** Growth of the program's resident memory over all counted edits, divided by them. */
    readonly residentBytesPerPatch: number;
  };
}

/** VmRSS in bytes. */
function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no VmRSS`);
  return Number(kilobytes) * 1024;
}

async function measure(subject: Subject, edits: number, folder: string): Promise<EditResult> {
  const patchedCopy = copyProject(subject, join(folder, 'patched'), null);
  const session = new RunningSession(patchedCopy.folder, subject.environment);
  const ready = await session.ready();
  try {
    const plainCopy = copyProject(subject, join(folder, 'plain'), patchedCopy.folder);
    const plain = captureRustc(plainCopy.folder, subject.crate);
    const turns: Turn[] = [];
    let residentBefore = 0;
    let firstTotal = 0;
    for (let number = 0; number < WARM_UP + edits; number++) {
      if (number === WARM_UP) residentBefore = residentBytes(ready.pid);
      patchedCopy.edit(number);
      const { patch, rustc, exitSinceSave } = await session.patched();
      if (number === 0) firstTotal = patch.ms.total;
      plainCopy.edit(number);
      const alone = await plain.run();
      if (number >= WARM_UP) turns.push({ patch, rustc, exit: exitSinceSave, alone });
    }
    const resident = residentBytes(ready.pid) - residentBefore;
    const of = (value: (turn: Turn) => number): Summary => summarise(turns.map(value));
    const sinceSave = (turn: Turn): number => turn.patch.sinceSaveMs ?? Number.NaN;
    const rustcAlone = of((turn) => turn.alone);
    const total = of((turn) => turn.patch.ms.total);
    return {
      subject: subject.name,
      functions: ready.functions,
      indexMs: round(ready.indexMs),
      rustcAlone,
      rustcByIpbp: of((turn) => turn.rustc),
      scan: of((turn) => turn.patch.ms.scan),
      diff: of((turn) => turn.patch.ms.diff),
      link: of((turn) => turn.patch.ms.link),
      apply: of((turn) => turn.patch.ms.apply),
      total,
      firstTotal: round(firstTotal),
      sinceSave: of(sinceSave),
      exitSinceSave: of((turn) => turn.exit),
      liveToExit: of((turn) => sinceSave(turn) / turn.exit),
      addedToRustc: round(total.median / rustcAlone.median),
      saveToLive: of((turn) => sinceSave(turn) / turn.alone),
      memory: {
        imageBytes: of((turn) => turn.patch.bytes),
        residentBytesPerPatch: Math.round(resident / edits),
      },
    };
  } finally {
    await session.end(ready.pid);
  }
}

function print(result: EditResult): void {
  const line = (name: string, { median, low, high }: Summary): string =>
    `  ${name.padEnd(22)} ${median.toFixed(2).padStart(9)}   (${low.toFixed(2)} … ${high.toFixed(2)})\n`;
  process.stdout.write(
    `${result.subject}: ${result.functions} functions, ${result.total.n} edits, ms: median (quartiles)\n`,
  );
  for (const key of [
    'rustcAlone',
    'rustcByIpbp',
    'scan',
    'diff',
    'link',
    'apply',
    'total',
    'sinceSave',
    'exitSinceSave',
  ] as const) {
    process.stdout.write(line(key, result[key]));
  }
  process.stdout.write(`  the first patch's total was ${result.firstTotal.toFixed(2)}\n`);
  process.stdout.write(`  ipbp adds ${(result.addedToRustc * 100).toFixed(1)} % to rustc alone\n`);
  process.stdout.write(`  save to live is ${result.liveToExit.median.toFixed(3)} × save to the exit of that rustc\n`);
  process.stdout.write(`  save to live is ${result.saveToLive.median.toFixed(2)} × rustc alone\n`);
  const { imageBytes, residentBytesPerPatch } = result.memory;
  process.stdout.write(`  a patch takes ${imageBytes.median} bytes, the program grows by ${residentBytesPerPatch}\n`);
}

/**
 * Measures all subjects, or those named, with `edits` counted edits each.
 * @param keep a folder for what was built, so that a second run need not; null: a temporary one
 */
export async function benchEdit(
  edits: number,
  names: readonly string[],
  keep: string | null,
): Promise<readonly EditResult[]> {
  const results: EditResult[] = [];
  for (const subject of SUBJECTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const folder =
      keep === null ? mkdtempSync(join(tmpdir(), `ipbp-bench-${subject.name}-`)) : join(keep, subject.name);
    try {
      const result = await measure(subject, edits, folder);
      print(result);
      results.push(result);
    } finally {
      rmSync(keep === null ? folder : join(folder, 'plain'), { recursive: true, force: true });
    }
  }
  return results;
}
