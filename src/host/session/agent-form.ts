// How the agent comes into a program: whether a loader brings it in, and where none does, whether it was linked into it
// or is named by it (cargo/link-with-agent.ts).
import { readFileSync } from 'node:fs';
import { readObjectFile } from '../../formats/read-object.js';
import { isAgentLibrary, linkedAgentMark } from '../agent/agent-build.js';
import type { AgentForm } from '../agent/agent-start.js';
import { isIos, isMusl } from '../cargo/target-triple.js';

/**
 * Null for a static program, or one for iOS, without the agent of this version. Only where the build asked for such a
 * one is the file looked at.
 * @param args rustc's, for the executable's unit
 */
export function agentForm(executable: string, args: readonly string[], targetTriple: string): AgentForm | null {
  if (isIos(targetTriple)) {
    const { linked } = readObjectFile(readFileSync(executable), executable);
    return linked?.needed.some(isAgentLibrary) === true ? 'linked' : null;
  }
  const asked = isMusl(targetTriple) || args.some((word) => word.includes('+crt-static'));
  if (!asked) return 'preloaded';
  const bytes = readFileSync(executable);
  if (readObjectFile(bytes, executable).linked?.loaded !== false) return 'preloaded';
  return bytes.includes(`\0${linkedAgentMark()}\0`) ? 'linked' : null;
}
