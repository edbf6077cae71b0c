// Which rows each program takes, in order.
import { CODE_ROWS, LIVE_ROWS, STATE_ROWS } from './desk-rows.js';
import { type Program } from './program.js';
import { type Row } from './row.js';
import { BACK_ROWS, NOTHING_ROWS } from './way-back-rows.js';
import { WEB_ROWS } from './web-rows.js';

/** All rows of the order desk, for every program that holds it. */
export const DESK_ROWS: readonly Row[] = [...CODE_ROWS, ...STATE_ROWS, ...LIVE_ROWS, ...NOTHING_ROWS, ...BACK_ROWS];

/** All rows of a program. */
export function rowsOf(program: Program): readonly Row[] {
  switch (program.name) {
    case 'plain':
      return DESK_ROWS;
    case 'server':
      return [...DESK_ROWS, ...WEB_ROWS];
  }
}
