// Edits of the order desk that change nothing or must not go live, then the way back: revert, undo and redo. They follow
// the rows of desk-rows.ts in the same process.
import { RECEIPTS, greeting, once } from './edits.js';
import { type Row, desk } from './row.js';

/** Edits that change nothing, that do not compile, that must be refused. */
export const NOTHING_ROWS: readonly Row[] = [
  {
    id: 'comment',
    name: 'a comment only',
    action: once(RECEIPTS, ['easy to see.\n', 'easy to see!\n']),
    expect: ['unchanged'],
    after: [desk('greeting', 'good evening')],
  },
  {
    id: 'blank-line',
    name: 'a blank line: nothing, or only functions that own a panic location',
    action: once(RECEIPTS, ['easy to see!\n', 'easy to see!\n\n']),
    expect: ['unchanged', 'patched'],
    after: [desk('greeting', 'good evening'), desk('raised', '2500')],
    untouched: ['receipts::greeting', 'receipts::menu', 'offers::special', 'counters::count'],
  },
  {
    id: 'compile-error',
    name: 'a compile error: rustc says it, the program goes on',
    action: greeting('good night" + 1 + "'),
    expect: ['compile-error'],
    after: [desk('greeting', 'good evening')],
    says: /error\[E0369\]/,
  },
  {
    id: 'repair',
    name: 'the repair of the compile error',
    action: greeting('good night'),
    expect: ['patched'],
    after: [desk('greeting', 'good night')],
  },
  {
    id: 'layout',
    name: 'another type of a field whose values live: refused, the program untouched',
    action: once(RECEIPTS, ['cents: u64,\n}', 'cents: u32,\n}']),
    expect: ['refused'],
    before: [desk('ticket', '1:450')],
    after: [desk('ticket', '1:450 2:450')],
    says: /IPBP3\d\d\d/,
  },
  {
    id: 'layout-back',
    name: 'the field as it was',
    action: once(RECEIPTS, ['cents: u32,\n}', 'cents: u64,\n}']),
    expect: ['unchanged'],
    after: [desk('ticket', '1:450 2:450 3:450')],
  },
];

/** Back to the first text; then undo and redo. */
export const BACK_ROWS: readonly Row[] = [
  {
    id: 'revert',
    name: 'back to the first text',
    action: { kind: 'revert' },
    expect: ['patched'],
    after: [
      desk('greeting', 'good morning'),
      desk('receipt', '3 at 425'),
      desk('total', 'total 749'),
      desk('doubled', '2 4 6'),
      desk('raised', '110'),
      desk('largest', '9'),
      desk('shout', ' cafe 3.25 '),
      desk('squares', '333833500'),
      desk('menu', 'tea=250 soup=480 cake=399'),
      desk('loyalty', 'no card'),
      desk('offers', 'flat=950 share of 10=900'),
      desk('steps', '11 10 same=true'),
      desk('callbacks', '12 30'),
      desk('special', 'none on 1000'),
      desk('buttons', 'stored 11 20 fresh 11 20'),
      desk('bill', '1100 of 250, 480'),
      desk('careful', 'result=6 swept=13'),
      desk('clock', /paces=1,1,1 /, 2000),
    ],
  },
  {
    id: 'three-1',
    name: 'first of three',
    action: greeting('one'),
    expect: ['patched'],
    after: [desk('greeting', 'one')],
  },
  {
    id: 'three-2',
    name: 'second of three',
    action: once(RECEIPTS, ['"{count} at {cents}"', '"{cents} by {count}"']),
    expect: ['patched'],
    after: [desk('receipt', '425 by 3')],
  },
  {
    id: 'three-3',
    name: 'third of three',
    action: greeting('three'),
    expect: ['patched'],
    after: [desk('greeting', 'three')],
  },
  ...['undo-1', 'undo-2', 'undo-3'].map((id, index): Row => commandRow(id, ['undo', '1'], 2 - index)),
  ...['redo-1', 'redo-2', 'redo-3'].map((id, index): Row => commandRow(id, ['redo', '1'], index + 1)),
  commandRow('undo-all', ['undo', '3'], 0),
  commandRow('redo-all', ['redo', '3'], 3),
  {
    id: 'after-redo',
    name: 'an edit after undo and redo',
    action: greeting('four'),
    expect: ['patched'],
    after: [desk('greeting', 'four'), desk('receipt', '425 by 3')],
  },
];

/** A row of undo or redo after which just the first `live` of the three edits are live. */
function commandRow(id: string, args: readonly ['undo' | 'redo', string], live: number): Row {
  return {
    id,
    name: `ipbp ${args.join(' ')}: ${live} of three live`,
    action: { kind: 'command', args },
    expect: [args[0] === 'undo' ? 'undone' : 'patched'],
    after: [
      desk('greeting', ['good morning', 'one', 'one', 'three'][live] ?? ''),
      desk('receipt', live < 2 ? '3 at 425' : '425 by 3'),
    ],
  };
}
