// How a session's build comes to link with slots: what the wrapper and the linker script (scripts.ts) find in their
// environment, and how an executable shows afterwards that it was so linked. The rewriting is link-with-slots.ts's.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SLOT_NAME } from '../../link/names.js';
import type { RedirectMode } from '../events.js';
import { shellQuote, type Scripts } from './scripts.js';

/** Below a unit's directory: what could not be given slots, a line each. */
export const PROBLEMS = 'slot-problems';

/** What cargo's environment needs so that the program is linked with slots; nothing where it is not to be. */
export function slotEnvironment(redirect: RedirectMode, scripts: Scripts): Readonly<Record<string, string>> {
  if (redirect !== 'slots') return {};
  return {
    IPBP_SLOTS: 'all',
    IPBP_SLOT_WRITER: [process.execPath, ...process.execArgv, writerPath()].map(shellQuote).join(' '),
    IPBP_LINKER_SCRIPT: scripts.linker,
  };
}

/** The program that the linker script runs: compiled, or the source where this file is one. */
function writerPath(): string {
  const compiled = fileURLToPath(new URL('link-with-slots-main.js', import.meta.url));
  return existsSync(compiled) ? compiled : compiled.replace(/\.js$/, '.ts');
}

/** Whether an executable has slots and was to have none, or the other way round. `auto` takes it as it is. */
export function isLinkedOtherwise(executable: string, redirect: RedirectMode): boolean {
  switch (redirect) {
    case 'auto':
      return false;
    case 'jump':
      return hasSlots(executable);
    case 'slots':
      return !hasSlots(executable);
  }
}

/** By the slots' name in the table of names: faster than reading the symbols, and wrong costs one link. */
function hasSlots(executable: string): boolean {
  return readFileSync(executable).includes(`\0${SLOT_NAME}\0`);
}

/** What the newest link of a unit could not give slots. `directory` is the unit's, where its recording lies. */
export function slotProblems(directory: string): readonly string[] {
  try {
    return readFileSync(join(directory, PROBLEMS), 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
