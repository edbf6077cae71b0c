// The edit matrix for modules as uvu tests: every row goes live in all instances of the program at once, as patches of one
// session; they must answer alike, and what they counted before must still be there.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { patchedItems } from '../../src/host/events.js';
import { onceIn } from '../matrix/edits.js';
import type { Check, Row } from '../matrix/row.js';
import { type Outcome, judge } from '../matrix/verdicts.js';
import type { DeskBuild, DeskOutcome } from './desk-module.js';
import { MODULE_ROWS, WORKSHOP } from './desk-rows.js';
import { type RunningDesk, startDesk } from './desk-running.js';

async function wrongAnswers(running: RunningDesk, checks: readonly Check[], prefix: string): Promise<string[]> {
  const problems: string[] = [];
  for (const { ask: path, answer } of checks) {
    const fits = (got: string): boolean => (typeof answer === 'string' ? got === answer : answer.test(got));
    const answers = await running.ask(path.replace('/ask/', ''));
    if (!answers.every(fits)) problems.push(`${prefix}${path}: ${JSON.stringify(answers)}, expected ${String(answer)}`);
  }
  return problems;
}

function asEvent(outcome: DeskOutcome): Outcome {
  const at = 0;
  switch (outcome.kind) {
    case 'patch': {
      const { patch } = outcome.patch;
      const ms = { scan: 0, diff: 0, link: 0, apply: 0, total: 0 };
      const items = patchedItems(outcome.items);
      return {
        event: 'patched',
        at,
        patch,
        ...items,
        bytes: outcome.bytes.length,
        ms,
        sinceSaveMs: null,
        warnings: [],
      };
    }
    case 'unchanged':
      return { event: 'unchanged', at, reason: outcome.reason };
    case 'refused':
      return { event: 'refused', at, items: outcome.items, restarting: false };
    case 'compile-error':
      return { event: 'compile-error', at, rendered: outcome.rendered };
  }
}

/** What is wrong with a row. */
async function play(running: RunningDesk, row: Row, unoptimised: boolean): Promise<readonly string[]> {
  const { module, host } = running;
  const problems = await wrongAnswers(running, row.before ?? [], 'before: ');
  const counted = (await running.ask('count')).map(countsOf);
  const { action } = row;
  if (action.kind === 'command') {
    const [command, times] = action.args;
    for (let left = Number(times); left > 0; left--) {
      module[command]();
      const results = await host[command]();
      problems.push(...results.flatMap(({ error }) => (error === null ? [] : [`${command}: ${error.message}`])));
    }
  } else {
    const outcome = module.edit(action);
    problems.push(...judge(row, [asEvent(outcome)], unoptimised));
    if (outcome.kind === 'patch') {
      const results = await host.add(outcome.patch, outcome.bytes);
      problems.push(...results.flatMap(({ error }) => (error === null ? [] : [`${error.code}: ${error.message}`])));
      if (results.length !== running.instances.length) problems.push(`${results.length} instances answered`);
    }
  }
  problems.push(...(await wrongAnswers(running, row.after, '')));
  const now = (await running.ask('count')).map(countsOf);
  const kept = now.every((counts, at) => counts.every((count, counter) => count === (counted[at]?.[counter] ?? 0) + 1));
  return kept ? problems : [...problems, `counters went from ${JSON.stringify(counted)} to ${JSON.stringify(now)}`];
}

/** What is there after some time. */
async function until<T>(look: () => T | null): Promise<T> {
  for (let left = 500; left > 0; left--) {
    const found = look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come');
}

/** The five counters in the answer to `count`. */
function countsOf(text: string): number[] {
  return [...text.matchAll(/=(\d+)/g)].map(([, digits]) => Number(digits));
}

/** Declares and runs the tests of one build: every row depends on those before it. */
export function testEdits(name: string, build: DeskBuild, rows: readonly Row[] = MODULE_ROWS): void {
  const test = suite(name);
  let running: RunningDesk | undefined;
  let addresses: readonly string[] = [];
  test.before(async () => {
    running = await startDesk(build);
    addresses = await running.ask('addresses');
  });
  for (const row of rows) {
    test(`${row.id}: ${row.name}`, async () => {
      assert.ok(running, 'the program runs');
      assert.equal(await play(running, row, build.profile === 'dev'), []);
    });
  }
  test('statics are where they were, no page was loaded anew, nothing trapped', async () => {
    assert.ok(running, 'the program runs');
    assert.equal(await running.ask('addresses'), addresses);
    if (running.page !== null) assert.equal([running.page.loads(), running.page.console], [1, []]);
    const bad = running.events.filter(({ event }) => event === 'trapped' || event === 'rejected');
    assert.equal(bad, []);
  });
  test('a panic in a patch is a trap that names patch and function; the program goes on, and takes the repair', async () => {
    assert.ok(running, 'the program runs');
    const { module, host, events } = running;
    const edited = (...pair: readonly [string, string]): DeskOutcome =>
      module.edit({ kind: 'edit', edits: [onceIn(WORKSHOP, pair)] });
    const state = async (): Promise<unknown> => [
      await Promise.all((running?.instances ?? []).map((each) => each.stackPointer())),
      await running?.ask('greeting'),
    ];
    const before = await state();
    const panics = edited('format!("{minutes} minutes")', 'panic!("{minutes} minutes late")');
    assert.ok(panics.kind === 'patch', JSON.stringify(panics));
    await host.add(panics.patch, panics.bytes);
    for (const each of running.instances) {
      const failed = await each.ask('late').catch((error: unknown) => String(error));
      assert.match(failed, /unreachable/);
    }
    const trapped = await until(() => {
      const found = events.flatMap((event) => (event.event === 'trapped' ? [event] : []));
      return found.length === running?.instances.length ? found : null;
    });
    for (const { trap } of trapped) {
      assert.is(trap.patch, panics.patch.patch);
      assert.match(trap.function, build.profile === 'dev' ? /^order_desk::workshop::late$/ : /^order_desk::/);
      assert.match(trap.stack, /workshop/);
    }
    assert.equal(await state(), before);
    const repaired = edited('panic!("{minutes} minutes late")', 'format!("{minutes} late")');
    assert.ok(repaired.kind === 'patch', JSON.stringify(repaired));
    await host.add(repaired.patch, repaired.bytes);
    const answers = await running.ask('late');
    assert.ok(answers.every((answer) => answer === '7 late'));
    assert.ok(running.page === null || running.page.loads() === 1);
  });
  test.after(() => running?.close());
  test.run();
}
