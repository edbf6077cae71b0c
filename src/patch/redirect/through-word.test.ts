// Jumps through a word: a byte longer than those that lead straight to a patch.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { X86_64_ENTRY as jumps, X86_64_ENTRY_THROUGH_WORD as throughWord } from '../../reloc/x86-64/entry.js';
import { planRedirect, planRetarget, type RedirectPlan } from './redirect.js';
import { code, summary, world, type World } from './redirect.test-support.js';

test('a jump through a word has six bytes, and only its word changes afterwards', () => {
  const body = code('55 48 89 e5 5d c3');
  const around = world(0x100, 0xcc, [
    [0x40, body],
    [0x80, body],
  ]);
  const word = -0x1000;
  const request = { entry: 0x40, body, target: word, jumps: throughWord, padding: around.padding, read: around.read };
  const result = planRedirect(request);
  if (result.kind !== 'cells') throw new Error(result.reason);
  assert.is(throughWord.wordOf(result.cells[0]?.newBytes ?? body, 0x40, around.read), word);
  const again = planRetarget({
    entry: 0x40,
    target: -0x2000,
    jumps: throughWord,
    padding: result.padding,
    live: result.cells,
    read: around.read,
  });
  assert.equal(again, { kind: 'word', at: word });
});

test('where an entry has room for five bytes only, the jump through a word stands in padding, or nowhere', () => {
  const word = -0x1000;
  for (const [digits, end] of [
    ['e8 00 10 00 00 c3', 'a call in it returns to its byte 5'],
    ['b8 01 00 00 00 ff c8 75 fc c3', 'a branch may lead to its byte 5'],
    ['e9 00 10 00 00', 'it has 5 bytes and no padding behind it'],
  ] as const) {
    const body = code(digits);
    const around = (padding: number): World =>
      world(0x200, 0xcc, [
        [0x40, new Uint8Array(0x40 - padding).fill(0x90)],
        [0x80, body],
        [0x80 + body.length, new Uint8Array(0x100).fill(0x90)],
      ]);
    const planned = (padding: number, form: typeof jumps): RedirectPlan => {
      const { padding: map, read } = around(padding);
      return planRedirect({ entry: 0x80, body, target: word, jumps: form, padding: map, read });
    };
    assert.is(summary(planned(0, jumps)), 'long');
    assert.is(summary(planned(5, throughWord)), `${end}, and no free padding is in reach of a short jump`);
    const placed = planned(6, throughWord);
    assert.is(summary(placed), 'short at 7a');
    const [far, near] = placed.kind === 'cells' ? placed.cells : [];
    assert.is(
      throughWord.wordOf(far?.newBytes ?? body, 0x7a, () => null),
      word,
    );
    assert.equal([near?.at, near?.newBytes], [0x80, throughWord.short(0x80, 0x7a)]);
    // The same word leads on when the function is edited again.
    const { padding, read } = around(6);
    const live = placed.kind === 'cells' ? placed.cells : [];
    const again = planRetarget({ entry: 0x80, target: -0x2000, jumps: throughWord, padding, live, read });
    assert.equal(again, { kind: 'word', at: word });
  }
});

test.run();
