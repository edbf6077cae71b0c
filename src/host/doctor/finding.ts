// What a check says. How it is shown is the command line's.
import type { Code } from '../../codes/table.js';

/** `missing`: ipbp cannot do its work so. `warning`: it can, with less than it might. */
export type Status = 'ok' | 'warning' | 'missing';

/** What one check found. */
export interface Finding {
  /** `<group>.<what>`, stable: `machine.inotify`. All are listed in docs/doctor.md. */
  readonly check: string;
  readonly status: Status;
  /** What was found, in one sentence. */
  readonly message: string;
  /** What to do about it; only where there is something to do. */
  readonly remedy?: string;
  /** The error that `ipbp run` would meet, or the refusals that follow. */
  readonly code?: Code;
}

/** A check that found what is needed. */
export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message };
}

/** A check that found less than there might be. */
export function warning(check: string, message: string, remedy: string, code?: Code): Finding {
  return { check, status: 'warning', message, remedy, ...(code === undefined ? {} : { code }) };
}

/** A check that did not find what is needed. */
export function missing(check: string, message: string, remedy: string, code?: Code): Finding {
  return { check, status: 'missing', message, remedy, ...(code === undefined ? {} : { code }) };
}

/** True when the version `a` (`1.95.0`, `6.1.0-13-amd64`) is `b` or newer, by its leading numbers. */
export function isAtLeast(a: string, b: string): boolean {
  const numbers = (text: string): number[] => (/^\d+(?:\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (const [index, wanted] of right.entries()) {
    const found = left[index] ?? 0;
    if (found !== wanted) return found > wanted;
  }
  return true;
}
