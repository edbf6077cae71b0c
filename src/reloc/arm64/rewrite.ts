// TLS code sequences of arm64 and what they become where the offset from the thread pointer is known, or stands in a
// slot. Each relocation of a descriptor's sequence is rewritten by itself; calls of __tls_get_addr as a whole.
// Source: SYSVABI64, "Code models" (TLS sequences); AAELF64, "Relocation optimization" and the TLS tables.
import type { FixupRow } from '../fixup.js';
import type { Rewrite, RewriteGoal } from '../machine.js';
import { readWord } from './fields.js';
import {
  add,
  addHigh,
  addRegisters,
  adr,
  adrp,
  assemble,
  load,
  loadLiteral,
  movk,
  movz,
  movzHigh,
  NOP,
  readThreadPointer,
} from './instructions.js';

/** The rows that rewritten code uses, by the expression and the field's name. */
export type RowOf<Absent = never> = (expression: FixupRow['expression'], field: string) => FixupRow | Absent;

type ThreadGoal = Exclude<RewriteGoal, 'direct'>;

/** New words at the relocation, with a row for those that have a field. */
export function replaced(swallow: number, ...lines: readonly (readonly [word: number, row?: FixupRow])[]): Rewrite {
  const fields = lines.flatMap(([, row], i) => (row === undefined ? [] : [{ at: 4 * i, row, addend: 0 }]));
  return { from: 0, bytes: assemble(...lines.map(([word]) => word)), fields, swallow };
}

const wordAt = (bytes: Uint8Array, offset: number): number => readWord(bytes, offset) >>> 0;
const isBranchWithLink = (word: number): boolean => word >>> 26 === 0x25;

/** `bl __tls_get_addr; nop` at an offset. */
function isCall(bytes: Uint8Array, offset: number): boolean {
  if (offset < 0 || offset + 8 > bytes.length) return false;
  return isBranchWithLink(wordAt(bytes, offset)) && wordAt(bytes, offset + 4) === NOP;
}

/** `adrp x0; add x0, x0; bl; nop` from an offset on, as small code asks for the address of a pair. */
function isSmallPair(bytes: Uint8Array, offset: number): boolean {
  const head = (wordAt(bytes, offset) & 0x9f00001f) >>> 0;
  const second = (wordAt(bytes, offset + 4) & 0xffc003ff) >>> 0;
  return head === adrp(0) >>> 0 && second === add(0, 0) >>> 0 && isCall(bytes, offset + 8);
}

/** `adr x0; bl; nop`, as tiny code does. */
function isTinyPair(bytes: Uint8Array, offset: number): boolean {
  return (wordAt(bytes, offset) & 0x9f00001f) >>> 0 === adr(0) && isCall(bytes, offset + 4);
}

/** Machine.rewrite for thread-locals, with the rows of one format. */
export function threadLocalRewriter(
  rowOf: RowOf,
): (row: FixupRow, goal: ThreadGoal, bytes: Uint8Array, offset: number) => Rewrite | null {
  const offsetHigh = rowOf('TP+A', 'movw g1 signed');
  const offsetLow = rowOf('TP+A', 'movw g0 unchecked');
  const offset16 = rowOf('TP+A', 'movw g0 signed');
  const offsetHigh12 = rowOf('TP+A', 'add12 hi12');
  const offsetLow12 = rowOf('TP+A', 'add12 lo12');
  const slotPage = rowOf('Page(GTP+A)-Page(P)', 'adrp21');
  const slotLow = rowOf('GTP+A', 'ldst64 lo12');
  const slotNear = rowOf('GTP+A-P', 'literal19');
  const slotHighOfGot = rowOf('GTP+A-GOT', 'movw g1 signed');
  const slotLowOfGot = rowOf('GTP+A-GOT', 'movw g0 unchecked');

  const nothing = replaced(0, [NOP]);
  const localPair = [[readThreadPointer(0)], [addHigh(0, 0), offsetHigh12], [add(0, 0), offsetLow12]] as const;
  const fromSlot = [[readThreadPointer(1)], [addRegisters(0, 1, 0)]] as const;

  /** General dynamic: up to 16 MiB from the thread pointer. */
  function pair(goal: ThreadGoal, small: boolean): Rewrite {
    if (goal === 'local-exec') return small ? replaced(2, ...localPair, [NOP]) : replaced(1, ...localPair);
    return small
      ? replaced(2, [adrp(0), slotPage], [load(0, 0), slotLow], ...fromSlot)
      : replaced(1, [loadLiteral(0), slotNear], ...fromSlot);
  }

  /** Local dynamic: the thread pointer itself; what is added to it later is an offset from there. */
  function ownModule(small: boolean): Rewrite {
    return small
      ? replaced(2, [readThreadPointer(0)], [NOP], [NOP], [NOP])
      : replaced(1, [readThreadPointer(0)], [NOP], [NOP]);
  }

  return (row, goal, bytes, offset) => {
    const local = goal === 'local-exec';
    const word = wordAt(bytes, offset);
    const to = word & 0x1f;
    const from = (word >>> 5) & 0x1f;
    switch (row.expression) {
      case 'Page(GGD+A)-Page(P)':
        return isSmallPair(bytes, offset) ? pair(goal, true) : null;
      case 'GGD+A-P':
        return isTinyPair(bytes, offset) ? pair(goal, false) : null;
      case 'Page(GLD+A)-Page(P)':
        return local && isSmallPair(bytes, offset) ? ownModule(true) : null;
      case 'GLD+A-P':
        return local && isTinyPair(bytes, offset) ? ownModule(false) : null;
      // adrp xN; ldr xT, [xN]. With two registers the load alone must do, which takes 16 bits.
      case 'Page(GTP+A)-Page(P)':
        return local ? replaced(0, [movzHigh(to), offsetHigh]) : null;
      case 'GTP+A':
        if (!local) return null;
        return to === from ? replaced(0, [movk(to), offsetLow]) : replaced(0, [movz(to), offset16]);
      case 'GTP+A-P':
        return local ? replaced(0, [movz(to), offset16]) : null;
      // adrp x0; ldr x1, [x0]; add x0, x0; blr x1
      case 'Page(GDESC+A)-Page(P)':
        return replaced(0, local ? [movzHigh(0), offsetHigh] : [adrp(0), slotPage]);
      case 'GDESC+A':
        if (row.field.name !== 'ldst64 lo12') return nothing;
        return replaced(0, local ? [movk(0), offsetLow] : [load(0, 0), slotLow]);
      // ldr x1, literal; adr x0; blr x1
      case 'GDESC+A-P':
        if (row.field.name === 'adr21') return replaced(0, local ? [movk(0), offsetLow] : [loadLiteral(0), slotNear]);
        return local ? replaced(0, [movzHigh(0), offsetHigh]) : nothing;
      // movz x0; movk x0; ldr x1, [gp, x0]; add x0, gp, x0; blr x1
      case 'GDESC+A-GOT':
        if (row.field.name === 'movw g1 signed')
          return replaced(0, local ? [movzHigh(0), offsetHigh] : [movzHigh(0), slotHighOfGot]);
        return replaced(0, local ? [movk(0), offsetLow] : [movk(0), slotLowOfGot]);
      case 'tls-desc':
        // The load of the descriptor's function becomes one of the slot, into x0; the rest has nothing to do.
        return !local && row.name.endsWith('_LDR') ? replaced(0, [(word & ~0x1f) >>> 0]) : nothing;
      default:
        return null;
    }
  };
}
