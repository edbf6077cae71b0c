// A walk over .debug_info (DWARF 4 and 5 §7.5): its units and their entries (DIEs), one after the other, with the
// attributes that type descriptions need. What an entry means is in types.ts.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import { decodeText, isAscii } from '../../bytes/text.js';
import type { Abbreviation } from './abbrev.js';
import { readAbbreviations } from './abbrev.js';
import * as dw from './constants.js';
import type { AddressPlace, DebugSections } from './debug-sections.js';
import type { FormContext } from './forms.js';
import { readConstant, readReference, readSmallConstant, readStringIndex, skipForm } from './forms.js';
import { readUnitHeader } from './unit-header.js';

/** The attributes that are kept; all others are skipped. The position in this list is the register. */
const KEPT = [
  dw.DW_AT_name,
  dw.DW_AT_type,
  dw.DW_AT_byte_size,
  dw.DW_AT_data_member_location,
  dw.DW_AT_alignment,
  dw.DW_AT_discr,
  dw.DW_AT_discr_value,
  dw.DW_AT_discr_list,
  dw.DW_AT_const_value,
  dw.DW_AT_encoding,
  dw.DW_AT_count,
  dw.DW_AT_upper_bound,
  dw.DW_AT_declaration,
  dw.DW_AT_linkage_name,
  dw.DW_AT_location,
  dw.DW_AT_bit_size,
  dw.DW_AT_data_bit_offset,
  dw.DW_AT_str_offsets_base,
  dw.DW_AT_addr_base,
] as const;

/** An attribute that {@link EntryCursor} can be asked for. */
export type KeptAttribute = (typeof KEPT)[number];

const SLOTS: ReadonlyMap<number, number> = new Map(KEPT.map((attribute, slot) => [attribute, slot]));
/** The same by position: asked several times per entry. */
const SLOT_OF = new Int8Array(Math.max(...KEPT) + 1);
for (const [attribute, slot] of SLOTS) SLOT_OF[attribute] = slot;

/**
 * `.debug_str_offsets` begins with a header of 8 bytes, which units without a base of their own skip (§7.26): split ones.
 * What DWARF 4 has of it, an extension, begins with the first offset.
 */
const STRING_OFFSETS_HEADER = 8;
/** `.debug_addr` as well (§7.27). */
const ADDRESSES_HEADER = 8;

/** Goes from entry to entry in the order of the file; values are decoded when asked for, until the next step. */
export class EntryCursor {
  tag = 0;
  /** Nesting within the unit; its first entry has 0. */
  depth = 0;
  /** In .debug_info; what references mean. */
  offset = 0;
  /** Whether the entries that follow are its children. */
  children = false;
  private readonly sections: DebugSections;
  private readonly reader: ByteReader;
  private readonly tables = new Map<number, ReadonlyMap<number, Abbreviation>>();
  private readonly texts = new Map<number, string>();
  private readonly textLimit: number;
  /** All of .debug_str where it is ASCII, else empty; null before it is needed. */
  private sharedText: string | null = null;
  /** Where each kept attribute stands; −1 where the entry has none. */
  private readonly positions = new Int32Array(KEPT.length);
  private readonly forms = new Uint16Array(KEPT.length);
  private source: ByteReader;
  private form = 0;
  private table: ReadonlyMap<number, Abbreviation> = new Map();
  private context: FormContext = { version: 0, addressSize: 0, unitStart: 0 };
  private unitEnd = 0;
  private stringBase = STRING_OFFSETS_HEADER;
  private addressBase = ADDRESSES_HEADER;
  private position = 0;
  private nextDepth = 0;
  private abbreviationBytes = 0;
  private textBytes = 0;

  constructor(sections: DebugSections) {
    this.sections = sections;
    this.reader = sections.info;
    this.source = sections.info;
    const { info, strings, lineStrings } = sections;
    this.textLimit = LIMITS.nameReuse * (info.length + strings.length + lineStrings.length);
  }

