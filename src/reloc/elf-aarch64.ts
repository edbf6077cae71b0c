// R_AARCH64_*: the rows of "ELF for the Arm 64-bit Architecture" (AAELF64), section "Relocation". Numbers and names
// verbatim. Dynamic relocations stand in linked files only and have no row; those of signed pointers (AUTH) are no part.
// The document's G(GDAT(S+A)) is the slot of a sum; addends of slots are 0 in all code, and G+A is written here.
import { INT32, INT64, NOTHING, WORD16, WORD32 } from './fields.js';
import { EXPRESSIONS, type Expression, type Field, type FixupRow } from './fixup.js';
import {
  ADD12,
  ADD12_HI,
  ADD12_LO,
  ADR21,
  ADRP21,
  ADRP21_NC,
  BRANCH14,
  BRANCH19,
  BRANCH26,
  LDST128,
  LDST16,
  LDST32,
  LDST64,
  LDST64_LO15,
  LDST8,
  LITERAL19,
  MOVW,
  MOVW_NC,
  MOVW_SIGNED,
} from './arm64/fields.js';
import type { DynamicTypes } from './shared-machine.js';

type Line = readonly [
  type: number,
  name: string,
  expression: Expression,
  field: Field,
  relaxable?: 'relaxable',
  partner?: number,
];

/** The rows of one table of the document. */
function table(title: string, lines: readonly Line[]): FixupRow[] {
  const spec = `AAELF64, "${title}"`;
  return lines.map(([type, name, expression, field, relaxable, partner = null]) => {
    const facts = { relaxable: relaxable !== undefined, partner, absent: absentOf(expression, field), spec };
    return { type, name: `R_AARCH64_${name}`, expression, field, ...facts };
  });
}

/**
 * "Weak references": for relocations that are PC-relative, an undefined weak symbol is at the place; a branch to one goes
 * to the next instruction, as "Relocations for control-flow instructions" and lld have it for all of them.
 */
function absentOf(expression: Expression, field: Field): number | null {
  const { term, base } = EXPRESSIONS[expression];
  if ((term !== 'S' && term !== 'L') || (base !== 'P' && base !== 'page of P')) return null;
  return [BRANCH14, BRANCH19, BRANCH26].includes(field) ? 4 : 0;
}

/** Rows MOVW_…_G0, G0_NC, G1 … from a number on. The last group has one row only. */
function groups(first: number, name: string, expression: Expression, checked: readonly Field[], to: number): Line[] {
  const lines: Line[] = [];
  for (let group = 0; group <= to; group++) {
    lines.push([first + lines.length, `${name}_G${group}`, expression, checked[group] as Field]);
    const unchecked = MOVW_NC[group];
    if (unchecked !== undefined) lines.push([first + lines.length, `${name}_G${group}_NC`, expression, unchecked]);
  }
  return lines;
}

/** Rows of loads and stores of an offset from the thread pointer or the template: checked, unchecked, by size. */
function loads(name: (size: number) => string, expression: Expression, first: number, of128: number): Line[] {
  return [LDST8, LDST16, LDST32, LDST64, LDST128].flatMap(({ checked, low }, i): Line[] => {
    const type = i === 4 ? of128 : first + 2 * i;
    return [
      [type, name(8 * 2 ** i), expression, checked],
      [type + 1, `${name(8 * 2 ** i)}_NC`, expression, low],
    ];
  });
}

