// Code sequences of x86-64 and what they become where more is known than when they were compiled: GOT loads of symbols
// that this link defines, and thread-locals at known offsets. Source: System V ABI, AMD64 supplement, B.2 "Optimize
// GOTPCRELX Relocations" and 11.1; ELF Handling For Thread-Local Storage, 5.5 (x86-64 linker optimizations);
// RFC TLSDESC-x86 (Oliva) for descriptors.
import type { FixupRow } from '../fixup.js';
import type { Rewrite, RewriteGoal } from '../machine.js';

/** The rows that rewritten code of thread-locals uses. */
export interface ThreadRows {
  /** Offset from the thread pointer, 32 bits. */
  readonly threadOffset: FixupRow;
  /** Distance of the slot that holds an offset from the thread pointer, 32 bits. */
  readonly threadOffsetSlot: FixupRow;
}

function startsWith(bytes: Uint8Array, offset: number, pattern: readonly number[]): boolean {
  if (offset < 0 || offset + pattern.length > bytes.length) return false;
  return pattern.every((byte, i) => bytes[offset + i] === byte);
}

/** The field of a PC-relative instruction counts from its end: an immediate in its place does not. */
const FROM_END = 4;

// data16 lea x@tlsgd(%rip),%rdi; then data16 data16 rex.W call __tls_get_addr@plt, or data16 rex.W call *slot(%rip)
const GD_LEA = [0x66, 0x48, 0x8d, 0x3d] as const;
const GD_CALLS = [
  [0x66, 0x66, 0x48, 0xe8],
  [0x66, 0x48, 0xff, 0x15],
] as const;

// lea x@tlsld(%rip),%rdi; then call __tls_get_addr@plt, or call *slot(%rip)
const LD_LEA = [0x48, 0x8d, 0x3d] as const;

// Large code model, behind either lea: movabs $__tls_get_addr@pltoff,%rax; add %rbx or %r15,%rax; call *%rax
function isLargeCall(bytes: Uint8Array, at: number): boolean {
  const adds = startsWith(bytes, at + 10, [0x48, 0x01, 0xd8]) || startsWith(bytes, at + 10, [0x4c, 0x01, 0xf8]);
  return startsWith(bytes, at, [0x48, 0xb8]) && adds && startsWith(bytes, at + 13, [0xff, 0xd0]);
}

/** mov %fs:0,%rax */
const LOAD_THREAD_POINTER = [0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0] as const;
/** nopw 0(%rax,%rax,1) */
const NOP6 = [0x66, 0x0f, 0x1f, 0x44, 0, 0] as const;
/** nopw %cs:0(%rax,%rax,1) */
const NOP10 = [0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0] as const;

/** mov %fs:0,%rax; then lea x@tpoff(%rax),%rax or add x@gottpoff(%rip),%rax: 16 bytes as the sequence, 22 if large. */
function rewriteGeneralDynamic(
  bytes: Uint8Array,
  offset: number,
  goal: 'initial-exec' | 'local-exec',
  rows: ThreadRows,
): Rewrite | null {
  const large = startsWith(bytes, offset - 3, LD_LEA) && isLargeCall(bytes, offset + 4);
  if (!large) {
    if (!startsWith(bytes, offset - 4, GD_LEA)) return null;
    if (!GD_CALLS.some((call) => startsWith(bytes, offset + 4, call))) return null;
  }
  const from = large ? -3 : -4;
  const local = goal === 'local-exec';
  const second = local ? [0x48, 0x8d, 0x80] : [0x48, 0x03, 0x05];
  return {
    from,
    bytes: Uint8Array.from([...LOAD_THREAD_POINTER, ...second, 0, 0, 0, 0, ...(large ? NOP6 : [])]),
    fields: [{ at: from + 12, row: local ? rows.threadOffset : rows.threadOffsetSlot, addend: local ? FROM_END : 0 }],
    swallow: 1,
  };
}

/** mov %fs:0,%rax with as many prefixes as fill the place: 12 bytes for a direct call, 13 for one through memory. */
function rewriteLocalDynamic(bytes: Uint8Array, offset: number): Rewrite | null {
  if (!startsWith(bytes, offset - 3, LD_LEA)) return null;
  const code = startsWith(bytes, offset + 4, [0xe8])
    ? [0x66, 0x66, 0x66, ...LOAD_THREAD_POINTER]
    : startsWith(bytes, offset + 4, [0xff, 0x15])
      ? [0x66, 0x66, 0x66, 0x66, ...LOAD_THREAD_POINTER]
      : isLargeCall(bytes, offset + 4)
        ? [0x66, 0x66, 0x66, ...LOAD_THREAD_POINTER, ...NOP10]
        : null;
  return code === null ? null : { from: -3, bytes: Uint8Array.from(code), fields: [], swallow: 1 };
}

const MOV_LOAD = 0x8b;
const ADD_LOAD = 0x03;
const LEA = 0x8d;

/** An instruction `op slot(%rip), %reg` with a REX or a REX2 prefix, whose field is at the offset asked for. */
interface SlotLoad {
  readonly opcode: number;
  /** Low three bits of the register's number. */
  readonly register: number;
  /** The prefix for an instruction with the register as its r/m operand: R and R4 become B and B4. */
  readonly prefix: readonly number[];
  /** Where the instruction starts, relative to the field. */
  readonly from: number;
}

