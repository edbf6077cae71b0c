// X86_64_RELOC_*: the rows of Mach-O objects for x86-64. Names as Apple spells them, followed by what the model's number
// says beside the type (formats/macho/relocation-types.ts). Addends are those of ELF: what a field is when S and P are
// the same, so that the distance of a call is S−4−P, and that of an operand with an immediate of one byte behind it S−5−P.
import * as macho from '../formats/macho/relocation-types.js';
import { LENGTH_1, LENGTH_4, LENGTH_8, relocationType as number } from '../formats/macho/relocation-types.js';
import { INT32, INT64, INT8, MARKED64, WORD32 } from './fields.js';
import type { Expression, Field, FixupRow } from './fixup.js';

const SPEC = "Apple's <mach-o/x86_64/reloc.h>";

function row(type: number, name: string, expression: Expression, field: Field, relaxable = false): FixupRow {
  const facts = { relaxable, partner: null, absent: null, spec: SPEC };
  return { type, name: `X86_64_RELOC_${name}`, expression, field, ...facts };
}

/** What the linker makes a `lea` of where the symbol is in the same image. */
const RELAXABLE = true;
const difference4 = number(macho.X86_64_RELOC_SUBTRACTOR, false, LENGTH_4);
const difference8 = number(macho.X86_64_RELOC_SUBTRACTOR, false, LENGTH_8);

/** Rows by type, as the header lists them. */
export const MACHO_X86_64_ROWS: readonly FixupRow[] = [
  row(number(macho.X86_64_RELOC_UNSIGNED, false, LENGTH_8), 'UNSIGNED', 'S+A', INT64),
  row(number(macho.X86_64_RELOC_UNSIGNED, false, LENGTH_4), 'UNSIGNED (4 bytes)', 'S+A', WORD32),
  row(macho.MARKED + number(macho.X86_64_RELOC_UNSIGNED, false, LENGTH_8), 'UNSIGNED (marked)', 'S+A', MARKED64),
  row(
    macho.IN_TEMPLATE + number(macho.X86_64_RELOC_UNSIGNED, false, LENGTH_8),
    'UNSIGNED (in a thread-local variable)',
    'DTP+A',
    INT64,
  ),
  row(number(macho.X86_64_RELOC_SIGNED, true, LENGTH_4), 'SIGNED', 'S+A-P', INT32),
  row(number(macho.X86_64_RELOC_BRANCH, true, LENGTH_4), 'BRANCH', 'L+A-P', INT32),
  row(number(macho.X86_64_RELOC_BRANCH, true, LENGTH_1), 'BRANCH (1 byte)', 'S+A-P', INT8),
  row(number(macho.X86_64_RELOC_GOT_LOAD, true, LENGTH_4), 'GOT_LOAD', 'G+A-P', INT32, RELAXABLE),
  row(number(macho.X86_64_RELOC_GOT, true, LENGTH_4), 'GOT', 'G+A-P', INT32),
  row(macho.MINUS_PLACE + difference4, 'SUBTRACTOR (4 bytes, of the place)', 'S+A-P', INT32),
  row(macho.MINUS_PLACE + difference8, 'SUBTRACTOR (8 bytes, of the place)', 'S+A-P', INT64),
  row(macho.PLACE_MINUS + difference4, 'SUBTRACTOR (4 bytes, from the place)', 'P+A-S', INT32),
  row(macho.PLACE_MINUS + difference8, 'SUBTRACTOR (8 bytes, from the place)', 'P+A-S', INT64),
  row(macho.MINUS_SYMBOL + difference4, 'SUBTRACTOR (4 bytes)', 'S+A-T', INT32),
  row(macho.MINUS_SYMBOL + difference8, 'SUBTRACTOR (8 bytes)', 'S+A-T', INT64),
  row(number(macho.X86_64_RELOC_SIGNED_1, true, LENGTH_4), 'SIGNED_1', 'S+A-P', INT32),
  row(number(macho.X86_64_RELOC_SIGNED_2, true, LENGTH_4), 'SIGNED_2', 'S+A-P', INT32),
  row(number(macho.X86_64_RELOC_SIGNED_4, true, LENGTH_4), 'SIGNED_4', 'S+A-P', INT32),
  // The symbol of a thread-local is its descriptor; what the instruction loads is the slot that holds its address.
  row(number(macho.X86_64_RELOC_TLV, true, LENGTH_4), 'TLV', 'G+A-P', INT32, RELAXABLE),
];