/** Rows table by table, in the order of the document. */
export const ELF_AARCH64_ROWS: readonly FixupRow[] = [
  ...table('Static miscellaneous relocations', [
    [0, 'NONE', 'none', NOTHING],
    [256, 'NULL', 'none', NOTHING], // withdrawn: treated as NONE
  ]),
  ...table('Data relocations', [
    [257, 'ABS64', 'S+A', INT64],
    [258, 'ABS32', 'S+A', WORD32],
    [259, 'ABS16', 'S+A', WORD16],
    [260, 'PREL64', 'S+A-P', INT64],
    [261, 'PREL32', 'S+A-P', WORD32],
    [262, 'PREL16', 'S+A-P', WORD16],
    [314, 'PLT32', 'L+A-P', INT32],
  ]),
  ...table('Group relocations to create a 16-, 32-, 48-, or 64-bit unsigned data value or address inline', [
    ...groups(263, 'MOVW_UABS', 'S+A', MOVW, 3),
  ]),
  ...table('Group relocations to create a 16, 32, 48, or 64 bit signed data or offset value inline', [
    [270, 'MOVW_SABS_G0', 'S+A', MOVW_SIGNED[0] as Field],
    [271, 'MOVW_SABS_G1', 'S+A', MOVW_SIGNED[1] as Field],
    [272, 'MOVW_SABS_G2', 'S+A', MOVW_SIGNED[2] as Field],
  ]),
  ...table('Relocations to generate 19, 21 and 33 bit PC-relative addresses', [
    [273, 'LD_PREL_LO19', 'S+A-P', LITERAL19],
    [274, 'ADR_PREL_LO21', 'S+A-P', ADR21],
    [275, 'ADR_PREL_PG_HI21', 'Page(S+A)-Page(P)', ADRP21],
    [276, 'ADR_PREL_PG_HI21_NC', 'Page(S+A)-Page(P)', ADRP21_NC],
    [277, 'ADD_ABS_LO12_NC', 'S+A', ADD12_LO],
    [278, 'LDST8_ABS_LO12_NC', 'S+A', LDST8.low],
    [284, 'LDST16_ABS_LO12_NC', 'S+A', LDST16.low],
    [285, 'LDST32_ABS_LO12_NC', 'S+A', LDST32.low],
    [286, 'LDST64_ABS_LO12_NC', 'S+A', LDST64.low],
    [299, 'LDST128_ABS_LO12_NC', 'S+A', LDST128.low],
  ]),
  ...table('Relocations for control-flow instructions', [
    [279, 'TSTBR14', 'S+A-P', BRANCH14],
    [280, 'CONDBR19', 'S+A-P', BRANCH19],
    [282, 'JUMP26', 'L+A-P', BRANCH26],
    [283, 'CALL26', 'L+A-P', BRANCH26],
  ]),
  ...table('Group relocations to create a 16, 32, 48, or 64 bit PC-relative offset inline', [
    ...groups(287, 'MOVW_PREL', 'S+A-P', MOVW_SIGNED, 3),
  ]),
  ...table('Group relocations to create a 16, 32, 48, or 64 bit GOT-relative offsets inline', [
    ...groups(300, 'MOVW_GOTOFF', 'G+A-GOT', MOVW_SIGNED, 3),
  ]),
  ...table('GOT-relative data relocations', [
    [307, 'GOTREL64', 'S+A-GOT', INT64],
    [308, 'GOTREL32', 'S+A-GOT', INT32],
    [315, 'GOTPCREL32', 'G+A-P', INT32],
  ]),
  ...table('GOT-relative instruction relocations', [
    [309, 'GOT_LD_PREL19', 'G+A-P', LITERAL19],
    [310, 'LD64_GOTOFF_LO15', 'G+A-GOT', LDST64_LO15],
    [311, 'ADR_GOT_PAGE', 'Page(G+A)-Page(P)', ADRP21, 'relaxable', 312],
    [312, 'LD64_GOT_LO12_NC', 'G+A', LDST64.low],
    [313, 'LD64_GOTPAGE_LO15', 'G+A-Page(GOT)', LDST64_LO15],
  ]),
  ...table('General Dynamic TLS relocations', [
    [512, 'TLSGD_ADR_PREL21', 'GGD+A-P', ADR21, 'relaxable'],
    [513, 'TLSGD_ADR_PAGE21', 'Page(GGD+A)-Page(P)', ADRP21, 'relaxable'],
    [514, 'TLSGD_ADD_LO12_NC', 'GGD+A', ADD12_LO, 'relaxable'],
    [515, 'TLSGD_MOVW_G1', 'GGD+A-GOT', MOVW_SIGNED[1] as Field],
    [516, 'TLSGD_MOVW_G0_NC', 'GGD+A-GOT', MOVW_NC[0] as Field],
  ]),
  ...table('Local Dynamic TLS relocations', [
    [517, 'TLSLD_ADR_PREL21', 'GLD+A-P', ADR21, 'relaxable'],
    [518, 'TLSLD_ADR_PAGE21', 'Page(GLD+A)-Page(P)', ADRP21, 'relaxable'],
    [519, 'TLSLD_ADD_LO12_NC', 'GLD+A', ADD12_LO, 'relaxable'],
    [520, 'TLSLD_MOVW_G1', 'GLD+A-GOT', MOVW_SIGNED[1] as Field],
    [521, 'TLSLD_MOVW_G0_NC', 'GLD+A-GOT', MOVW_NC[0] as Field],
    [522, 'TLSLD_LD_PREL19', 'GLD+A-P', LITERAL19],
    [523, 'TLSLD_MOVW_DTPREL_G2', 'DTP+A', MOVW_SIGNED[2] as Field],
    [524, 'TLSLD_MOVW_DTPREL_G1', 'DTP+A', MOVW_SIGNED[1] as Field],
    [525, 'TLSLD_MOVW_DTPREL_G1_NC', 'DTP+A', MOVW_NC[1] as Field],
    [526, 'TLSLD_MOVW_DTPREL_G0', 'DTP+A', MOVW_SIGNED[0] as Field],
    [527, 'TLSLD_MOVW_DTPREL_G0_NC', 'DTP+A', MOVW_NC[0] as Field],
    [528, 'TLSLD_ADD_DTPREL_HI12', 'DTP+A', ADD12_HI],
    [529, 'TLSLD_ADD_DTPREL_LO12', 'DTP+A', ADD12],
    [530, 'TLSLD_ADD_DTPREL_LO12_NC', 'DTP+A', ADD12_LO],
    ...loads((size) => `TLSLD_LDST${size}_DTPREL_LO12`, 'DTP+A', 531, 572),
  ]),
  ...table('Initial Exec TLS relocations', [
    [539, 'TLSIE_MOVW_GOTTPREL_G1', 'GTP+A-GOT', MOVW_SIGNED[1] as Field],
    [540, 'TLSIE_MOVW_GOTTPREL_G0_NC', 'GTP+A-GOT', MOVW_NC[0] as Field],
    [541, 'TLSIE_ADR_GOTTPREL_PAGE21', 'Page(GTP+A)-Page(P)', ADRP21, 'relaxable'],
    [542, 'TLSIE_LD64_GOTTPREL_LO12_NC', 'GTP+A', LDST64.low, 'relaxable'],
    [543, 'TLSIE_LD_GOTTPREL_PREL19', 'GTP+A-P', LITERAL19, 'relaxable'],
  ]),
  ...table('Local Exec TLS relocations', [
    [544, 'TLSLE_MOVW_TPREL_G2', 'TP+A', MOVW_SIGNED[2] as Field],
    [545, 'TLSLE_MOVW_TPREL_G1', 'TP+A', MOVW_SIGNED[1] as Field],
    [546, 'TLSLE_MOVW_TPREL_G1_NC', 'TP+A', MOVW_NC[1] as Field],
    [547, 'TLSLE_MOVW_TPREL_G0', 'TP+A', MOVW_SIGNED[0] as Field],
    [548, 'TLSLE_MOVW_TPREL_G0_NC', 'TP+A', MOVW_NC[0] as Field],
    [549, 'TLSLE_ADD_TPREL_HI12', 'TP+A', ADD12_HI],
    [550, 'TLSLE_ADD_TPREL_LO12', 'TP+A', ADD12],
    [551, 'TLSLE_ADD_TPREL_LO12_NC', 'TP+A', ADD12_LO],
    ...loads((size) => `TLSLE_LDST${size}_TPREL_LO12`, 'TP+A', 552, 570),
  ]),
  ...table('TLS descriptor relocations', [
    [560, 'TLSDESC_LD_PREL19', 'GDESC+A-P', LITERAL19, 'relaxable'],
    [561, 'TLSDESC_ADR_PREL21', 'GDESC+A-P', ADR21, 'relaxable'],
    [562, 'TLSDESC_ADR_PAGE21', 'Page(GDESC+A)-Page(P)', ADRP21, 'relaxable'],
    [563, 'TLSDESC_LD64_LO12', 'GDESC+A', LDST64.low, 'relaxable'],
    [564, 'TLSDESC_ADD_LO12', 'GDESC+A', ADD12_LO, 'relaxable'],
    [565, 'TLSDESC_OFF_G1', 'GDESC+A-GOT', MOVW_SIGNED[1] as Field, 'relaxable'],
    [566, 'TLSDESC_OFF_G0_NC', 'GDESC+A-GOT', MOVW_NC[0] as Field, 'relaxable'],
    [567, 'TLSDESC_LDR', 'tls-desc', NOTHING, 'relaxable'],
    [568, 'TLSDESC_ADD', 'tls-desc', NOTHING, 'relaxable'],
    [569, 'TLSDESC_CALL', 'tls-desc', NOTHING, 'relaxable'],
  ]),
];

/** The relocations of linked files. AAELF64, "Dynamic relocations"; 1028 and 1029 as all loaders number them. */
export const ELF_AARCH64_DYNAMIC: DynamicTypes = {
  absolute: 257, // R_AARCH64_ABS64
  globDat: 1025,
  jumpSlot: 1026,
  relative: 1027,
  moduleId: 1028, // R_AARCH64_TLS_DTPMOD
  moduleOffset: 1029, // R_AARCH64_TLS_DTPREL
  threadOffset: 1030, // R_AARCH64_TLS_TPREL
  tlsDescriptor: 1031,
  irelative: 1032,
};
