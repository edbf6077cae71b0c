// Drives rows through one running program: saves, waits for ipbp's verdict, asks the program, compares. Owns how a row
// is judged; what the rows are comes from outside.
import { isDeepStrictEqual } from 'node:util';
import { type PatchedEvent, type ReadyEvent, type SessionEvent } from '../../src/host/events.js';
import { type Program, type Project, type SaveStyle, copyProgram, save } from './program.js';
import { type Check, type Row, type Verdict } from './row.js';
import { type Session, startSession } from './session.js';
import { StateWatch } from './state.js';
import { Traffic, type TrafficSummary } from './traffic.js';

/** How the program is built. */
export interface Configuration {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly cargoArguments: readonly string[];
  /** True where functions are compiled one by one, so that a row may name what a patch holds. */
  readonly unoptimised: boolean;
}

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
}

type Outcome = Extract<SessionEvent, { event: Verdict }>;

/** The longest that ipbp may take over one row: a first use of a library recompiles everything. */
const ROW_LIMIT_MS = 240_000;

function isOutcome(event: SessionEvent): event is Outcome {
  switch (event.event) {
    case 'patched':
    case 'unchanged':
    case 'refused':
    case 'compile-error':
    case 'undone':
      return true;
    case 'ready':
    case 'change':
    case 'compiled':
    case 'confirmed':
    case 'restarted':
    case 'note':
    case 'exit':
      return false;
  }
}

