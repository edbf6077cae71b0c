// Optimised, compiled incrementally.
import { testEdits } from './desk-run.js';

testEdits('opt-level 3', { target: 'wasm32-unknown-unknown', profile: 'release' });