  /**
   * Moves to the next entry; false at the end.
   * @throws IpbpError IPBP1001 and IPBP1002 when the section is broken, IPBP1003 for 64-bit DWARF, versions other than 4
   *   and 5, and unknown forms
   */
  next(): boolean {
    const { reader } = this;
    for (;;) {
      if (this.position >= this.unitEnd) {
        if (this.unitEnd >= reader.length) return false;
        this.openUnit();
        continue;
      }
      reader.seek(this.position);
      const code = reader.uleb();
      if (code !== 0) {
        this.readEntry(code);
        return true;
      }
      this.position = reader.position;
      // Zeros behind a unit's last entry are padding.
      if (this.nextDepth > 0) this.nextDepth--;
    }
  }

  has(attribute: KeptAttribute): boolean {
    return (this.positions[SLOT_OF[attribute] as number] as number) >= 0;
  }

  /** A constant as text (see readConstant); null where there is none. */
  constant(attribute: KeptAttribute): string | null {
    return this.seek(attribute) ? readConstant(this.source, this.form) : null;
  }

  /** A size, count or offset. Null where there is none, or where it is no plain number but computed. */
  number(attribute: KeptAttribute): number | null {
    if (!this.seek(attribute)) return null;
    const value = readSmallConstant(this.source, this.form);
    return value < 0 ? null : value;
  }

  /** Offset of the entry that a reference means. */
  reference(attribute: KeptAttribute): number | null {
    return this.seek(attribute) ? readReference(this.source, this.form, this.context) : null;
  }

  text(attribute: KeptAttribute): string | null {
    const place = this.textPlace(attribute);
    return place === null ? null : this.stringAt(place.reader, place.offset);
  }

  /** Does a text begin with this byte? Costs no decoding: most names of functions are of no use here. */
  beginsWith(attribute: KeptAttribute, byte: number): boolean {
    const place = this.textPlace(attribute);
    return place !== null && place.reader.bytes[place.offset] === byte;
  }

  /** As {@link text}, decoded when first called, also after further steps. */
  laterText(attribute: KeptAttribute): (() => string) | null {
    const place = this.textPlace(attribute);
    if (place === null) return null;
    const { reader, offset } = place;
    return () => this.stringAt(reader, offset);
  }

  /** Where the address stands that is the whole of an entry's location; null where that is computed, or none. */
  addressPlace(): AddressPlace | null {
    if (!this.seek(dw.DW_AT_location) || this.form !== dw.DW_FORM_exprloc) return null;
    const { reader } = this;
    const end = reader.uleb() + reader.position;
    const { addressSize } = this.context;
    switch (reader.u8()) {
      case dw.DW_OP_addr:
        return reader.position + addressSize === end ? { in: 'info', offset: reader.position } : null;
      case dw.DW_OP_addrx:
      case dw.DW_OP_GNU_addr_index: {
        const index = reader.uleb();
        return reader.position === end ? { in: 'addresses', offset: this.addressBase + index * addressSize } : null;
      }
      default:
        return null;
    }
  }

  /** Throws IPBP1002 at the entry. */
  malformed(summary: string): never {
    return this.reader.malformed(summary, {}, this.offset);
  }

  /** Where a text begins, up to the next NUL; null where there is none. */
  textPlace(attribute: KeptAttribute): { readonly reader: ByteReader; readonly offset: number } | null {
    if (!this.seek(attribute)) return null;
    const { source, form, sections } = this;
    switch (form) {
      case dw.DW_FORM_string:
        return { reader: source, offset: source.position };
      case dw.DW_FORM_strp:
        return { reader: sections.strings, offset: source.u32() };
      case dw.DW_FORM_line_strp:
        return { reader: sections.lineStrings, offset: source.u32() };
      default: {
        const index = readStringIndex(source, form);
        if (index === null) return null;
        return { reader: sections.strings, offset: sections.stringOffsets.seek(this.stringBase + index * 4).u32() };
      }
    }
  }

