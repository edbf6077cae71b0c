// Drives rows through one running program: saves, waits for ipbp's verdict, asks the program, compares. What the rows
// are comes from outside; what is right is judged in verdicts.ts, questions.ts and state.ts.
import { isDeepStrictEqual } from 'node:util';
import { type PatchedEvent, type ReadyEvent } from '../../src/host/events.js';
import { type Configuration } from './configurations.js';
import { type Program, type Project, type SaveStyle, copyProgram, save } from './program.js';
import { askChecks, startWaiting } from './questions.js';
import { packageFolder } from './registry.js';
import { type Row, type Verdict } from './row.js';
import { type Session, type SessionSetup, startSession, waitAlive } from './session.js';
import { DeskWatch, type StateWatch, watchProcess } from './state.js';
import { Traffic, type TrafficSummary } from './traffic.js';
import { type Outcome, isOutcome, isSettled, judge, strongest } from './verdicts.js';

/** How one row went; it is right when `failures` is empty. */
export interface RowResult {
  readonly id: string;
  readonly name: string;
  readonly verdict: Verdict | 'none';
  readonly failures: readonly string[];
  readonly functions: number;
  readonly data: number;
  readonly bytes: number;
  readonly warnings: readonly string[];
  readonly ms: PatchedEvent['ms'] | null;
  readonly sinceSaveMs: number | null;
}

/** How a whole run went. */
export interface RunResult {
  readonly program: string;
  readonly configuration: string;
  readonly rows: readonly RowResult[];
  readonly traffic: TrafficSummary;
  readonly indexMs: number;
  readonly functions: number;
  /** From the copy to the program's end, the first build included. */
  readonly seconds: number;
}

/** The longest that ipbp may take over one row: a first use of a library recompiles everything. */
const ROW_LIMIT_MS = 240_000;

/** The longest that cargo may take before a program that was ended stands again. */
const RESTART_LIMIT_MS = 240_000;

/** Numbers from 0 to below 1, the same for the same seed (a linear congruential generator). */
export function random(seed: number): () => number {
  let state = seed % 233280;
  return () => {
    state = (state * 9301 + 49297) % 233280;
    return state / 233280;
  };
}

/** A program under ipbp, and all that is watched about it. Made by {@link openRun}. */
export class Run {
  private readonly current: Map<string, string>;
  private state: StateWatch;
  /** The process that `state` watches. */
  private watched: number;

  constructor(
    private readonly program: Program,
    private readonly project: Project,
    private readonly session: Session,
    private readonly ready: ReadyEvent,
    private readonly configuration: Configuration,
    private readonly traffic: Traffic,
    private readonly chance: () => number,
  ) {
    this.current = new Map(project.files);
    this.state = this.watch(ready.pid);
    this.watched = ready.pid;
  }

  /** Does one row, as this configuration has it. Never throws: what goes wrong is in the result. */
  async row(general: Row): Promise<RowResult> {
    const row: Row = { ...general, ...this.configuration.otherwise?.[general.id] };
    const failures: string[] = [];
    const note = (problems: readonly string[]): void => void failures.push(...problems);
    let outcomes: readonly Outcome[] = [];
    const saved = new Map(this.current);
    try {
      note(await askChecks(this.session, row.before ?? [], 'before: '));
      const threads = await this.state.threads();
      const failedRequests = this.traffic.summary.failed;
      const waiting = row.inFlight === undefined ? undefined : await startWaiting(this.session, row.inFlight);
      try {
        outcomes = await this.act(row);
      } finally {
        note((await waiting?.release()) ?? []);
      }
      note(judge(row, outcomes, this.configuration.unoptimised));
      if (!this.mayWarnInstead(row, outcomes)) note(await askChecks(this.session, row.after, ''));
      note(await this.state.check());
      if (row.threads !== undefined) note(this.compareThreads(row.threads, threads, await this.state.threads()));
      const newly = this.traffic.summary.failed - failedRequests;
      if (newly > 0) note([`${newly} requests failed: ${this.traffic.summary.failures.join('; ')}`]);
    } catch (error) {
      note([error instanceof Error ? error.message : String(error)]);
    }
    // What was not taken must not make every later row fail too.
    if ((failures.length > 0 || row.putBack === true) && this.session.end === undefined) await this.putBack(saved);
    return this.result(row, outcomes, failures);
  }

  /** Ends everything. */
  async close(): Promise<Pick<RunResult, 'traffic' | 'indexMs' | 'functions'>> {
    const traffic = await this.traffic.stop();
    await this.session.stop();
    return { traffic, indexMs: this.ready.indexMs, functions: this.ready.functions };
  }

  private watch(pid: number): StateWatch {
    return this.program.desk ? new DeskWatch(this.session, pid) : watchProcess(this.session, pid);
  }

  private async act(row: Row): Promise<readonly Outcome[]> {
    const from = this.session.events.length;
    const { action } = row;
    switch (action.kind) {
      case 'edit': {
        const texts = action.edits.map(({ file, apply }) => {
          const old = this.current.get(file);
          if (old === undefined) throw new Error(`no source ${file}`);
          return [file, apply(old)] as const;
        });
        for (const [file, text] of texts) await this.saveAs(file, text);
        return this.outcomes(from);
      }
      case 'revert':
        for (const [path, text] of this.project.files) await this.saveAs(path, text);
        return this.outcomes(from);
      case 'command': {
        const result = await this.session.command(action.args, this.ready.session);
        if (result.status !== 0)
          throw new Error(`ipbp ${action.args.join(' ')} ended with ${result.status}: ${result.output}`);
        return this.outcomes(from);
      }
    }
  }

