// How a session's build comes to link otherwise than rustc says: what the wrapper and the linker script (scripts.ts) find
// in their environment, and how an executable shows afterwards whether it has slots. What is done is link-main.ts's.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LONE_SLOT_NAME, SLOT_NAME } from '../../link/names.js';
import type { RedirectMode } from '../events.js';
import { isApple } from './target-triple.js';
import { shellQuote, type Scripts } from './scripts.js';

/** Below a unit's directory: what could not be given slots, a line each. */
export const PROBLEMS = 'slot-problems';

/** Below a unit's directory: the program has functions that take no jump, as a refused edit has shown (see scripts.ts). */
const WANTED = 'wants-slots';

/**
 * What cargo's environment needs so that static programs are linked with the agent, and programs with slots where they
 * are to be.
 */
export function linkEnvironment(
  redirect: RedirectMode,
  targetTriple: string,
  scripts: Scripts,
): Readonly<Record<string, string>> {
  return { ...linkSettings(redirect, targetTriple), IPBP_LINKER_SCRIPT: scripts.linker };
}

/**
 * The part of it that does not depend on where the scripts are. Where loaded code stays as it is (Apple's systems) all
 * programs get slots. Elsewhere, with `auto`, only programs that once had an edit refused
 * for want of slots get them, where no jump fits: finding those functions costs every link a start of Node and a decoding
 * of all code that changed, and few programs have an edit that needs it.
 */
export function linkSettings(redirect: RedirectMode, targetTriple: string): Readonly<Record<string, string>> {
  return {
    IPBP_SLOTS: redirect === 'jump' ? '' : wantsAllSlots(redirect, targetTriple) ? 'all' : 'where-needed',
    IPBP_TARGET: targetTriple,
    IPBP_LINK_WRITER: [process.execPath, ...process.execArgv, writerPath()].map(shellQuote).join(' '),
  };
}

function wantsAllSlots(redirect: RedirectMode, targetTriple: string): boolean {
  return redirect === 'slots' || (redirect === 'auto' && isApple(targetTriple));
}

/** The program that the linker script runs: compiled, or the source where this file is one. */
function writerPath(): string {
  const compiled = fileURLToPath(new URL('link-main.js', import.meta.url));
  return existsSync(compiled) ? compiled : compiled.replace(/\.js$/, '.ts');
}

/**
 * Whether an executable has slots and was to have none, or the other way round. `auto` takes it as it is, where slots are
 * not the only way.
 */
export function isLinkedOtherwise(executable: string, redirect: RedirectMode, targetTriple: string): boolean {
  if (wantsAllSlots(redirect, targetTriple)) return !hasSlots(executable, SLOT_NAME);
  return redirect === 'jump' && (hasSlots(executable, SLOT_NAME) || hasSlots(executable, LONE_SLOT_NAME));
}

/** By the slots' name in the file: faster than reading the symbols, and wrong costs one link. */
function hasSlots(executable: string, name: string): boolean {
  const bytes = readFileSync(executable);
  // In Mach-O it is a section that has the name, with a segment's behind where it is long.
  return [`\0${name}\0`, `__${name}\0`, `__${name}__DATA`].some((text) => bytes.includes(text));
}

/**
 * Has the program's next link, under `auto`, give slots to the functions that take no jump; false when the newest one
 * has done so. `directory` is the unit's.
 */
export function wantSlots(directory: string): boolean {
  const file = join(directory, WANTED);
  if (existsSync(file)) return false;
  writeFileSync(file, '');
  return true;
}

/** What the newest link of a unit could not give slots. `directory` is the unit's, where its recording lies. */
export function slotProblems(directory: string): readonly string[] {
  try {
    return readFileSync(join(directory, PROBLEMS), 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