  private stringAt(reader: ByteReader, offset: number): string {
    // Those that stand in the entries are read once each, those of .debug_line_str hardly ever.
    const shared = reader === this.sections.strings;
    const known = shared ? this.texts.get(offset) : undefined;
    if (known !== undefined) return known;
    // Decoded as a whole, as nearly all are ASCII: a slice of a string costs a tenth of decoding it.
    if (shared) this.sharedText ??= isAscii(reader.bytes) ? decodeText(reader.bytes) : '';
    const end = shared ? (this.sharedText as string).indexOf('\0', offset) : -1;
    const text = end < 0 ? reader.seek(offset).cstring() : (this.sharedText as string).slice(offset, end);
    // Tails may be shared, but not by everything.
    this.textBytes += text.length;
    if (this.textBytes > this.textLimit) reader.malformed('names overlap too much', {}, offset);
    if (shared) this.texts.set(offset, text);
    return text;
  }

  /**
   * Puts `source` on an attribute's value and `form` to its form; false when the entry lacks it.
   * DW_FORM_implicit_const stands in the abbreviation.
   */
  private seek(attribute: KeptAttribute): boolean {
    const slot = SLOT_OF[attribute] as number;
    const position = this.positions[slot] as number;
    if (position < 0) return false;
    this.form = this.forms[slot] as number;
    this.source = this.form === dw.DW_FORM_implicit_const ? this.sections.abbreviations : this.reader;
    this.source.seek(position);
    return true;
  }

  private readEntry(code: number): void {
    const { reader, positions, forms, context } = this;
    this.offset = this.position;
    const abbreviation = this.table.get(code);
    if (abbreviation === undefined) {
      return reader.malformed('an entry has an unknown abbreviation', { actual: `${code}` }, this.offset);
    }
    positions.fill(-1);
    for (const { slot, form, implicit } of abbreviation.attributes) {
      if (slot >= 0) {
        positions[slot] = form === dw.DW_FORM_implicit_const ? implicit : reader.position;
        forms[slot] = form;
      }
      skipForm(reader, form, context);
    }
    // Past the unit's end the next unit would be read from its middle.
    if (reader.position > this.unitEnd) reader.malformed('an entry leaves its unit', {}, this.offset);
    this.tag = abbreviation.tag;
    this.children = abbreviation.children;
    this.depth = this.nextDepth;
    this.position = reader.position;
    if (abbreviation.children) this.nextDepth++;
    if (this.depth > 0) return;
    this.stringBase = this.base(dw.DW_AT_str_offsets_base) ?? this.stringBase;
    this.addressBase = this.base(dw.DW_AT_addr_base) ?? this.addressBase;
  }

  /** Where a unit's part of another section begins: an offset of four bytes. */
  private base(attribute: KeptAttribute): number | null {
    return this.seek(attribute) ? this.source.u32() : null;
  }

  private openUnit(): void {
    const unit = readUnitHeader(this.reader, this.unitEnd);
    const { abbreviations, version } = unit;
    let table = this.tables.get(abbreviations);
    if (table === undefined) {
      const from = this.sections.abbreviations.seek(abbreviations);
      table = readAbbreviations(from, SLOTS);
      this.tables.set(abbreviations, table);
      // Tables do not overlap. Units that each began one byte later would cost the square of the section.
      this.abbreviationBytes += from.position - abbreviations;
      if (this.abbreviationBytes > from.length) from.malformed('abbreviation tables overlap', {}, abbreviations);
    }
    this.table = table;
    this.context = unit;
    this.position = unit.entries;
    this.unitEnd = unit.end;
    this.stringBase = version >= 5 ? STRING_OFFSETS_HEADER : 0;
    this.addressBase = this.sections.addressBase ?? (version >= 5 ? ADDRESSES_HEADER : 0);
    this.nextDepth = 0;
  }
}
