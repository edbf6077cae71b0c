// The edit matrix on a program of std and a library of its workspace, in one running process.
import { testMatrix } from './as-tests.js';
import { PLAIN } from './programs.js';
import { inDebug } from './trials.js';

testMatrix(inDebug(PLAIN));
