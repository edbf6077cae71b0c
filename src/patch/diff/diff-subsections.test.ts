// Objects whose sections are cut at their symbols: how long an item is depends there on what stands behind it, and an edit
// beside it must not make it another one.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../../tests/format-inputs.js';
import { MACHO_MACHINES, machoObject } from '../../../tests/macho-inputs.js';
import { readObjectFile } from '../../formats/read-object.js';
import { openLinkObject } from '../../link/atoms.js';
import type { LinkObject } from '../../link/graph.js';
import { diffObjects } from './diff.js';

const SOURCE = `
extern int outside(const char *);
const char first = 1;
/* constant */
const long last = 2;
char state = 3;
/* state */
long behind = 4;
char zeros;
/* zeros */
long more_zeros;
__thread char local = 5;
/* local */
__thread long other_local;
static const char *const names[] = { "north", "south" };
int one(int x) { return outside("one") + x; }
/* function */
int two(int x) { return outside(names[x & 1]) + first + local; }
int choose(int x) {
  switch (x) {
    case 0: return outside("a");
    case 1: return two(x);
    case 2: return one(7);
    case 3: return outside("b") + state;
    case 4: return zeros;
  }
  return 0;
}
`;

type Edit = readonly [from: string, to: string];

const CASES: readonly {
  readonly what: string;
  readonly edits: readonly Edit[];
  readonly expected: readonly string[];
}[] = [
  { what: 'nothing', edits: [], expected: [] },
  {
    what: 'a constant behind a short one',
    edits: [['/* constant */', 'const long long wide = 8;']],
    expected: ['added wide'],
  },
  {
    what: 'a variable behind a short one',
    edits: [['/* state */', '_Alignas(64) int wide = 8;']],
    expected: ['added wide'],
  },
  {
    what: 'a variable behind a zero-filled one',
    edits: [['/* zeros */', '_Alignas(64) int wide;']],
    expected: ['added wide'],
  },
  {
    what: 'a thread-local behind a short one',
    edits: [['/* local */', '_Alignas(32) __thread int wide = 8;']],
    expected: ['added wide'],
  },
  {
    what: 'a function between two',
    edits: [['/* function */', 'int three(int x) { return x * 5 - 3; }']],
    expected: ['added three'],
  },
  { what: 'a body', edits: [['+ x; }', '+ 3 * x; }']], expected: ['body one'] },
  { what: 'a string', edits: [['"one"', '"eins"']], expected: ['body one'] },
  { what: 'a constant', edits: [['first = 1', 'first = 9']], expected: ['body two', 'initialiser first'] },
  { what: 'initial values', edits: [['state = 3', 'state = 9']], expected: ['initialiser state'] },
  { what: 'a thread-local', edits: [['local = 5', 'local = 9']], expected: ['initialiser local'] },
  { what: 'a table of strings', edits: [['"south"', '"back"']], expected: ['body two', 'initialiser names'] },
  {
    what: 'the arms of a switch',
    edits: [
      ['case 0:', 'case 9:'],
      ['case 4:', 'case 0:'],
      ['case 9:', 'case 4:'],
    ],
    expected: ['body choose'],
  },
  {
    what: 'an array that grows',
    edits: [
      ['char zeros;', 'char zeros[400];'],
      ['return zeros;', 'return zeros[x];'],
    ],
    expected: ['body choose', 'initialiser zeros'],
  },
];

function compiled(machine: (typeof MACHO_MACHINES)[number], edits: readonly Edit[], level: string): LinkObject {
  let text = SOURCE;
  for (const [from, to] of edits) {
    if (text.split(from).length !== 2) throw new Error(`"${from}" does not stand in the text just once`);
    text = text.replace(from, to);
  }
  const path = machoObject(machine, 'c', text, level, '-fno-inline', '-g');
  return openLinkObject(readObjectFile(bytesOf(path), 'one.o'));
}

for (const machine of MACHO_MACHINES) {
  for (const level of ['-O0', '-O1']) {
    const before = compiled(machine, [], level);
    for (const { what, edits, expected } of CASES) {
      test(`${machine} ${level}: ${what}`, () => {
        // For some machines tables of strings become tables of distances, `.rel`.
        const { items } = diffObjects([before], [compiled(machine, edits, level)]);
        assert.equal(
          items.map(({ change, name }) => `${change} ${name.replace(/\.rel$/, '')}`).sort(),
          expected,
          JSON.stringify(items.map(({ because }) => because)),
        );
      });
    }
  }
}

test.run();
