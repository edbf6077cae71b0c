// Every stable code of ipbp, made from one file per range. docs/codes.md is generated from this table.
import { AGENT_CODES } from './agent.js';
import { FORMAT_CODES } from './formats.js';
import { LINK_CODES } from './link.js';
import { REFUSAL_CODES } from './refusals.js';
import { TOOLCHAIN_CODES } from './toolchain.js';

/** What the documentation says of a code. */
export interface CodeEntry {
  /** A few words, no full stop. */
  readonly title: string;
  /** What it means for the user, a sentence or two. */
  readonly meaning: string;
  /** What the user can do. */
  readonly remedy: string;
}

export const CODES = {
  ...FORMAT_CODES,
  ...LINK_CODES,
  ...REFUSAL_CODES,
  ...AGENT_CODES,
  ...TOOLCHAIN_CODES,
} as const satisfies Record<string, CodeEntry>;

/** A stable code, `IPBPnnnn`. */
export type Code = keyof typeof CODES;
