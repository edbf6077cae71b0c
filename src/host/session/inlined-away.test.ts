// What is told of edited functions that the compiler inlined.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PatchedEvent, Untimed } from '../events.js';
import { inlinedAway, tellInlined } from './inlined-away.js';

const redirected = (name: string) => ({ name, verdict: 'redirected' }) as const;

test('a function that nothing of the patch is called after was inlined into what changed with it', () => {
  assert.equal(inlinedAway(['tick', 'turn'], [redirected('app::clock::turn'), redirected('app::main')]), [
    {
      name: 'tick',
      verdict: 'inlined',
      reason: 'it has no code of its own in this program: patched with what holds it, app::main',
    },
  ]);
});

test('closures, instances and methods are the function itself', () => {
  for (const name of ['app::tick::{{closure}}', 'app::tick<u32>', '<app::Flat as app::Offer>::tick', 'tick']) {
    assert.equal(inlinedAway(['tick'], [redirected(name), redirected('app::main')]), []);
  }
});

test('with new functions alone nobody is known to hold it', () => {
  assert.equal(inlinedAway(['tick'], [{ name: 'app::new', verdict: 'added' }]), []);
});

const EVENT: Untimed<PatchedEvent> = {
  event: 'patched',
  patch: 1,
  functions: [redirected('app::main')],
  data: [],
  bytes: 0,
  ms: { scan: 0, diff: 0, link: 0, apply: 0, total: 0 },
  sinceSaveMs: 0,
  warnings: [],
};

/** Edits `tick` step by step; what is told of each. */
function edits(whole: boolean, ...told: readonly (readonly Untimed[])[]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'ipbp-inlined-'));
  try {
    const file = join(folder, 'main.rs');
    const write = (number: number): void => writeFileSync(file, `fn tick() -> u32 { ${number} } fn main() { tick(); }`);
    const seen: Untimed[] = [];
    const teller = tellInlined((event) => void seen.push(event), whole);
    write(0);
    teller.follow([file]);
    return told.map((events, index) => {
      seen.length = 0;
      write(index + 1);
      teller.begin([file]);
      for (const event of events) teller.emit(event);
      teller.end();
      return seen.map((event) =>
        event.event === 'patched' ? event.functions.map(({ verdict }) => verdict).join() : event.event,
      );
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('it is told with the patch, each time', () => {
  assert.equal(edits(true, [EVENT], [EVENT]), [['redirected,inlined'], ['redirected,inlined']]);
});

test('where several crates bring a patch each, once all is told', () => {
  const own: Untimed<PatchedEvent> = { ...EVENT, functions: [redirected('lib::tick')] };
  assert.equal(edits(false, [EVENT], [EVENT, own]), [
    ['redirected', 'note'],
    ['redirected', 'redirected'],
  ]);
});

test('what was not taken is still to be told', () => {
  assert.equal(edits(true, [], [{ ...EVENT, functions: [redirected('app::other')] }]), [[], ['redirected,inlined']]);
});

test.run();