/** SDM volume 2, 2.2.1 (REX); APX specification, 3.1.1 (REX2, legacy map 0 only). */
function slotLoad(bytes: Uint8Array, offset: number, rex2: boolean): SlotLoad | null {
  const modrm = bytes[offset - 1] ?? 0;
  const opcode = bytes[offset - 2] ?? 0;
  const prefix = bytes[offset - 3] ?? 0;
  if (offset + 4 > bytes.length || (modrm & 0xc7) !== 0x05) return null;
  const register = (modrm >> 3) & 7;
  if (!rex2)
    return (prefix & 0xfb) === 0x48 ? { opcode, register, prefix: [0x48 | ((prefix >> 2) & 1)], from: -3 } : null;
  if (bytes[offset - 4] !== 0xd5 || (prefix & 0x80) !== 0 || (prefix & 0x33) !== 0) return null;
  return { opcode, register, prefix: [0xd5, (prefix & 0x08) | ((prefix & 0x44) >> 2)], from: -4 };
}

/** mov $x@tpoff, %reg; with add, add $x@tpoff, %reg: lea would leave the flags alone, which nobody asks for. */
function rewriteInitialExec(load: SlotLoad | null, rows: ThreadRows): Rewrite | null {
  const opcode = load?.opcode === MOV_LOAD ? 0xc7 : load?.opcode === ADD_LOAD ? 0x81 : null;
  if (load === null || opcode === null) return null;
  return immediate(load, opcode, rows);
}

function immediate({ prefix, register, from }: SlotLoad, opcode: number, rows: ThreadRows): Rewrite {
  return {
    from,
    bytes: Uint8Array.from([...prefix, opcode, 0xc0 | register]),
    fields: [{ at: 0, row: rows.threadOffset, addend: FROM_END }],
    swallow: 0,
  };
}

/** lea x@tlsdesc(%rip), %reg becomes a load of the slot or of the number; the call behind it does nothing more. */
function rewriteDescriptor(
  load: SlotLoad | null,
  goal: 'initial-exec' | 'local-exec',
  rows: ThreadRows,
): Rewrite | null {
  if (load?.opcode !== LEA) return null;
  if (goal === 'local-exec') return immediate(load, 0xc7, rows);
  const fields = [{ at: 0, row: rows.threadOffsetSlot, addend: 0 }];
  return { from: -2, bytes: Uint8Array.of(MOV_LOAD), fields, swallow: 0 };
}

/** xchg %ax,%ax instead of call *(%reg). */
const NO_CALL: Rewrite = { from: 0, bytes: Uint8Array.of(0x66, 0x90), fields: [], swallow: 0 };

/** The forms that do without the slot: made once, as a library has a hundred thousand of them. */
function directForms(row: FixupRow): { readonly lea: Rewrite; readonly call: Rewrite; readonly jump: Rewrite } {
  return {
    lea: { from: -2, bytes: Uint8Array.of(LEA), fields: [{ at: 0, row, addend: 0 }], swallow: 0 },
    // addr32 call x
    call: { from: -2, bytes: Uint8Array.of(0x67, 0xe8), fields: [{ at: 0, row, addend: 0 }], swallow: 0 },
    // jmp x; nop
    jump: {
      from: -2,
      bytes: Uint8Array.of(0xe9, 0, 0, 0, 0, 0x90),
      fields: [{ at: -1, row, addend: 0 }],
      swallow: 0,
    },
  };
}

function rewriteSlotLoad(bytes: Uint8Array, offset: number, forms: ReturnType<typeof directForms>): Rewrite | null {
  if (offset < 2 || offset + 4 > bytes.length) return null;
  const opcode = bytes[offset - 2];
  const modrm = bytes[offset - 1] ?? 0;
  if (opcode === MOV_LOAD) return (modrm & 0xc7) === 0x05 ? forms.lea : null;
  if (opcode !== 0xff) return null;
  return modrm === 0x15 ? forms.call : modrm === 0x25 ? forms.jump : null;
}

/**
 * Machine.rewrite with the rows of one format: `distance` is S + A − P in 32 bits; `rows` is null where thread-locals have
 * no offset from the thread pointer.
 */
export function rewriter(
  distance: FixupRow,
  rows: ThreadRows | null,
): (row: FixupRow, goal: RewriteGoal, bytes: Uint8Array, offset: number) => Rewrite | null {
  const forms = directForms(distance);
  return (row, goal, bytes, offset) => {
    if (!row.relaxable) return null;
    const { expression } = row;
    const rex2 = row.name.includes('CODE_4');
    if (goal === 'direct') return expression === 'G+A-P' ? rewriteSlotLoad(bytes, offset, forms) : null;
    if (rows === null) return null;
    switch (expression) {
      case 'GGD+A-P':
        return rewriteGeneralDynamic(bytes, offset, goal, rows);
      case 'GLD+A-P':
        return goal === 'local-exec' ? rewriteLocalDynamic(bytes, offset) : null;
      case 'GTP+A-P':
        return goal === 'local-exec' ? rewriteInitialExec(slotLoad(bytes, offset, rex2), rows) : null;
      case 'GDESC+A-P':
        return rewriteDescriptor(slotLoad(bytes, offset, rex2), goal, rows);
      case 'tls-desc':
        return startsWith(bytes, offset, [0xff, 0x10]) ? NO_CALL : null;
      default:
        return null;
    }
  };
}
