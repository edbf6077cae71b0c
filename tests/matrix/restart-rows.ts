// Edits that need cargo or another program, in a session that may restart it: it goes live or the program starts anew,
// and either way the program that answers then is what the sources say.
import { RECEIPTS, once, onceIn, several } from './edits.js';
import { type Row, desk } from './row.js';

/** How long cargo may take where it builds and restarts, in ms. */
const CARGO_MS = 60_000;

/** Rows of the plain program, in a session with `--on-refusal restart`. */
export const RESTART_ROWS: readonly Row[] = [
  {
    id: 'restart-layout',
    name: 'another type of a field whose values live: restarted, and the new program is right',
    action: once(RECEIPTS, ['cents: u64,\n}', 'cents: u32,\n}']),
    expect: ['restarted'],
    before: [desk('ticket', '1:450'), desk('ticket', '1:450 2:450')],
    after: [desk('ticket', '1:450'), desk('ticket', '1:450 2:450')],
    says: /IPBP3006/,
  },
  {
    id: 'restart-then-patch',
    name: 'an edit of the restarted program',
    action: once(RECEIPTS, ['"good morning"', '"good afternoon"']),
    expect: ['patched'],
    before: [desk('greeting', 'good morning')],
    after: [desk('greeting', 'good afternoon'), desk('ticket', '1:450 2:450 3:450')],
  },
  {
    id: 'manifest-dependency',
    name: 'a new dependency in Cargo.toml and its first use',
    action: several(
      onceIn('Cargo.toml', ['rayon = "1"\n', 'rayon = "1"\neither = "1"\n']),
      onceIn(RECEIPTS, [
        '    format!("{count} at {cents}")',
        '    let side: either::Either<u64, u64> = if count > 2 { either::Left(cents) } else { either::Right(count) };\n' +
          '    format!("{count} at {side:?}")',
      ]),
    ),
    expect: ['patched', 'restarted'],
    before: [desk('receipt', '3 at 425')],
    after: [desk('receipt', '3 at Left(425)', CARGO_MS)],
  },
  {
    id: 'build-script-input',
    name: "a build script's input",
    action: once('opening-hours.txt', ['9 to 17', '10 to 20']),
    expect: ['patched', 'restarted'],
    before: [{ ask: '/hours', answer: 'open from 9 to 17' }],
    after: [{ ask: '/hours', answer: 'open from 10 to 20', within: CARGO_MS }],
  },
  {
    id: 'build-script',
    name: 'the build script itself',
    action: once('build.rs', ['"open {}"', '"open daily {}"']),
    expect: ['patched', 'restarted'],
    after: [{ ask: '/hours', answer: 'open daily from 10 to 20', within: CARGO_MS }],
  },
  {
    id: 'after-cargo',
    name: 'an edit after all that cargo built',
    action: once(RECEIPTS, ['"good afternoon"', '"good night"']),
    expect: ['patched'],
    after: [desk('greeting', 'good night'), { ask: '/hours', answer: 'open daily from 10 to 20' }],
  },
];
