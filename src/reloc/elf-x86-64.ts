// R_X86_64_*: the rows of the x86-64 psABI, table 4.9 "Relocation Types". Numbers and names verbatim.
// Dynamic relocations (COPY, GLOB_DAT, JUMP_SLOT, RELATIVE, IRELATIVE …) stand in linked files only and have no row.
import { EXPRESSIONS, type Expression, type Field, type FixupRow } from './fixup.js';
import { INT16, INT32, INT64, INT8, NOTHING, UINT32, WORD16, WORD8 } from './fields.js';
import type { DynamicTypes } from './shared-machine.js';

const SPEC = 'System V ABI, AMD64 supplement, 4.4.1 "Relocation Types"';
const TLS_SPEC = 'ELF Handling For Thread-Local Storage, 4.1 and System V ABI, AMD64 supplement, 4.4.1';

function row(type: number, name: string, expression: Expression, field: Field, relaxable = false): FixupRow {
  const { term } = EXPRESSIONS[expression];
  const tls = term.endsWith('TP') || ['GGD', 'GLD', 'GDESC'].includes(term) || expression === 'tls-desc';
  return { type, name, expression, field, relaxable, partner: null, absent: null, spec: tls ? TLS_SPEC : SPEC };
}

/** Rows in the order of their numbers. */
export const ELF_X86_64_ROWS: readonly FixupRow[] = [
  row(0, 'R_X86_64_NONE', 'none', NOTHING),
  row(1, 'R_X86_64_64', 'S+A', INT64),
  row(2, 'R_X86_64_PC32', 'S+A-P', INT32),
  row(3, 'R_X86_64_GOT32', 'G+A-GOT', INT32),
  row(4, 'R_X86_64_PLT32', 'L+A-P', INT32),
  row(9, 'R_X86_64_GOTPCREL', 'G+A-P', INT32),
  row(10, 'R_X86_64_32', 'S+A', UINT32),
  row(11, 'R_X86_64_32S', 'S+A', INT32),
  row(12, 'R_X86_64_16', 'S+A', WORD16),
  row(13, 'R_X86_64_PC16', 'S+A-P', INT16),
  row(14, 'R_X86_64_8', 'S+A', WORD8),
  row(15, 'R_X86_64_PC8', 'S+A-P', INT8),
  row(17, 'R_X86_64_DTPOFF64', 'DTP+A', INT64),
  row(18, 'R_X86_64_TPOFF64', 'TP+A', INT64),
  row(19, 'R_X86_64_TLSGD', 'GGD+A-P', INT32, true),
  row(20, 'R_X86_64_TLSLD', 'GLD+A-P', INT32, true),
  row(21, 'R_X86_64_DTPOFF32', 'DTP+A', INT32),
  row(22, 'R_X86_64_GOTTPOFF', 'GTP+A-P', INT32, true),
  row(23, 'R_X86_64_TPOFF32', 'TP+A', INT32),
  row(24, 'R_X86_64_PC64', 'S+A-P', INT64),
  row(25, 'R_X86_64_GOTOFF64', 'S+A-GOT', INT64),
  row(26, 'R_X86_64_GOTPC32', 'GOT+A-P', INT32),
  row(27, 'R_X86_64_GOT64', 'G+A-GOT', INT64),
  row(28, 'R_X86_64_GOTPCREL64', 'G+A-P', INT64),
  row(29, 'R_X86_64_GOTPC64', 'GOT+A-P', INT64),
  // As GOT64; it once also asked for a PLT entry.
  row(30, 'R_X86_64_GOTPLT64', 'G+A-GOT', INT64),
  row(31, 'R_X86_64_PLTOFF64', 'L+A-GOT', INT64),
  row(32, 'R_X86_64_SIZE32', 'Z+A', UINT32),
  row(33, 'R_X86_64_SIZE64', 'Z+A', INT64),
  row(34, 'R_X86_64_GOTPC32_TLSDESC', 'GDESC+A-P', INT32, true),
  row(35, 'R_X86_64_TLSDESC_CALL', 'tls-desc', NOTHING, true),
  row(41, 'R_X86_64_GOTPCRELX', 'G+A-P', INT32, true),
  row(42, 'R_X86_64_REX_GOTPCRELX', 'G+A-P', INT32, true),
  // APX: the number is that of the bytes before the field, prefixes included.
  row(43, 'R_X86_64_CODE_4_GOTPCRELX', 'G+A-P', INT32, true),
  row(44, 'R_X86_64_CODE_4_GOTTPOFF', 'GTP+A-P', INT32, true),
  row(45, 'R_X86_64_CODE_4_GOTPC32_TLSDESC', 'GDESC+A-P', INT32, true),
  row(46, 'R_X86_64_CODE_5_GOTPCRELX', 'G+A-P', INT32),
  row(47, 'R_X86_64_CODE_5_GOTTPOFF', 'GTP+A-P', INT32),
  row(48, 'R_X86_64_CODE_5_GOTPC32_TLSDESC', 'GDESC+A-P', INT32),
  row(49, 'R_X86_64_CODE_6_GOTPCRELX', 'G+A-P', INT32),
  row(50, 'R_X86_64_CODE_6_GOTTPOFF', 'GTP+A-P', INT32),
  row(51, 'R_X86_64_CODE_6_GOTPC32_TLSDESC', 'GDESC+A-P', INT32),
];

/** The relocations of linked files. System V ABI, AMD64 supplement, table 4.9. */
export const ELF_X86_64_DYNAMIC: DynamicTypes = {
  absolute: 1, // R_X86_64_64
  globDat: 6,
  jumpSlot: 7,
  relative: 8,
  moduleId: 16, // R_X86_64_DTPMOD64
  moduleOffset: 17, // R_X86_64_DTPOFF64
  threadOffset: 18, // R_X86_64_TPOFF64
  tlsDescriptor: 36,
  irelative: 37,
};
