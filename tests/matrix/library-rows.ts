// Edits of a library of the program's own workspace.
import { PRICING, once, regions } from './edits.js';
import { type Row, desk } from './row.js';

/** Rows for every program that holds the order desk. */
export const LIBRARY_ROWS: readonly Row[] = [
  {
    id: 'library-plain',
    name: 'a plain body in a workspace library',
    action: once(PRICING, ['cents + cents / 10', 'cents + cents / 4']),
    expect: ['patched'],
    before: [desk('bill', '1100 of 250, 480')],
    after: [desk('bill', '1250 of 250, 480')],
    functions: { 'pricing::with_service': 'redirected' },
    only: true,
  },
  {
    id: 'library-generic',
    name: 'a generic body in a workspace library: its instance lies in the program',
    action: once(PRICING, ['.join(", ")', '.join(" and ")']),
    expect: ['patched'],
    after: [desk('bill', '1250 of 250 and 480')],
    untouched: ['pricing::with_service'],
  },
  {
    id: 'library-new-function',
    name: 'a new function and a new static in a workspace library',
    action: regions(PRICING, {
      'with-service': `
static ASKED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(10);

fn service(cents: u64) -> u64 {
    cents / 5 + ASKED.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// A price with the service in it.
pub fn with_service(cents: u64) -> u64 {
    cents + service(cents)
}`,
    }),
    expect: ['patched'],
    after: [desk('bill', '1210 of 250 and 480'), desk('bill', '1211 of 250 and 480')],
    data: { 'pricing::ASKED': 'added' },
  },
];
