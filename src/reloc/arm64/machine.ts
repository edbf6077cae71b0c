// arm64 as the passes see it. Rows come from the format's table.
import { INT32, INT64, WORD32 } from '../fields.js';
import type { FixupRow } from '../fixup.js';
import type { EntryStubs, Machine } from '../machine.js';
import { boundStubs, type MachineFormat } from '../shared-machine.js';
import { ARM64_ENTRY, callBefore, calls, CODE_FILL } from './entry.js';
import { farReferences, NEAR } from './far-access.js';
import { ARM64_ENTRY_THROUGH_WORD, ARM64_WORD_JUMP, slotOfJump } from './through-word.js';
import { ADD12_LO, ADRP21, LDST64, LOW12, readWord } from './fields.js';
import { adrp, assemble, br, BTI_C, load } from './instructions.js';
import { ARM64_LANDING_PLT, ARM64_LANDING_VENEER, ARM64_PLT, ARM64_STUB, ARM64_VENEER } from './plt.js';
import { threadLocalRewriter, type RowOf } from './rewrite.js';
import { directLoads } from './slot-loads.js';

/** Two words in front of the thread-locals of the program: the thread control block. */
const CONTROL_BLOCK = 16;

/**
 * Behind the control block, at the distance that keeps the template's own alignment.
 * Source: ELF Handling For Thread-Local Storage, 3 (variant I); SYSVABI64, "TLS".
 */
function threadLocalsStart({ address, align }: { readonly address: number; readonly align: number }): number {
  const rest = (((address - CONTROL_BLOCK) % align) + align) % align;
  return CONTROL_BLOCK + rest;
}

/** PACIASP, PACIBSP and the BTI that let indirect calls in: a stub before such a body must let them in too. */
const LANDINGS: ReadonlySet<number> = new Set([BTI_C, 0xd50324df, 0xd503233f, 0xd503237f]);

const IP0 = 16;

/** adrp x16, slot; ldr x16, [x16]; br x16; before it `bti c` where the body has a landing. */
function entryStubs(page: FixupRow, low: FixupRow, distance: FixupRow): EntryStubs {
  const headOf = (stub: Uint8Array): number => (stub.length >= 4 && readWord(stub, 0) >>> 0 === BTI_C ? 4 : 0);
  return {
    align: 4,
    longest: 20,
    build(body, apart = false) {
      const head = body.length >= 4 && LANDINGS.has(readWord(body, 0) >>> 0) ? [BTI_C] : [];
      const at = 4 * head.length;
      const jump = [...head, adrp(IP0), load(IP0, IP0), br(IP0)];
      const toSlot = [
        { offset: at, to: 'slot', row: page, addend: 0 },
        { offset: at + 4, to: 'slot', row: low, addend: 0 },
      ] as const;
      if (!apart) return { bytes: assemble(...jump), fields: toSlot };
      const toBody = { offset: 4 * jump.length, to: 'body', row: distance, addend: 0 } as const;
      return { bytes: assemble(...jump, 0), fields: [...toSlot, toBody] };
    },
    slotOf(stub, at) {
      const head = headOf(stub);
      return slotOfJump(stub.subarray(head), at + head);
    },
    bodyOf(stub, at) {
      const field = headOf(stub) + ARM64_STUB.size;
      return stub.length < field + 4 ? null : at + field + INT32.decode(stub, field);
    },
  };
}

/** The machine with the rows and loaders of one format. */
export function arm64Machine({ rows, pageSize, dynamic, lazy, codeStays, hasAgent }: MachineFormat): Machine {
  const find: RowOf<undefined> = (expression, field) =>
    rows.find((candidate) => candidate.expression === expression && candidate.field.name === field);
  const rowOf: RowOf = (expression, field) => {
    const row = find(expression, field);
    if (row === undefined) throw new Error(`internal: a format of this machine has no ${expression} in ${field}`);
    return row;
  };
  const direct = directLoads(
    rowOf('Page(S+A)-Page(P)', ADRP21.name),
    find('S+A', ADD12_LO.name) ?? rowOf('S+A', LOW12.name),
  );
  // Not all systems have thread-locals at offsets from the thread pointer.
  const threadLocals = rows.some(({ expression }) => expression === 'TP+A') ? threadLocalRewriter(rowOf) : null;
  return {
    pointerSize: 8,
    pageSize,
    codeStays,
    codeIn: 'memory',
    countsFromEnd: false,
    hasAgent,
    rows: new Map(rows.map((row) => [row.type, row])),
    addressRow: rowOf('S+A', INT64.name),
    codeFill: CODE_FILL,
    threadLocalsStart,
    stub: ARM64_STUB,
    entryStubs: entryStubs(
      rowOf('Page(S+A)-Page(P)', ADRP21.name),
      find('S+A', LDST64.low.name) ?? rowOf('S+A', LOW12.name),
      find('S+A-P', WORD32.name) ?? rowOf('S+A-P', INT32.name),
    ),
    far: { near: NEAR, align: 4, references: farReferences },
    entry: ARM64_ENTRY,
    entryThroughWord: ARM64_ENTRY_THROUGH_WORD,
    wordJump: ARM64_WORD_JUMP,
    calls,
    stackPointer: 31, // AADWARF64, "DWARF register names"
    longestCall: 4,
    callBefore,
    rewrite(row, goal, bytes, offset) {
      if (!row.relaxable || offset < 0 || offset + 4 > bytes.length) return null;
      return goal === 'direct' ? direct(row, bytes, offset) : (threadLocals?.(row, goal, bytes, offset) ?? null);
    },
    shared: {
      maxPageSize: pageSize,
      slotAddend: 0,
      table: 'got',
      dynamic,
      plt: lazy ? ARM64_PLT : boundStubs(ARM64_STUB),
      landingPlt: lazy ? ARM64_LANDING_PLT : boundStubs(ARM64_STUB),
      veneer: ARM64_VENEER,
      landingVeneer: ARM64_LANDING_VENEER,
    },
  };
}
