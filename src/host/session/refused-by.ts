// Any error as what a session tells of it.
import { IpbpError } from '../../codes/error.js';
import { CODES } from '../../codes/table.js';
import type { RefusedItem } from '../../patch/engine.js';

/** Any error as one refused item: nothing was applied, the program runs on, also when the fault is ours. */
export function refusedBy(error: unknown): RefusedItem {
  if (!(error instanceof IpbpError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const [message = '', ...because] = stack.split('\n').map((line) => line.trim());
    return { code: 'IPBP5999', name: '', message: `internal error: ${message}`, because };
  }
  const { code, facts: known } = error;
  const { expected, actual, where, because = [] } = known;
  const facts = [
    expected === undefined ? [] : [`expected ${expected}`],
    actual === undefined ? [] : [`found ${actual}`],
    where === undefined ? [] : [`at ${where}`],
  ].flat();
  return { code, name: where ?? '', message: error.summary, because: [...facts, ...because] };
}

/** Why a program that runs cannot be patched, and what would help. */
export function unpatchedBecause(error: unknown): string {
  if (!(error instanceof IpbpError)) return refusedBy(error).message;
  const { code, message } = error;
  return `the program runs unpatched: ${message.slice(`${code}: `.length)}. ${CODES[code].remedy}`;
}
