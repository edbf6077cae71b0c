// The few arm64 instructions that linkers write, as words without their relocated fields.
// Source: Arm Architecture Reference Manual (DDI 0487), C6.2.

/** A register's number, 0 to 30; in loads and adds 31 is the stack pointer. */
type Register = number;

export const NOP = 0xd503201f;
/** Marks a place that indirect calls may lead to. */
export const BTI_C = 0xd503245f;

export const b = (): number => 0x14000000;
export const br = (register: Register): number => 0xd61f0000 | (register << 5);
export const ret = (register: Register): number => 0xd65f0000 | (register << 5);
export const adr = (to: Register): number => 0x10000000 | to;
export const adrp = (to: Register): number => 0x90000000 | to;
/** add to, from, #0 */
export const add = (to: Register, from: Register): number => 0x91000000 | (from << 5) | to;
/** add to, from, #0, lsl #12 */
export const addHigh = (to: Register, from: Register): number => 0x91400000 | (from << 5) | to;
/** add to, from, other */
export const addRegisters = (to: Register, from: Register, other: Register): number =>
  0x8b000000 | (other << 16) | (from << 5) | to;
/** ldr to, [from] */
export const load = (to: Register, from: Register): number => 0xf9400000 | (from << 5) | to;
/** ldr to, literal */
export const loadLiteral = (to: Register): number => 0x58000000 | to;
export const movz = (to: Register): number => 0xd2800000 | to;
/** movz to, #0, lsl #16 */
export const movzHigh = (to: Register): number => 0xd2a00000 | to;
export const movk = (to: Register): number => 0xf2800000 | to;
/** mrs to, tpidr_el0 */
export const readThreadPointer = (to: Register): number => 0xd53bd040 | to;

/** The bytes of a run of instructions. */
export function assemble(...words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, word, true));
  return bytes;
}
