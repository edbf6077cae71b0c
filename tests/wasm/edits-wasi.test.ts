// With a system below, in Node.
import { testEdits } from './desk-run.js';

testEdits('wasip1', { target: 'wasm32-wasip1', profile: 'dev' });
