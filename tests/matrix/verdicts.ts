// What ipbp's events say of one row, and whether that is what the row wants. Pure.
import { type SessionEvent } from '../../src/host/events.js';
import { type Row, type Verdict } from './row.js';

/** Events that end a change or a command. */
export type Outcome = Extract<SessionEvent, { event: Exclude<Verdict, 'restarted'> }>;

export function isOutcome(event: SessionEvent): event is Outcome {
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
    case 'page':
    case 'note':
    case 'exit':
      return false;
  }
}

/** False while a patch that went live early is neither confirmed nor taken back. */
export function isSettled(events: readonly SessionEvent[]): boolean {
  const early = events.findLastIndex((event) => event.event === 'patched' && event.confirmed === false);
  return early < 0 || events.slice(early).some(({ event }) => event === 'confirmed' || event === 'undone');
}

/** Of several verdicts on one row, the one that counts. */
export function strongest(outcomes: readonly Outcome[]): Verdict | 'none' {
  const verdicts = outcomes.map(verdictOf);
  const order: readonly Verdict[] = ['restarted', 'refused', 'compile-error', 'undone', 'patched', 'unchanged'];
  return order.find((verdict) => verdicts.includes(verdict)) ?? 'none';
}

function verdictOf(outcome: Outcome): Verdict {
  return outcome.event === 'refused' && outcome.restarting ? 'restarted' : outcome.event;
}

/** What is wrong with the verdicts on a row, in words. */
export function judge(row: Row, outcomes: readonly Outcome[], unoptimised: boolean): string[] {
  const verdict = strongest(outcomes);
  const problems: string[] = [];
  if (verdict === 'none' || !row.expect.includes(verdict)) {
    const told = outcomes.map((outcome) => tell(outcome)).join('; ');
    problems.push(`verdict ${verdict}, expected ${row.expect.join(' or ')} (${told})`);
  }
  if (row.says !== undefined && !outcomes.some((outcome) => row.says?.test(tell(outcome)))) {
    problems.push(`said ${outcomes.map(tell).join('; ')}, expected ${row.says}`);
  }
  return unoptimised && verdict === 'patched' ? [...problems, ...judgeItems(row, outcomes)] : problems;
}

function judgeItems(row: Row, outcomes: readonly Outcome[]): string[] {
  const problems: string[] = [];
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

function tell(outcome: Outcome): string {
  switch (outcome.event) {
    case 'refused':
      return outcome.items
        .map((item) => `${item.code} ${item.name}: ${item.message} (${item.because.join('; ')})`)
        .join('; ');
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
