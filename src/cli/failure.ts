// Errors as the command line tells them: text for a person, a record for `--json`, and the exit status. Pure.
import { IpbpError } from '../codes/error.js';
import type { Code } from '../codes/table.js';
import { STATUS } from './outcome.js';
import { remedyOf } from './render.js';
import { chain, printable, styled } from './text.js';

/** Codes that mean: the command line itself was wrong. */
const USAGE_CODES: ReadonlySet<Code> = new Set<Code>(['IPBP5901', 'IPBP5902']);

/** The `error` record of `--json`. */
export interface ErrorRecord {
  readonly event: 'error';
  readonly code: Code;
  readonly message: string;
  readonly expected?: string;
  readonly actual?: string;
  readonly where?: string;
  readonly because?: readonly string[];
}

/** Anything thrown, as an {@link IpbpError}: what the system said of a file keeps its words, the rest is IPBP5999. */
export function toIpbpError(error: unknown): IpbpError {
  if (error instanceof IpbpError) return error;
  if (!(error instanceof Error)) return new IpbpError('IPBP5999', `internal error: ${String(error)}`, { cause: error });
  const { code, path } = error as { readonly code?: unknown; readonly path?: unknown };
  // Node's file errors carry the path; a failed connection or an assertion does not.
  if (typeof code === 'string' && typeof path === 'string') return fileError(code, path, error);
  return new IpbpError('IPBP5999', `internal error: ${error.message}`, { cause: error });
}

function fileError(code: string, path: string, error: Error): IpbpError {
  if (code === 'ENOENT') return new IpbpError('IPBP5903', 'no such file or directory', { where: path, cause: error });
  return new IpbpError('IPBP5904', `the system says ${code}`, { where: path, cause: error });
}

/** 2 when the command line was wrong, else 1. */
export function exitStatus(error: IpbpError): number {
  return USAGE_CODES.has(error.code) ? STATUS.usage : STATUS.failed;
}

/** The error as `--json` prints it. Absent details are left out. */
export function errorRecord(error: IpbpError): ErrorRecord {
  const { expected, actual, where, because } = error.facts;
  return {
    event: 'error',
    code: error.code,
    message: error.summary,
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
    ...(where === undefined ? {} : { where }),
    ...(because === undefined ? {} : { because }),
  };
}

/** The error for a person. The stack is shown with `verbose`: it helps only who changes ipbp. */
export function renderError(error: IpbpError, view: { readonly color: boolean; readonly verbose: boolean }): string[] {
  const { expected, actual, where, because = [] } = error.facts;
  const lines = [`ipbp: ${styled('red', 'error', view.color)} ${error.code} ${printable(error.summary)}`];
  if (expected !== undefined) lines.push(`  expected ${printable(expected)}`);
  if (actual !== undefined) lines.push(`  found ${printable(actual)}`);
  if (where !== undefined) lines.push(`  at ${printable(where)}`);
  lines.push(...chain(because, 2));
  const remedy = remedyOf(error.code);
  if (remedy !== null) lines.push(`  ${remedy}`);
  if (view.verbose) lines.push(...stackLines(error));
  return lines;
}

function stackLines(error: IpbpError): string[] {
  const cause = error.facts.cause instanceof Error ? error.facts.cause : error;
  return (cause.stack ?? '').split('\n').map(printable);
}
