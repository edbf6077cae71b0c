// rustc's dep-info, `deps/<crate>-<hash>.d`: the source files of a unit, included texts among them.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { outputsOf, type Unit } from './unit.js';

/** Absolute paths of the files that the unit's newest compile read. Empty when there is no dep-info yet. */
export function sourceFiles(unit: Unit): string[] {
  let text: string;
  try {
    text = readFileSync(outputsOf(unit).depInfo, 'utf8');
  } catch {
    return [];
  }
  return parseDepInfo(text).map((file) => resolve(unit.cwd, file));
}

/** The prerequisites of all rules, each once: Makefile syntax with blanks escaped by a backslash. */
export function parseDepInfo(text: string): string[] {
  const files = new Set<string>();
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    // The rule's target ends at the first ": "; the phony rules at the end have no prerequisites.
    const colon = line.indexOf(': ');
    if (colon < 0) continue;
    for (const [word] of line.slice(colon + 2).matchAll(/(?:\\.|[^\s\\])+/g)) files.add(word.replace(/\\(.)/g, '$1'));
  }
  return [...files];
}
