// The edit matrix on a program of std alone, in one running process.
import { testMatrix } from './as-tests.js';
import { PLAIN } from './program.js';

testMatrix(PLAIN);
