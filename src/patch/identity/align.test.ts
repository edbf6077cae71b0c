// Lists of known things, edited: every one that is still there is found again, and none becomes another.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { align, type Alignment } from './align.js';

interface Thing {
  readonly id: number;
  readonly content: string;
  readonly kind: string;
}

function alignThings(before: readonly Thing[], after: readonly Thing[]): Alignment {
  return align(before.length, after.length, {
    fits: (old, now) => before[old]?.kind === after[now]?.kind,
    before: (index) => before[index]?.content ?? null,
    after: (index) => after[index]?.content ?? null,
    alike: (old, now) => common(before[old]?.content ?? '', after[now]?.content ?? ''),
  });
}

/** How much of two texts is equal at equal places. */
function common(a: string, b: string): number {
  const same = [...a].filter((character, at) => b[at] === character).length;
  return same / Math.max(a.length, b.length, 1);
}

function things(contents: readonly string[]): Thing[] {
  return contents.map((content, id) => ({ id, content, kind: 'one' }));
}

/** For each new thing the old content, or null. */
function found(before: readonly string[], after: readonly string[]): (string | null)[] {
  return alignThings(things(before), things(after)).pairs.map((pair) =>
    pair === null ? null : (before[pair] ?? null),
  );
}

const contents = fc.uniqueArray(fc.string({ minLength: 3, maxLength: 12 }), { minLength: 1, maxLength: 12 });

test('contents that each side has once are found wherever they went', () => {
  const edits = contents.chain((all) =>
    fc.record({
      before: fc.shuffledSubarray(all, { minLength: 0 }),
      after: fc.shuffledSubarray(all, { minLength: 0 }),
    }),
  );
  fc.assert(
    fc.property(edits, ({ before, after }) => {
      const result = found(before, after);
      after.forEach((content, at) => {
        if (before.includes(content)) assert.is(result[at], content);
      });
    }),
  );
});

test('no old thing becomes two, and pairs fit', () => {
  const thing = fc.record({
    id: fc.nat(5),
    content: fc.constantFrom('aaa', 'aab', 'bbb'),
    kind: fc.constantFrom('x', 'y'),
  });
  fc.assert(
    fc.property(fc.array(thing, { maxLength: 10 }), fc.array(thing, { maxLength: 10 }), (before, after) => {
      const { pairs, ambiguous } = alignThings(before, after);
      assert.is(pairs.length, after.length);
      const used = pairs.filter((pair) => pair !== null);
      assert.is(new Set(used).size, used.length);
      pairs.forEach((pair, now) => {
        if (pair !== null) assert.is(before[pair]?.kind, after[now]?.kind);
      });
      for (const one of ambiguous) assert.is(pairs[one.after], null);
    }),
  );
});

test('insertions and deletions between equal things: those stay what they were', () => {
  const edit = fc.record({
    all: contents,
    gone: fc.array(fc.nat(11)),
    come: fc.array(fc.record({ at: fc.nat(11), content: fc.string({ minLength: 13, maxLength: 16 }) }), {
      maxLength: 4,
    }),
  });
  fc.assert(
    fc.property(edit, ({ all, gone, come }) => {
      const after = all.filter((_, at) => !gone.includes(at));
      for (const { at, content } of come) after.splice(Math.min(at, after.length), 0, content);
      const result = found(all, after);
      after.forEach((content, at) => {
        if (all.includes(content)) assert.is(result[at], content);
      });
    }),
  );
});

test('one that is edited at its place is the same one', () => {
  fc.assert(
    fc.property(contents, fc.nat(11), fc.string({ minLength: 13, maxLength: 16 }), (all, at, content) => {
      const place = at % all.length;
      const after = all.map((one, index) => (index === place ? content : one));
      assert.equal(found(all, after), all);
    }),
  );
});

test('one that comes before an edited one: the likelier is the old one', () => {
  assert.equal(found(['count + 1'], ['something else', 'count + 2']), [null, 'count + 1']);
  assert.equal(found(['count + 1'], ['count + 2', 'something else']), ['count + 1', null]);
});

test('where two are as likely, none is taken, and it is said', () => {
  const { pairs, ambiguous } = alignThings(things(['abc']), things(['abx', 'aby']));
  assert.equal(pairs, [null, null]);
  assert.is(ambiguous.length, 1);
});

test('equal contents keep their order', () => {
  assert.equal(alignThings(things(['a', 'a']), things(['b', 'a', 'a'])).pairs, [null, 0, 1]);
});

test('a type that changed is no pair, and the others are not drawn along', () => {
  const before = [
    { id: 0, content: 'one', kind: 'x' },
    { id: 1, content: 'two', kind: 'x' },
  ];
  const after = [
    { id: 0, content: 'one', kind: 'y' },
    { id: 1, content: 'two', kind: 'x' },
  ];
  assert.equal(alignThings(before, after).pairs, [null, 1]);
});

test.run();
