// Optimised as cargo does it for whoever asks for nothing: units share what they inline (`NAME.llvm.N`).
import { testEdits } from './desk-run.js';
import { MODULE_ROWS } from './desk-rows.js';

/** All is compiled anew each time: without the way back, which is no other in such a build. */
const FORTH = MODULE_ROWS.slice(0, MODULE_ROWS.findIndex(({ action }) => action.kind === 'revert') + 1);

testEdits('opt-level 3, 16 units', { target: 'wasm32-unknown-unknown', profile: 'units' }, FORTH);
