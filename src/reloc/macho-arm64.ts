// ARM64_RELOC_*: the rows of Mach-O objects for arm64. Names as Apple spells them, followed by what the model's number
// says beside the type (formats/macho/relocation-types.ts). ARM64_RELOC_ADDEND has no row: readers add it to the
// relocation behind it.
import * as macho from '../formats/macho/relocation-types.js';
import { LENGTH_4, LENGTH_8, relocationType as number } from '../formats/macho/relocation-types.js';
import { ADRP21, BRANCH26, LDST64, LOW12 } from './arm64/fields.js';
import { INT32, INT64, MARKED64, WORD32 } from './fields.js';
import type { Expression, Field, FixupRow } from './fixup.js';

const SPEC = "Apple's <mach-o/arm64/reloc.h>";

function row(type: number, name: string, expression: Expression, field: Field, relaxable = false): FixupRow {
  const facts = { relaxable, partner: null, absent: null, spec: SPEC };
  return { type, name: `ARM64_RELOC_${name}`, expression, field, ...facts };
}

/** The `ldr` of the slot's address becomes an `add` where the symbol is in the same image, each alone. */
const RELAXABLE = true;
const difference4 = number(macho.ARM64_RELOC_SUBTRACTOR, false, LENGTH_4);
const difference8 = number(macho.ARM64_RELOC_SUBTRACTOR, false, LENGTH_8);

/** Rows by type, as the header lists them. */
export const MACHO_ARM64_ROWS: readonly FixupRow[] = [
  row(number(macho.ARM64_RELOC_UNSIGNED, false, LENGTH_8), 'UNSIGNED', 'S+A', INT64),
  row(number(macho.ARM64_RELOC_UNSIGNED, false, LENGTH_4), 'UNSIGNED (4 bytes)', 'S+A', WORD32),
  row(macho.MARKED + number(macho.ARM64_RELOC_UNSIGNED, false, LENGTH_8), 'UNSIGNED (marked)', 'S+A', MARKED64),
  row(
    macho.IN_TEMPLATE + number(macho.ARM64_RELOC_UNSIGNED, false, LENGTH_8),
    'UNSIGNED (in a thread-local variable)',
    'DTP+A',
    INT64,
  ),
  row(macho.MINUS_PLACE + difference4, 'SUBTRACTOR (4 bytes, of the place)', 'S+A-P', INT32),
  row(macho.MINUS_PLACE + difference8, 'SUBTRACTOR (8 bytes, of the place)', 'S+A-P', INT64),
  row(macho.PLACE_MINUS + difference4, 'SUBTRACTOR (4 bytes, from the place)', 'P+A-S', INT32),
  row(macho.PLACE_MINUS + difference8, 'SUBTRACTOR (8 bytes, from the place)', 'P+A-S', INT64),
  row(macho.MINUS_SYMBOL + difference4, 'SUBTRACTOR (4 bytes)', 'S+A-T', INT32),
  row(macho.MINUS_SYMBOL + difference8, 'SUBTRACTOR (8 bytes)', 'S+A-T', INT64),
  row(number(macho.ARM64_RELOC_BRANCH26, true, LENGTH_4), 'BRANCH26', 'L+A-P', BRANCH26),
  row(number(macho.ARM64_RELOC_PAGE21, true, LENGTH_4), 'PAGE21', 'Page(S+A)-Page(P)', ADRP21),
  row(number(macho.ARM64_RELOC_PAGEOFF12, false, LENGTH_4), 'PAGEOFF12', 'S+A', LOW12),
  row(
    number(macho.ARM64_RELOC_GOT_LOAD_PAGE21, true, LENGTH_4),
    'GOT_LOAD_PAGE21',
    'Page(G+A)-Page(P)',
    ADRP21,
    RELAXABLE,
  ),
  row(
    number(macho.ARM64_RELOC_GOT_LOAD_PAGEOFF12, false, LENGTH_4),
    'GOT_LOAD_PAGEOFF12',
    'G+A',
    LDST64.low,
    RELAXABLE,
  ),
  row(number(macho.ARM64_RELOC_POINTER_TO_GOT, true, LENGTH_4), 'POINTER_TO_GOT', 'G+A-P', INT32),
  // The symbol of a thread-local is its descriptor; what the instructions load is the slot that holds its address.
  row(
    number(macho.ARM64_RELOC_TLVP_LOAD_PAGE21, true, LENGTH_4),
    'TLVP_LOAD_PAGE21',
    'Page(G+A)-Page(P)',
    ADRP21,
    RELAXABLE,
  ),
  row(
    number(macho.ARM64_RELOC_TLVP_LOAD_PAGEOFF12, false, LENGTH_4),
    'TLVP_LOAD_PAGEOFF12',
    'G+A',
    LDST64.low,
    RELAXABLE,
  ),
  row(number(macho.ARM64_RELOC_AUTHENTICATED_POINTER, false, LENGTH_8), 'AUTHENTICATED_POINTER', 'signed(S+A)', INT64),
];