/** False while a patch that went live early is neither confirmed nor taken back. */
function isSettled(events: readonly SessionEvent[]): boolean {
  const early = events.findLastIndex((event) => event.event === 'patched' && event.confirmed === false);
  return early < 0 || events.slice(early).some(({ event }) => event === 'confirmed' || event === 'undone');
}

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

  constructor(
    private readonly project: Project,
    private readonly session: Session,
    private readonly ready: ReadyEvent,
    private readonly configuration: Configuration,
    private readonly state: StateWatch,
    private readonly traffic: Traffic,
    private readonly chance: () => number,
  ) {
    this.current = new Map(project.files);
  }

  /** Does one row. Never throws: what goes wrong is in the result. */
  async row(row: Row): Promise<RowResult> {
    const failures: string[] = [];
    const note = (problems: readonly string[]): void => void failures.push(...problems);
    let outcomes: readonly Outcome[] = [];
    const saved = new Map(this.current);
    try {
      note(await this.ask(row.before ?? [], 'before: '));
      const threads = await this.state.threads();
      const failedRequests = this.traffic.summary.failed;
      outcomes = await this.act(row);
      note(this.judge(row, outcomes));
      if (!this.mayWarnInstead(row, outcomes)) note(await this.ask(row.after, ''));
      note(await this.state.check());
      if (row.threads !== undefined) note(this.compareThreads(row.threads, threads, await this.state.threads()));
      const newly = this.traffic.summary.failed - failedRequests;
      if (newly > 0) note([`${newly} requests failed: ${this.traffic.summary.failures.join('; ')}`]);
    } catch (error) {
      note([error instanceof Error ? error.message : String(error)]);
    }
    // What was not taken must not make every later row fail too.
    if (failures.length > 0 && this.session.end === undefined) await this.putBack(saved);
    return this.result(row, outcomes, failures);
  }

  /** Ends everything. */
  async close(): Promise<Pick<RunResult, 'traffic' | 'indexMs' | 'functions'>> {
    const traffic = await this.traffic.stop();
    await this.session.stop();
    return { traffic, indexMs: this.ready.indexMs, functions: this.ready.functions };
  }

  private async act(row: Row): Promise<readonly Outcome[]> {
    const from = this.session.events.length;
    const { action } = row;
    switch (action.kind) {
      case 'edit': {
        const old = this.current.get(action.edit.file);
        if (old === undefined) throw new Error(`no source ${action.edit.file}`);
        await this.saveAs(action.edit.file, action.edit.apply(old));
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

  /** All verdicts from index `from` on, once no change is left without one. */
  private async outcomes(from: number): Promise<readonly Outcome[]> {
    await this.session.waitFor(isOutcome, from, ROW_LIMIT_MS);
    for (;;) {
      const seen = this.session.events.length;
      await new Promise((done) => setTimeout(done, 120));
      const events = this.session.events.slice(from);
      const last = events.findLastIndex((event) => event.event === 'change' || isOutcome(event));
      if (events[last]?.event === 'change') await this.session.waitFor(isOutcome, from + last, ROW_LIMIT_MS);
      else if (this.session.events.length === seen && isSettled(events)) return events.filter(isOutcome);
    }
  }

  private judge(row: Row, outcomes: readonly Outcome[]): string[] {
    const verdict = strongest(outcomes);
    const problems: string[] = [];
    if (verdict === 'none' || !row.expect.includes(verdict)) {
      const told = outcomes.map((outcome) => tell(outcome)).join('; ');
      problems.push(`verdict ${verdict}, expected ${row.expect.join(' or ')} (${told})`);
    }
    if (row.says !== undefined && !outcomes.some((outcome) => row.says?.test(tell(outcome)))) {
      problems.push(`said ${outcomes.map(tell).join('; ')}, expected ${row.says}`);
    }
    if (!this.configuration.unoptimised) return problems;
    const patches = outcomes.filter((outcome) => outcome.event === 'patched');
    const functions = patches.flatMap((patch) => patch.functions);
    const data = patches.flatMap((patch) => patch.data);
    for (const [name, wanted] of Object.entries(row.functions ?? {})) {
      if (!functions.some((item) => item.name.endsWith(name) && item.verdict === wanted)) {
        problems.push(`${name} is not ${wanted}: ${list(functions)}`);
      }
    }
    const names = Object.keys(row.functions ?? {});
    if (row.only === true && !functions.every((item) => names.some((name) => item.name.endsWith(name)))) {
      problems.push(`more than ${names.join(', ')} patched: ${list(functions)}`);
    }
    for (const name of row.untouched ?? []) {
      if (functions.some((item) => item.name.endsWith(name))) problems.push(`${name} was patched for nothing`);
    }
    for (const [name, wanted] of Object.entries(row.data ?? {})) {
      if (!data.some((item) => item.name.endsWith(name) && item.verdict === wanted)) {
        problems.push(`${name} is not ${wanted}: ${list(data)}`);
      }
    }
    return problems;
  }

  private mayWarnInstead(row: Row, outcomes: readonly Outcome[]): boolean {
    const warned = outcomes.some((outcome) => outcome.event === 'patched' && outcome.warnings.length > 0);
    return row.inLoop === true && !this.configuration.unoptimised && warned;
  }

  private async ask(checks: readonly Check[], prefix: string): Promise<string[]> {
    const problems: string[] = [];
    for (const check of checks) {
      const deadline = performance.now() + (check.within ?? 0);
      let answer = await this.session.ask(check.ask);
      while (!fits(check.answer, answer) && performance.now() < deadline) {
        await new Promise((done) => setTimeout(done, 10));
        answer = await this.session.ask(check.ask);
      }
      if (!fits(check.answer, answer)) {
        problems.push(`${prefix}${check.ask} answered ${JSON.stringify(answer)}, expected ${String(check.answer)}`);
      }
    }
    return problems;
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

/** Of several verdicts on one row, the one that counts. */
function strongest(outcomes: readonly Outcome[]): Verdict | 'none' {
  const order: readonly Verdict[] = ['refused', 'compile-error', 'undone', 'patched', 'unchanged'];
  return order.find((verdict) => outcomes.some((outcome) => outcome.event === verdict)) ?? 'none';
}

function tell(outcome: Outcome): string {
  switch (outcome.event) {
    case 'refused':
      return outcome.items.map((item) => `${item.code} ${item.name}: ${item.message}`).join('; ');
    case 'compile-error':
      return outcome.rendered;
    case 'unchanged':
      return outcome.reason;
    case 'patched':
      return `patch ${outcome.patch}`;
    case 'undone':
      return `patch ${outcome.patch} undone, now ${outcome.now}`;
  }
}

function list(items: readonly { readonly name: string; readonly verdict: string }[]): string {
  const shown = items.slice(0, 12).map((item) => `${item.name} ${item.verdict}`);
  return `[${shown.join(', ')}${items.length > shown.length ? `, … ${items.length} in all` : ''}]`;
}

function fits(wanted: string | RegExp, answer: string): boolean {
  return typeof wanted === 'string' ? wanted === answer : wanted.test(answer);
}

/** Copies, builds and starts a program under ipbp. */
export async function openRun(
  program: Program,
  configuration: Configuration,
  purpose: string,
  seed: number,
): Promise<Run> {
  const project = await copyProgram(program, purpose);
  const { session, ready } = await startSession({ directory: project.directory, ...configuration });
  const state = new StateWatch(session, ready.pid);
  const traffic = new Traffic(session, program.traffic);
  traffic.start();
  return new Run(project, session, ready, configuration, state, traffic, random(seed));
}

/** Drives all rows through one process. Rows after the program's end count as failed. */
export async function driveRows(
  program: Program,
  configuration: Configuration,
  rows: readonly Row[],
  seed: number,
  onRow: (result: RowResult) => void,
): Promise<RunResult> {
  const run = await openRun(program, configuration, `matrix-${configuration.name}`, seed);
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
  return { program: program.name, configuration: configuration.name, rows: results, ...(await run.close()) };
}
