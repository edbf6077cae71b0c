// What functions take and give: the parameters' entries inside a function's own (DWARF 5 §3.3). Types are offsets in
// .debug_info, as in types.ts.
import type { ObjectFile } from '../object-file.js';
import * as dw from './constants.js';
import { openDebugSections } from './debug-sections.js';
import { EntryCursor } from './info.js';

/** One function that an object describes. */
export interface Signature {
  readonly linkageName: string;
  /** Null for parameters without a type. */
  readonly parameters: readonly (number | null)[];
  /** Null when nothing is given back. */
  readonly returns: number | null;
}

/**
 * Reads what the functions of these mangled names take and give.
 * @throws IpbpError as readTypes does
 */
export function readSignatures(file: ObjectFile, wanted: ReadonlySet<string>): readonly Signature[] {
  const sections = openDebugSections(file);
  if (sections === null) return [];
  const cursor = new EntryCursor(sections);
  const found: Signature[] = [];
  let inside: { readonly depth: number; readonly parameters: (number | null)[] } | null = null;
  while (cursor.next()) {
    if (inside !== null && cursor.depth <= inside.depth) inside = null;
    if (cursor.tag === dw.DW_TAG_subprogram) {
      const linkageName = cursor.text(dw.DW_AT_linkage_name);
      if (linkageName === null || !wanted.has(linkageName)) continue;
      const parameters: (number | null)[] = [];
      found.push({ linkageName, parameters, returns: cursor.reference(dw.DW_AT_type) });
      if (cursor.children) inside = { depth: cursor.depth, parameters };
    } else if (cursor.tag === dw.DW_TAG_formal_parameter && inside?.depth === cursor.depth - 1) {
      inside.parameters.push(cursor.reference(dw.DW_AT_type));
    }
  }
  return found;
}
