// `ipbp apply`, `undo`, `redo` and `status`: ask a running session over its control socket and show the answer. What
// they do is done in the session, by host/session/session.ts.
import { resolve } from 'node:path';
import { IpbpError } from '../codes/error.js';
import { CODES } from '../codes/table.js';
import type { Code } from '../codes/table.js';
import { askSession } from '../host/control/control-client.js';
import type { ControlEvent, ControlRequest, ControlResponse, SessionStatus } from '../host/control/control.js';
import { fileAt } from '../host/files/object-paths.js';
import { DONE, FAILED } from './outcome.js';
import type { Outcome } from './outcome.js';
import type { Output } from './output.js';
import { renderEvent } from './render.js';
import { listed, printable, shortName } from './text.js';

/** Functions of one patch that `status` names before "and n more". */
const MOST_NAMES = 6;

/** Applies a patch file. Throws IPBP5903 where there is none, IPBP5012 without a session, and what the session throws. */
export async function apply(file: string, session: string | null, output: Output): Promise<Outcome> {
  // The session would say that it cannot read the file, which sounds as if something were wrong with the session.
  fileAt(file);
  return act(session, { command: 'apply', file: resolve(file) }, output);
}

/** Takes back the newest `count` patches. Throws IPBP5012, and IPBP5013 when there is nothing to undo. */
export function undo(count: number, session: string | null, output: Output): Promise<Outcome> {
  return act(session, { command: 'undo', count }, output);
}

/** Applies again the last `count` patches that were taken back. Throws as {@link undo}. */
export function redo(count: number, session: string | null, output: Output): Promise<Outcome> {
  return act(session, { command: 'redo', count }, output);
}

/** Prints what a session runs. `session` is an id, or null for the only one. Throws IPBP5012. */
export async function status(session: string | null, output: Output): Promise<Outcome> {
  const answer = await askSession(session, { command: 'status' });
  if (answer.kind !== 'status') throw unexpected(answer);
  output.record({ event: 'status', ...answer.status });
  for (const line of renderStatus(answer.status, output.verbose)) output.print(line);
  return DONE;
}

async function act(session: string | null, request: ControlRequest, output: Output): Promise<Outcome> {
  const answer = await askSession(session, request);
  if (answer.kind !== 'events') throw unexpected(answer);
  for (const event of answer.events) show(event, output);
  return answer.events.some(({ event }) => event === 'refused') ? FAILED : DONE;
}

function show(event: ControlEvent, output: Output): void {
  output.record(event);
  const { color, quiet, verbose } = output;
  for (const line of renderEvent(event, { color, quiet, verbose, compileMs: null })) output.alert(line);
}

/** The session's own error, as if it had been thrown here; IPBP5999 for an answer to another question. */
function unexpected(answer: ControlResponse): IpbpError {
  if (answer.kind !== 'error') return new IpbpError('IPBP5999', 'the session answered another question');
  const { code, summary, details } = answer;
  return isCode(code) ? new IpbpError(code, summary, details) : new IpbpError('IPBP5999', summary, details);
}

function isCode(text: string): text is Code {
  return Object.hasOwn(CODES, text);
}

/** What runs, and the patches: live ones oldest first, then those that redo would bring back. */
export function renderStatus(status: SessionStatus, verbose: boolean): string[] {
  const { id, executable, pid, buildId, target, crates, patches } = status;
  const what = executable === null ? 'cargo builds' : `${printable(executable)} (pid ${pid})`;
  const lines = [`session ${id}  ${what}`];
  if (buildId !== null) lines.push(`  build id ${printable(buildId)}, ${printable(target)}`);
  if (crates.length > 0) lines.push(`  following ${crates.map(printable).join(', ')}`);
  if (patches.length === 0) lines.push('  no patches: the program is as it was built');
  for (const { patch, functions, live } of patches) {
    const names = functions.map(verbose ? printable : shortName);
    lines.push(`  #${patch}  ${live ? 'live' : 'undone'}  ${listed(names, MOST_NAMES, verbose) || 'data only'}`);
  }
  return lines;
}
