// What a relocation means, as data: an expression over S A P G T … and a field that holds the result.
// Rows are written once per format × machine (elf-x86-64.ts, …); nothing else knows a relocation's number.

/**
 * The value, in the letters of the psABI documents: S symbol, A addend, P place, L stub of the symbol if it needs one,
 * G the GOT slot of the symbol, GOT the GOT's start, TP offset from the thread pointer, Z size of the symbol.
 * `tls-gd` and `tls-ld` mark the first relocation of a code sequence that is rewritten as a whole.
 */
export type Expression =
  | 'none'
  | 'S+A'
  | 'S+A-P'
  | 'L+A-P'
  | 'G+A-P'
  | 'GOT+A-P'
  | 'S+A-GOT'
  | 'TP+A'
  | 'GTP+A-P'
  | 'DTP+A'
  | 'Z+A'
  | 'tls-gd'
  | 'tls-ld'
  | 'tls-desc'
  | 'tls-desc-call';

/** Where a value goes: how many bytes, which values fit, how it is written and read back. */
export interface Field {
  readonly name: string;
  /** Bytes that the field touches, from the relocation's offset. */
  readonly size: number;
  /** Smallest and largest value that fits; both inclusive. */
  readonly min: number;
  readonly max: number;
  encode(bytes: Uint8Array, offset: number, value: number): void;
  decode(bytes: Uint8Array, offset: number): number;
}

/** One relocation type. */
export interface FixupRow {
  readonly type: number;
  /** As the specification spells it. */
  readonly name: string;
  readonly expression: Expression;
  readonly field: Field;
  /** The instruction may be rewritten to do without the GOT slot (psABI relaxations). */
  readonly relaxable: boolean;
  /** Document and section. */
  readonly spec: string;
}
