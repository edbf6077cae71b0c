// Edits that cargo must build or that need another program, in a session that may restart it.
import { testMatrix } from './as-tests.js';
import { RESTARTING } from './trials.js';

testMatrix(RESTARTING);
