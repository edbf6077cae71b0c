// Edits that names alone would get wrong, one on top of the other, and what the running program must say after each.
import * as assert from 'uvu/assert';
import type { PatchedEvent } from '../../src/host/events.js';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { startTalker, type Talker } from '../talker.js';
import { heldSource, type Parts } from './program.js';

/** One edit: what is added to those before it, and the program's words from then on. */
interface Step {
  readonly what: string;
  readonly parts: Parts;
  readonly says: string;
  /** Verdicts that the patch must have, by the start of a function's name. */
  readonly verdicts?: Readonly<Record<string, string>>;
}

const BEFORE = '12,22 a1b2 - 101/101 ab';

const STEPS: readonly Step[] = [
  {
    what: 'a closure before two that are stored, one of which is edited',
    parts: {
      insertedClosure: 'stored.push(Box::new(|x| x * 7 + 1000));',
      secondClosure: '|x| x + k + 21',
    },
    says: '12,23 a1b2 - 101/101 ab',
  },
  {
    what: 'an event before two others',
    parts: { insertedEvent: 'event!(text, "n");' },
    says: '12,23 n3a1b2 - 101/101 ab',
  },
  {
    what: 'a local across an await, with a future in flight',
    parts: { held: 'let big = [n; 8];', result: 'big.iter().sum::<u32>() + n * 10', futures: 2 },
    says: '12,23 n3a1b2 -,- 101/101 ab',
    verdicts: { 'app::work': 'forked', 'app::outer': 'forked' },
  },
  {
    what: 'a signature, with a caller still on the stack',
    parts: { signature: 'fn sum(x: u64, y: u64) -> u32 { (x + y) as u32 + 200 }', call: 'sum(1, 2)' },
    says: '12,23 n3a1b2 -,- 101/203 ab',
  },
  {
    what: 'the body behind the new signature',
    parts: { signature: 'fn sum(x: u64, y: u64) -> u32 { (x + y) as u32 + 300 }' },
    says: '12,23 n3a1b2 -,- 101/303 ab',
  },
  {
    what: 'an impl block before others, and a body behind a vtable',
    parts: {
      insertedImpl:
        'struct C; impl Speak for C { fn speak(&self) -> String { "c".into() } }\nimpl C { fn new() -> C { C } }',
      says: '"B"',
    },
    says: '12,23 n3a1b2 -,- 101/303 aB',
  },
];

const LAST: readonly Step[] = [
  {
    what: 'the function that stores runs again: its closures are the new ones',
    parts: { closures: 5 },
    says: '12,23,1007,12,23 n3a1b2 -,- 101/303 aB',
  },
  {
    what: 'another closure before them all, after undo and redo',
    parts: { insertedClosure: 'stored.push(Box::new(|_| 5)); stored.push(Box::new(|x| x * 7 + 2000));' },
    says: '12,23,2007,12,23 n3a1b2 -,- 101/303 aB',
  },
  {
    what: 'old futures end by their old code, new ones by the new',
    parts: { released: true },
    says: '12,23,2007,12,23 n3a1b2 11,37 101/303 aB',
  },
];

export interface Running {
  readonly fixture: CargoFixture;
  readonly talker: Talker;
}

/** Starts the program, compiled with these flags. */
export async function startHeld(rustflags: readonly string[]): Promise<Running> {
  const fixture = cargoFixture({
    'Cargo.toml': manifest('app'),
    '.cargo/config.toml': `[build]\nrustflags = ${JSON.stringify(rustflags)}\n`,
    'src/main.rs': heldSource(),
  });
  const talker = startTalker(fixture.root);
  await talker.ready();
  await talker.says(BEFORE);
  return { fixture, talker };
}

/** Makes all edits, goes back to the program as it was, forth again, and on. */
export async function editAll({ fixture, talker }: Running): Promise<void> {
  const { session } = await talker.ready();
  const { pid } = await talker.says(BEFORE);
  let parts: Parts = {};
  const edit = async (step: Step): Promise<void> => {
    parts = { ...parts, ...step.parts };
    const patched = await talker.save(fixture, heldSource(parts), 'patched');
    try {
      assert.is((await talker.says(step.says)).pid, pid, step.what);
    } catch (error) {
      throw new Error(`${step.what}: ${JSON.stringify(patched.functions)} ${JSON.stringify(patched.warnings)}`, {
        cause: error,
      });
    }
    checkVerdicts(patched, step);
  };
  for (const step of STEPS) await edit(step);
  await talker.session.command(['undo', String(STEPS.length)], session);
  // Jobs that were started stay; what was registered stays registered.
  await talker.says('12,22 a1b2 -,- 101/101 ab');
  await talker.session.command(['redo', String(STEPS.length)], session);
  await talker.says(STEPS.at(-1)?.says ?? '');
  for (const step of LAST) await edit(step);
}

function checkVerdicts({ functions }: PatchedEvent, { what, verdicts = {} }: Step): void {
  for (const [name, verdict] of Object.entries(verdicts)) {
    const found = functions.filter((one) => one.name.startsWith(name));
    assert.is.not(found.length, 0, `${what}: ${name} is not in ${JSON.stringify(functions)}`);
    for (const one of found) assert.is(one.verdict, verdict, `${what}: ${JSON.stringify(one)}`);
  }
}
