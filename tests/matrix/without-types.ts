// What is right where the objects do not describe types (a release profile without debug information): an async
// function's locals live in its future, and nothing tells how those lie, so that its edits are refused.
import { once } from './edits.js';
import { type Check, type Row } from './row.js';

function refused(...after: readonly Check[]): Partial<Row> {
  return { expect: ['refused'], says: /IPBP3040/, after, putBack: true };
}

const WAITED: Check = { ask: '/wait', answer: 'let in\n', release: '/open' };

/** By row. */
export const WITHOUT_TYPES: Readonly<Record<string, Partial<Row>>> = {
  handler: refused({ ask: '/', answer: 'Welcome to the order desk.\n' }),
  'handler-static': refused({ ask: '/health', answer: /"served":\d{1,6},/ }),
  'tracing-before': refused({ ask: '/bell', answer: 'ding\n', log: /INFO the bell rings rings=2\n/ }),
  'await-local': refused(WAITED),
  'await-local-again': {
    ...refused(WAITED),
    action: once('src/routes.rs', ['"let in\\n"', '"let in again\\n"']),
    inFlight: {
      ask: '/wait',
      count: 3,
      arrived: { ask: '/waiting', answer: '3', within: 10_000 },
      release: '/open',
      answer: 'let in\n',
    },
  },
};
