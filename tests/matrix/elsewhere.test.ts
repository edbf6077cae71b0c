// One edit per mechanism in other builds than the debug one: other names, optimised, other linkers, another system.
// `--full` has more.
import { testMatrix } from './as-tests.js';
import { BFD, MACOS, MACOS_IN_PLACE, MOLD, OPT_1, V0 } from './configurations.js';
import { PLAIN } from './programs.js';
import { shortRows } from './trials.js';

for (const configuration of [V0, OPT_1, BFD, MOLD, MACOS, MACOS_IN_PLACE])
  testMatrix({ program: PLAIN, configuration, rows: shortRows(), onRefusal: 'continue' });
