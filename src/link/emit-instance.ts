// A linked patch as a module that is instantiated, of the format that its program has: the one place that knows all such
// emitters.
import { IpbpError } from '../codes/error.js';
import type { Format } from '../formats/object-file.js';
import { emitWasmPatch } from './emit-wasm-patch.js';
import type { PatchInstance } from './patch-instance.js';

/**
 * The module's bytes.
 * @throws IpbpError IPBP5902 for a format without an emitter
 */
export function emitInstance(format: Format, patch: PatchInstance): Uint8Array {
  if (format === 'wasm') return emitWasmPatch(patch);
  throw new IpbpError('IPBP5902', 'a patch cannot be a module that is instantiated in this format', { actual: format });
}
