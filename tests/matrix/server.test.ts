// The edit matrix on a server under requests, in one running process.
import { testMatrix } from './as-tests.js';
import { SERVER } from './programs.js';
import { inDebug } from './trials.js';

testMatrix(inDebug(SERVER));
