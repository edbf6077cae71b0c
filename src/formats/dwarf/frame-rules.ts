// Where a function's caller stands: the rule for the canonical frame address (CFA) at one place of its code, from its
// unwind record. DWARF 5 §6.4.2 "Call Frame Instructions", LSB Core 5.0 §10.6.1. Rules for registers are skipped.
import { ByteReader } from '../../bytes/reader.js';
import { DW_EH_PE_absptr, readEncoded } from './pointer-encoding.js';

/** CFA = the register's value + `offset`. */
export interface CfaRule {
  /** DWARF's number. */
  readonly register: number;
  readonly offset: number;
}

/** What a shared record (CIE) says for all that refer to it. */
interface Shared {
  readonly codeAlign: number;
  readonly dataAlign: number;
  readonly encoding: number;
  readonly augmented: boolean;
  readonly instructions: ByteReader;
}

/** Most nested `remember_state`. */
const DEPTH = 16;

/**
 * The rule `pcOffset` bytes into the code that the record at `offset` of an .eh_frame section describes. Null where it
 * is an expression, or where none is given.
 * @throws IpbpError IPBP1001, IPBP1002 for a broken record
 */
export function cfaRule(section: Uint8Array, offset: number, pcOffset: number, where: string): CfaRule | null {
  const all = new ByteReader(section, where);
  const end = offset + 4 + all.seek(offset).u32();
  const idOffset = offset + 4;
  const shared = readShared(all, idOffset - all.seek(idOffset).u32());
  const reader = all.window(idOffset + 4, end - idOffset - 4);
  readEncoded(reader, shared.encoding);
  readEncoded(reader, shared.encoding & 0x0f);
  if (shared.augmented) reader.skip(reader.uleb());
  const state: State = { rule: null, kept: [], at: 0 };
  const known = run(shared.instructions, shared, state, pcOffset) && run(reader, shared, state, pcOffset);
  return known ? state.rule : null;
}

function readShared(all: ByteReader, offset: number): Shared {
  const length = all.seek(offset).u32();
  const reader = all.window(offset + 8, length - 4);
  const version = reader.u8();
  const augmentation = reader.cstring();
  const codeAlign = reader.uleb();
  const dataAlign = reader.sleb();
  if (version === 1) reader.skip(1);
  else reader.uleb();
  let encoding = DW_EH_PE_absptr;
  const augmented = augmentation.startsWith('z');
  if (augmented) {
    const size = reader.uleb();
    const end = reader.position + size;
    for (const letter of augmentation.slice(1)) {
      if (letter === 'R') encoding = reader.u8();
      else if (letter === 'L') reader.skip(1);
      else if (letter === 'P') readEncoded(reader, reader.u8());
    }
    reader.seek(end);
  }
  return { codeAlign, dataAlign, encoding, augmented, instructions: reader };
}

interface State {
  rule: CfaRule | null;
  readonly kept: (CfaRule | null)[];
  at: number;
}

/** Runs instructions up to a place; false when one is not known. */
function run(reader: ByteReader, { codeAlign, dataAlign }: Shared, state: State, until: number): boolean {
  const advance = (delta: number): void => void (state.at += delta * codeAlign);
  while (!reader.ended) {
    const code = reader.u8();
    switch (code & 0xc0) {
      case 0x40:
        advance(code & 0x3f);
        break;
      case 0x80: // offset
        reader.uleb();
        continue;
      case 0xc0: // restore
        continue;
    }
    if ((code & 0xc0) === 0 && !runExtended(reader, code, dataAlign, state, advance)) return false;
    // What follows holds behind that place.
    if (state.at > until) return true;
  }
  return true;
}

function runExtended(
  reader: ByteReader,
  code: number,
  dataAlign: number,
  state: State,
  advance: (delta: number) => void,
): boolean {
  const set = (register: number, offset: number): void => void (state.rule = { register, offset });
  switch (code) {
    case 0x00: // nop
      return true;
    case 0x02: // advance_loc1, 2, 4
      advance(reader.u8());
      return true;
    case 0x03:
      advance(reader.u16());
      return true;
    case 0x04:
      advance(reader.u32());
      return true;
    case 0x06: // restore_extended, undefined, same_value, GNU_args_size
    case 0x07:
    case 0x08:
    case 0x2e:
      reader.uleb();
      return true;
    case 0x05: // offset_extended, register, val_offset
    case 0x09:
    case 0x14:
      reader.uleb();
      reader.uleb();
      return true;
    case 0x0a: // remember_state
      if (state.kept.length >= DEPTH) return false;
      state.kept.push(state.rule);
      return true;
    case 0x0b: // restore_state
      state.rule = state.kept.pop() ?? null;
      return true;
    case 0x0c: // def_cfa
      set(reader.uleb(), reader.uleb());
      return true;
    case 0x0d: // def_cfa_register
      set(reader.uleb(), state.rule?.offset ?? 0);
      return true;
    case 0x0e: // def_cfa_offset
      set(state.rule?.register ?? -1, reader.uleb());
      return true;
    case 0x0f: // def_cfa_expression
      reader.skip(reader.uleb());
      state.rule = null;
      return true;
    case 0x10: // expression, val_expression
    case 0x16:
      reader.uleb();
      reader.skip(reader.uleb());
      return true;
    case 0x11: // offset_extended_sf, val_offset_sf
    case 0x15:
      reader.uleb();
      reader.sleb();
      return true;
    case 0x12: // def_cfa_sf
      set(reader.uleb(), reader.sleb() * dataAlign);
      return true;
    case 0x13: // def_cfa_offset_sf
      set(state.rule?.register ?? -1, reader.sleb() * dataAlign);
      return true;
    default: // set_loc, which no compiler for these machines writes, and what is not known
      return false;
  }
}
