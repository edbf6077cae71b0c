// What follows an x86_64 opcode, one letter per opcode: the tables of the length decoder, and nothing else.
// Source: Intel SDM volume 2, appendix A (opcode maps) and the instruction pages; AMD APM volume 3 for 3DNow! and XOP.

/**
 * `.` nothing, `m` ModRM, `c` ModRM that always names registers, `b` imm8, `w` imm16, `z` imm16/32, `v` imm16/32/64,
 * `o` an absolute address, `e` imm16 + imm8, `B` ModRM + imm8, `Z` ModRM + imm16/32, `g` and `G` ModRM of group 3,
 * whose first two members have an immediate (imm8 or imm16/32), `j` rel8, `J` rel32, `p` legacy prefix, `r` REX,
 * `D` ModRM + imm32, `!` escape to another map, `x` no instruction in 64-bit mode.
 */
export type Operands =
  '.' | 'm' | 'c' | 'b' | 'w' | 'z' | 'v' | 'o' | 'e' | 'B' | 'Z' | 'D' | 'g' | 'G' | 'j' | 'J' | 'p' | 'r' | '!' | 'x';

/** The one-byte opcodes, a row per high digit. Table A-2. */
export const ONE_BYTE: string = [
  'mmmmbzxxmmmmbzx!', // 00: add, or; 0F escapes
  'mmmmbzxxmmmmbzxx', // 10: adc, sbb
  'mmmmbzpxmmmmbzpx', // 20: and, sub; ES, CS
  'mmmmbzpxmmmmbzpx', // 30: xor, cmp; SS, DS
  'rrrrrrrrrrrrrrrr', // 40: REX
  '................', // 50: push, pop
  'xx!mppppzZbB....', // 60: EVEX, movsxd, FS, GS, operand size, address size, push, imul, ins, outs
  'jjjjjjjjjjjjjjjj', // 70: jcc
  'BZxBmmmmmmmmmmm!', // 80: group 1, test, xchg, mov, lea; 8F is pop or XOP
  '..........x.....', // 90: nop, xchg, cwde, fwait, pushf, sahf
  'oooo....bz......', // A0: mov with an absolute address, string instructions, test
  'bbbbbbbbvvvvvvvv', // B0: mov with an immediate
  'BBw.!!BZe.w..bx.', // C0: shifts, ret, VEX, mov, enter, leave, far ret, int3, int, iret
  'mmmmxxx.mmmmmmmm', // D0: shifts, xlat, x87
  'jjjjbbbbJJxj....', // E0: loop, jrcxz, in, out, call, jmp
  'p.pp..gG......mm', // F0: lock, int1, repne, rep, hlt, group 3, flags, groups 4 and 5
].join('');

/** The opcodes behind 0F. Table A-3. */
export const TWO_BYTE: string = [
  'mmmmx.....x.xm.B', // 00: groups 6 and 7, syscall, ud2, prefetch, 3DNow! (its opcode stands behind as an imm8)
  'mmmmmmmmmmmmmmmm', // 10: SSE moves, hints; 1E holds endbr64, 1F the long nop
  'ccccxxxxmmmmmmmm', // 20: control and debug registers, SSE conversions
  '......x.!x!xxxxx', // 30: wrmsr, rdtsc, sysenter, escapes to 0F38 and 0F3A
  'mmmmmmmmmmmmmmmm', // 40: cmovcc
  'mmmmmmmmmmmmmmmm', // 50: SSE arithmetic
  'mmmmmmmmmmmmmmmm', // 60: packed integers
  'BBBBmmm.mmxxmmmm', // 70: shuffles, groups 12 to 14, emms, vmread or extrq, vmwrite
  'JJJJJJJJJJJJJJJJ', // 80: jcc
  'mmmmmmmmmmmmmmmm', // 90: setcc
  '...mBmxx...mBmmm', // A0: push fs, cpuid, bt, shld, push gs, bts, shrd, group 15
  'mmmmmmmmmmBmmmmm', // B0: cmpxchg, movzx, ud1, group 8, bit scans, movsx
  'mmBmBBBm........', // C0: xadd, cmpps, pinsrw, pextrw, shufps, group 9, bswap
  'mmmmmmmmmmmmmmmm', // D0
  'mmmmmmmmmmmmmmmm', // E0
  'mmmmmmmmmmmmmmmm', // F0: packed integers, ud0
].join('');

/** Opcodes of map 1 under VEX or EVEX that carry an imm8. */
const MAP1_WITH_IMMEDIATE: ReadonlySet<number> = new Set([0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6]);

/** What follows the opcode of a VEX-encoded instruction; `map` is the mmmmm field. SDM volume 2, 2.3. */
export function vexOperands(map: number, opcode: number): Operands {
  if (map === 1) {
    if (opcode === 0x77) return '.'; // vzeroupper, vzeroall
    return MAP1_WITH_IMMEDIATE.has(opcode) ? 'B' : 'm';
  }
  if (map === 2) return 'm';
  return map === 3 ? 'B' : 'x';
}

/** What follows the opcode of an EVEX-encoded instruction; `map` is the mmm field. SDM volume 2, 2.7. */
export function evexOperands(map: number, opcode: number): Operands {
  if (map === 1) return MAP1_WITH_IMMEDIATE.has(opcode) ? 'B' : 'm';
  if (map === 2 || map === 5 || map === 6) return 'm'; // 5 and 6 hold AVX512-FP16
  return map === 3 ? 'B' : 'x';
}

/** What follows the opcode of an XOP-encoded instruction. AMD APM volume 3, 1.4. */
export function xopOperands(map: number): Operands {
  if (map === 8) return 'B';
  if (map === 9) return 'm';
  return map === 10 ? 'D' : 'x';
}
