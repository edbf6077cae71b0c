// Abbreviation tables (DWARF 5 §7.5.3): which tag a code means and which attributes follow it in which form. Attributes
// that no reader asks for are marked here once, so that the walk over .debug_info only skips them.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import { DW_FORM_implicit_const } from './constants.js';

/** One attribute of an abbreviation. */
export interface AttributeSpec {
  /** Position in the walker's registers, or −1 when the attribute is skipped. */
  readonly slot: number;
  readonly form: number;
  /** Where the value of DW_FORM_implicit_const stands in .debug_abbrev; 0 for other forms. */
  readonly implicit: number;
}

/** What one abbreviation code stands for. */
export interface Abbreviation {
  readonly tag: number;
  readonly children: boolean;
  readonly attributes: readonly AttributeSpec[];
}

/**
 * Reads the table at the reader's position.
 * @param slots attribute number → register
 * @throws IpbpError IPBP1001 when it ends early, IPBP1002 for a code that stands twice or too many attributes
 */
export function readAbbreviations(
  reader: ByteReader,
  slots: ReadonlyMap<number, number>,
): ReadonlyMap<number, Abbreviation> {
  const table = new Map<number, Abbreviation>();
  for (;;) {
    const code = reader.uleb();
    if (code === 0) return table;
    if (table.has(code)) reader.malformed('an abbreviation code stands twice', { actual: `${code}` });
    const tag = reader.uleb();
    const children = reader.u8() !== 0;
    const attributes: AttributeSpec[] = [];
    for (;;) {
      const attribute = reader.uleb();
      const form = reader.uleb();
      const implicit = reader.position;
      if (form === DW_FORM_implicit_const) skipLeb(reader);
      if (attribute === 0 && form === 0) break;
      if (attributes.length >= LIMITS.dwarfAttributes) reader.malformed('an abbreviation has too many attributes');
      attributes.push({ slot: slots.get(attribute) ?? -1, form, implicit });
    }
    table.set(code, { tag, children, attributes });
  }
}

/** Moves behind a LEB128 number of any width that the limits allow: values may have more bits than a number holds. */
export function skipLeb(reader: ByteReader): void {
  for (let count = 0; count < LIMITS.lebBytes * 2; count++) if (reader.u8() < 0x80) return;
  reader.malformed('a LEB128 number is too long', { expected: `at most ${LIMITS.lebBytes * 2} bytes` });
}