  private async saveAs(path: string, text: string): Promise<void> {
    if (this.current.get(path) === text) return;
    const style: SaveStyle = this.chance() < 0.5 ? 'overwrite' : 'rename';
    await save(this.project, path, text, style);
    this.current.set(path, text);
  }

  /** All verdicts from index `from` on, once no change is left without one and no restart without its program. */
  private async outcomes(from: number): Promise<readonly Outcome[]> {
    await this.session.waitFor(isOutcome, from, ROW_LIMIT_MS);
    for (;;) {
      const seen = this.session.events.length;
      await new Promise((done) => setTimeout(done, 120));
      const events = this.session.events.slice(from);
      const last = events.findLastIndex((event) => event.event === 'change' || isOutcome(event));
      const event = events[last];
      if (event?.event === 'change') await this.session.waitFor(isOutcome, from + last, ROW_LIMIT_MS);
      else if (event?.event === 'refused' && event.restarting) await this.restarted(from + last);
      if (this.session.events.length === seen && isSettled(events)) return events.filter(isOutcome);
    }
  }

  /** Waits for the program that follows the restart told at index `from`; all that is watched begins anew. */
  private async restarted(from: number): Promise<void> {
    const { pid } = await this.session.waitFor((event) => event.event === 'ready', from, RESTART_LIMIT_MS);
    // Looked at again: a program may be ready before anybody waits for it, and is watched all the same.
    if (pid === this.watched) return;
    await waitAlive(this.session, this.program.alive);
    this.state = this.watch(pid);
    this.watched = pid;
  }

  private mayWarnInstead(row: Row, outcomes: readonly Outcome[]): boolean {
    const warned = outcomes.some((outcome) => outcome.event === 'patched' && outcome.warnings.length > 0);
    return row.inLoop === true && !this.configuration.unoptimised && warned;
  }

  private compareThreads(wanted: 'more' | 'same', before: number, after: number): string[] {
    const right = wanted === 'more' ? after > before : after === before;
    return right ? [] : [`${before} threads before, ${after} after, expected ${wanted}`];
  }

  private async putBack(texts: ReadonlyMap<string, string>): Promise<void> {
    if (isDeepStrictEqual(texts, this.current)) return;
    const from = this.session.events.length;
    try {
      for (const [path, text] of texts) await this.saveAs(path, text);
      await this.outcomes(from);
    } catch {
      // The row has failed already; the next ones will tell what is wrong now.
    }
  }

  private result(row: Row, outcomes: readonly Outcome[], failures: readonly string[]): RowResult {
    const patches = outcomes.filter((outcome) => outcome.event === 'patched');
    const last = patches.at(-1);
    return {
      id: row.id,
      name: row.name,
      verdict: strongest(outcomes),
      failures,
      functions: patches.reduce((sum, patch) => sum + patch.functions.length, 0),
      data: patches.reduce((sum, patch) => sum + patch.data.length, 0),
      bytes: patches.reduce((sum, patch) => sum + patch.bytes, 0),
      warnings: [...new Set(patches.flatMap((patch) => patch.warnings.map((warning) => warning.code)))],
      ms: last?.ms ?? null,
      sinceSaveMs: last?.sinceSaveMs ?? null,
    };
  }
}

/** Copies, builds and starts a program under ipbp. Requests are made beside unless the program may be restarted. */
export async function openRun(
  program: Program,
  configuration: Configuration,
  purpose: string,
  seed: number,
  onRefusal: SessionSetup['onRefusal'] = 'continue',
): Promise<Run> {
  const project = await copyProgram(program, purpose, packageFolder, configuration.change);
  const environment = await configuration.environment();
  const { runArguments } = configuration;
  const { session, ready } = await startSession(program, {
    directory: project.directory,
    environment,
    runArguments,
    onRefusal,
  });
  const traffic = new Traffic(session, onRefusal === 'restart' ? [] : program.traffic);
  traffic.start();
  return new Run(program, project, session, ready, configuration, traffic, random(seed));
}

/** Drives all rows through one process. Rows after the program's end count as failed. */
export async function driveRows(
  program: Program,
  configuration: Configuration,
  rows: readonly Row[],
  seed: number,
  onRow: (result: RowResult) => void,
  onRefusal: SessionSetup['onRefusal'] = 'continue',
): Promise<RunResult> {
  const start = performance.now();
  const run = await openRun(program, configuration, `matrix-${configuration.name}`, seed, onRefusal);
  const results: RowResult[] = [];
  try {
    for (const row of rows) {
      const result = await run.row(row);
      results.push(result);
      onRow(result);
    }
  } finally {
    await run.close();
  }
  const closed = await run.close();
  const seconds = Math.round((performance.now() - start) / 1000);
  const name = onRefusal === 'restart' ? `${program.name} (restarting)` : program.name;
  return { program: name, configuration: configuration.name, rows: results, ...closed, seconds };
}
