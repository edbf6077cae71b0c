// Which rows each program takes, in order.
import { CODE_ROWS, LIVE_ROWS, STATE_ROWS } from './desk-rows.js';
import { ASYNC_ROWS } from './async-rows.js';
import { CLOSURE_ROWS } from './closure-rows.js';
import { FILE_SERVER_ROWS } from './file-server-rows.js';
import { LIBRARY_ROWS } from './library-rows.js';
import { MONITOR_ROWS } from './monitor-rows.js';
import { SIGNATURE_ROWS } from './signature-rows.js';
import { type Program } from './program.js';
import { BOTTOM, MINISERVE, PLAIN, SERVER } from './programs.js';
import { type Row } from './row.js';
import { BACK_ROWS, NOTHING_ROWS } from './way-back-rows.js';
import { WEB_ROWS } from './web-rows.js';

export { RESTART_ROWS } from './restart-rows.js';

/** All rows of the order desk, for every program that holds it. */
export const DESK_ROWS: readonly Row[] = [
  ...CODE_ROWS,
  ...STATE_ROWS,
  ...LIVE_ROWS,
  ...LIBRARY_ROWS,
  ...SIGNATURE_ROWS,
  ...CLOSURE_ROWS,
  ...NOTHING_ROWS,
  ...BACK_ROWS,
];

/** One row per mechanism; none of them builds on a row that is not here. */
export const ELSEWHERE: readonly string[] = [
  'string',
  'new-function',
  'closure',
  'generic',
  'vtable',
  'std-function',
  'new-statics',
  'panic',
  'old-pointer',
  'loop-thread',
  'library-plain',
  'library-generic',
  'layout',
  'layout-back',
];

/** All rows of a program. */
export function rowsOf(program: Program): readonly Row[] {
  switch (program) {
    case PLAIN:
      return DESK_ROWS;
    case SERVER:
      return [...DESK_ROWS, ...WEB_ROWS, ...ASYNC_ROWS];
    case MINISERVE:
      return FILE_SERVER_ROWS;
    case BOTTOM:
      return MONITOR_ROWS;
    default:
      throw new Error(`no rows for ${program.name}`);
  }
}
