// Another signature while callers of the old one are on the stack: they go on with what they were compiled for.
import { VISITS, regions } from './edits.js';
import { type Row, desk } from './row.js';

/** Rows of the order desk. */
export const SIGNATURE_ROWS: readonly Row[] = [
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
