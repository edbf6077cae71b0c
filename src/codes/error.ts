// The one error class of ipbp: a stable code, what was expected, what came, and where.
// The table that explains the codes is in table.ts; this file knows none of them.
import type { Code } from './table.js';

/** What an {@link IpbpError} can say besides its message. Every part is optional and already formatted for a person. */
export interface ErrorDetails {
  /** What would have been right. */
  readonly expected?: string;
  /** What was found instead. */
  readonly actual?: string;
  /** File, offset, symbol or section, e.g. `foo.o: .text.main+0x12` (addresses in hex). */
  readonly where?: string;
  /** The chain of reasons, outermost first. */
  readonly because?: readonly string[];
  readonly cause?: unknown;
}

/** Thrown for every failure that a user can meet. `message` is complete: code, text, expected, actual, where. */
export class IpbpError extends Error {
  readonly code: Code;
  /** Not `details`: test runners take a property of that name for text of their own. */
  readonly facts: ErrorDetails;
  /** The text without code and facts. */
  readonly summary: string;

  constructor(code: Code, summary: string, details: ErrorDetails = {}) {
    const parts = [`${code}: ${summary}`];
    if (details.expected !== undefined) parts.push(`expected ${details.expected}`);
    if (details.actual !== undefined) parts.push(`found ${details.actual}`);
    if (details.where !== undefined) parts.push(`at ${details.where}`);
    super(parts.join('; '), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'IpbpError';
    this.code = code;
    this.facts = details;
    this.summary = summary;
  }
}

/** An address or offset as a person reads it: `0x1f`, `-0x10`. */
export function hex(value: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
