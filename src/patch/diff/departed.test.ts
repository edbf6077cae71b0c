// What goes and comes back, on objects that rustc made: as it went it is no change; with another body, or where what it
// reads became another meanwhile, it is one.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from './compile.test-support.js';
import { NONE_DEPARTED, withDeparted, type Departed } from './departed.js';
import { diffObjects, type ObjectDiff } from './diff.js';

const PROGRAM = compileProgram(
  `use std::hint::black_box;
struct Card(u32);
static CARDS: [Card; 2] = [Card(11), Card(12)];
mod far { pub static TABLE: [u64; 2] = [7, 8]; }
#[inline(never)]
fn short() -> u32 { 1 }
#[inline(never)]
fn reads(at: usize) -> u32 { CARDS[at].0 + short() }
fn same<T: Copy>(value: T) -> T { black_box(value) }
fn main() {
    let taken = vec![reads(black_box(1)), same(5u32)];
    /* here */
    println!("{taken:?} {}", far::TABLE[black_box(1)]);
}
`,
  ['-Cdebuginfo=2'],
);

const WITHOUT = ['vec![reads(black_box(1)), same(5u32)]', 'vec![black_box(1u32)]'] as const;
const gone = PROGRAM.edited([WITHOUT]);

const added = ({ items }: ObjectDiff): readonly string[] =>
  items.flatMap(({ change, demangled }) => (change === 'added' ? [demangled] : []));
const named = (items: readonly { readonly demangled: string }[], name: string): boolean =>
  items.some(({ demangled }) => demangled.endsWith(name));

function departedBy(diff: ObjectDiff, departed: Departed = NONE_DEPARTED, moved: readonly string[] = []): Departed {
  return withDeparted(departed, diff.items, diff.back, new Set(moved), () => true);
}

test('what comes back as it went is no item', () => {
  const away = diffObjects(gone.before, gone.after);
  assert.ok(['reads', 'short', 'same'].every((name) => named(away.items, name)));
  assert.ok(
    added(diffObjects(gone.after, gone.before)).some((name) => name.endsWith('reads')),
    'without memory it is new',
  );
  const departed = departedBy(away);
  const back = diffObjects(gone.after, gone.before, () => [], departed);
  assert.not(['reads', 'short', 'same'].some((name) => named(back.items, name)));
  assert.ok(back.items.some(({ demangled, change }) => demangled.endsWith('main') && change === 'body'));
  assert.ok(back.back.size >= 3);
  const left = [...departedBy(back, departed).keys()];
  assert.not(
    left.some((name) => back.back.has(name)),
    'it is in the objects again',
  );
});

test('only what the program has is remembered', () => {
  const away = diffObjects(gone.before, gone.after);
  assert.is(withDeparted(NONE_DEPARTED, away.items, away.back, new Set(), () => false).size, 0);
});

test('another body is a change', () => {
  const departed = departedBy(diffObjects(gone.before, gone.after));
  const other = PROGRAM.edited([['fn short() -> u32 { 1 }', 'fn short() -> u32 { 2 }']]);
  const names = new Set(other.after.map(({ name }) => name));
  const now = [...other.after, ...gone.before.filter(({ name }) => !names.has(name))];
  const back = diffObjects(gone.after, now, () => [], departed);
  assert.equal(
    added(back).map((name) => name.slice(name.lastIndexOf('::') + 2)),
    ['short'],
  );
});

test('what read something that became another, or has another place, is new again', () => {
  const away = diffObjects(gone.before, gone.after);
  const departed = departedBy(away);
  const nameOf = (end: string): string => [...departed.keys()].find((name) => name.includes(end)) ?? '';
  const reads = nameOf('5reads17h');
  assert.not(reads === '');
  const otherTable = PROGRAM.edited([['Card(11)', 'Card(13)']]);
  const changed = diffObjects(otherTable.before, otherTable.after);
  assert.ok(named(changed.items, 'CARDS'));
  assert.not(departedBy(changed, departed).has(reads));
  const elsewhere = PROGRAM.edited([['7, 8', '7, 9']]);
  assert.ok(departedBy(diffObjects(elsewhere.before, elsewhere.after), departed).has(reads));
  assert.not(departedBy({ ...changed, items: [] }, departed, [nameOf('5short17h')]).has(reads));
});

test.run();
