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

/** Marks errors of this class, whichever copy of this file made them. */
const BRAND = Symbol.for('ipbp.error');

/**
 * Thrown for every failure that a user can meet. `message` is complete: code, text, expected, actual, where. An error of
 * another copy of the class is one too: a command that is published as one file has its own.
 */
export class IpbpError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && BRAND in value;
  }

  readonly [BRAND] = true;
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
