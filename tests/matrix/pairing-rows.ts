// Edits after which old and new items must be paired by what they are, not by the names that the compiler numbers: what
// was inserted before, what changed its signature, what a suspended function holds.
import { OFFERS, VISITS, once, regions } from './edits.js';
import { type Row, desk } from './row.js';

/** Rows of the order desk. */
export const PAIRING_ROWS: readonly Row[] = [
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
  {
    id: 'signature',
    name: 'another signature while a caller is on the stack',
    action: regions(VISITS, {
      price: `
fn price(count: u64, guest: &str) -> String {
    format!("{} for {guest}", count * 100 + guest.len() as u64)
}`,
      stay: `
fn stay(goodbye: Receiver<()>, asked: Sender<()>) -> String {
    let first = price(2, "you");
    let _ = asked.send(());
    let _ = goodbye.recv();
    format!("{first} then {}", price(3, "the lady"))
}`,
    }),
    expect: ['patched'],
    before: [desk('enter', '1 inside')],
    after: [desk('enter', '2 inside'), desk('leave', '200 then 300; 203 for you then 308 for the lady')],
    functions: { 'visits::stay': 'redirected' },
  },
  {
    id: 'signature-again',
    name: 'a signature that gives back another type, again with a caller on the stack',
    action: regions(VISITS, {
      price: `
fn price(count: u64, guest: &str) -> (u64, usize) {
    (count * 100, guest.len())
}`,
      stay: `
fn stay(goodbye: Receiver<()>, asked: Sender<()>) -> String {
    let first = price(2, "you");
    let _ = asked.send(());
    let _ = goodbye.recv();
    format!("{first:?} then {:?}", price(3, "the lady"))
}`,
    }),
    expect: ['patched'],
    before: [desk('enter', '1 inside')],
    after: [desk('enter', '2 inside'), desk('leave', '203 for you then 308 for the lady; (200, 3) then (300, 8)')],
  },
];
