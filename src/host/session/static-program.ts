// Whether a program is linked statically: then no loader brings the agent in.
import { readObjectFile } from '../../formats/read-object.js';
import { fileSource } from '../files/byte-source.js';
import type { Held } from './build-start.js';

/** True for a program without a loader. Only where the build asked for one is its file looked at. */
export function isStaticProgram(held: Held, targetTriple: string): boolean {
  const asked = targetTriple.includes('-musl') || held.root.args.some((word) => word.includes('+crt-static'));
  if (!asked) return false;
  return readObjectFile(fileSource(held.keptExecutable, held.executable), held.executable).linked?.loaded === false;
}
