// Closures inserted and removed before others that are stored: old and new are paired by what they are, not by the
// numbers that the compiler gives them.
import { OFFERS, once, regions } from './edits.js';
import { type Row, desk } from './row.js';

/** Rows of the order desk. */
export const CLOSURE_ROWS: readonly Row[] = [
  {
    id: 'closure-before-stored',
    name: 'a closure inserted before two that are stored since the start',
    action: regions(OFFERS, {
      buttons: `
fn buttons() -> Vec<Callback> {
    vec![Box::new(|cents| cents + 500), Box::new(|cents| cents + 1), Box::new(|cents| cents * 2)]
}`,
    }),
    expect: ['patched'],
    before: [desk('buttons', 'stored 11 20 fresh 11 20')],
    after: [desk('buttons', 'stored 11 20 fresh 510 11 20')],
  },
  {
    id: 'closure-after-insertion',
    name: 'the body of a stored closure behind the inserted one',
    action: once(OFFERS, ['|cents| cents * 2)]', '|cents| cents * 3)]']),
    expect: ['patched'],
    after: [desk('buttons', 'stored 11 30 fresh 510 11 30')],
  },
  {
    id: 'closure-removed',
    name: 'the inserted closure removed again',
    action: once(OFFERS, ['Box::new(|cents| cents + 500), ', '']),
    expect: ['patched'],
    after: [desk('buttons', 'stored 11 30 fresh 11 30')],
  },
];
