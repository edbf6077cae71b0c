// A project of some shape under `ipbp run`: it is built, started, edited, and must say the new words in the same
// process. The shapes themselves are in the tests beside.
import { chmodSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { SessionEvent } from '../../src/host/events.js';
import { cargoFixture, type CargoFixture } from '../cargo-fixture.js';
import { eventOf, startTalker, type Talker } from '../talker.js';

/** A function that gives the word; its literal is what tests edit. */
export const WORD = `#[inline(never)]
pub fn word() -> String {
    String::from("hello")
}
`;

/** A program that says what `expression` gives, with its pid and a count, a hundred times a second. */
export function speaker(expression: string, rest = ''): string {
  return `${rest}
fn main() {
    for count in 0u64.. {
        println!("{} {count} {}", std::process::id(), ${expression});
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
`;
}

/** What is replaced in one file, and what becomes of it. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** What the program says afterwards. */
  readonly says: string;
  /** The event that must come; `patched` when not given. */
  readonly verdict?: SessionEvent['event'];
  /** Of the first refused item. */
  readonly code?: string;
}

export interface Shape {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** Files that are scripts. */
  readonly executable?: readonly string[];
  /** cargo's arguments, and behind `--` the program's. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What the program says at first. */
  readonly says?: string;
  readonly edits: readonly Edit[];
}

/** Edits one file of a project and waits for the verdict, which must be the expected one. */
export async function edit(
  fixture: CargoFixture,
  talker: Talker,
  { file, from, to, says, verdict = 'patched', code }: Edit,
): Promise<void> {
  const text = fixture.read(file);
  assert.ok(text.includes(from), `${file} holds ${from}`);
  const since = talker.session.events.length;
  const event: SessionEvent = await talker.save(fixture, text.replaceAll(from, to), verdict, file);
  if (event.event === 'refused' && code !== undefined) assert.is(event.items[0]?.code, code, JSON.stringify(event));
  await talker.says(says);
  // What is saved before all is compiled would belong to this change.
  if (event.event === 'patched' && event.confirmed === false) await eventOf(talker, since, 'confirmed');
}

/** Runs a project of this shape through its edits; the process must stay the same. */
export async function runShape(
  shape: Shape,
  check: (events: readonly SessionEvent[]) => void = () => undefined,
): Promise<void> {
  const fixture = cargoFixture(shape.files);
  for (const file of shape.executable ?? []) chmodSync(fixture.path(file), 0o755);
  const talker = startTalker(fixture.root, shape.args, shape.environment);
  try {
    await talker.ready();
    const { pid } = await talker.says(shape.says ?? 'hello');
    for (const one of shape.edits) await edit(fixture, talker, one);
    assert.is((await talker.line()).pid, pid);
    check(talker.session.events);
  } finally {
    await talker.session.stop();
    fixture.remove();
  }
}
