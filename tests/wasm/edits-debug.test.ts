// Without optimisation.
import { testEdits } from './desk-run.js';

testEdits('debug', { target: 'wasm32-unknown-unknown', profile: 'dev' });
