// arm64 as the passes see it. Rows come from the format's table.
import { INT64 } from '../fields.js';
import type { Expression, FixupRow } from '../fixup.js';
import type { EntryStubs, Machine } from '../machine.js';
import type { DynamicTypes } from '../shared-machine.js';
import { ARM64_ENTRY, callBefore, calls, CODE_FILL } from './entry.js';
import { ARM64_ENTRY_THROUGH_WORD, slotOfJump } from './through-word.js';
import { ADRP21, LDST64, readWord } from './fields.js';
import { adrp, assemble, br, BTI_C, load } from './instructions.js';
import { ARM64_LANDING_PLT, ARM64_LANDING_VENEER, ARM64_PLT, ARM64_STUB, ARM64_VENEER } from './plt.js';
import { rewriter } from './rewrite.js';

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
function entryStubs(page: FixupRow, low: FixupRow): EntryStubs {
  return {
    align: 4,
    build(body) {
      const head = body.length >= 4 && LANDINGS.has(readWord(body, 0) >>> 0) ? [BTI_C] : [];
      const at = 4 * head.length;
      return {
        bytes: assemble(...head, adrp(IP0), load(IP0, IP0), br(IP0)),
        fields: [
          { offset: at, row: page, addend: 0 },
          { offset: at + 4, row: low, addend: 0 },
        ],
      };
    },
    slotOf(stub, at) {
      const head = stub.length >= 4 && readWord(stub, 0) >>> 0 === BTI_C ? 4 : 0;
      return slotOfJump(stub.subarray(head), at + head);
    },
  };
}

/** The machine with the rows of one format, and the numbers of the relocations that its loaders know. */
export function arm64Machine(rows: readonly FixupRow[], dynamic: DynamicTypes): Machine {
  const rowOf = (expression: Expression, field: string): FixupRow => {
    const row = rows.find((candidate) => candidate.expression === expression && candidate.field.name === field);
    if (row === undefined) throw new Error(`internal: a format of this machine has no ${expression} in ${field}`);
    return row;
  };
  return {
    pointerSize: 8,
    // Systems run with 4, 16 or 64 KiB: what is aligned for the largest is for all.
    pageSize: 0x1_0000,
    rows: new Map(rows.map((row) => [row.type, row])),
    addressRow: rowOf('S+A', INT64.name),
    codeFill: CODE_FILL,
    threadLocalsStart,
    stub: ARM64_STUB,
    entryStubs: entryStubs(rowOf('Page(S+A)-Page(P)', ADRP21.name), rowOf('S+A', LDST64.low.name)),
    far: null,
    entry: ARM64_ENTRY,
    entryThroughWord: ARM64_ENTRY_THROUGH_WORD,
    calls,
    stackPointer: 31, // AADWARF64, "DWARF register names"
    longestCall: 4,
    callBefore,
    rewrite: rewriter(rowOf),
    shared: {
      maxPageSize: 0x1_0000,
      slotAddend: 0,
      table: 'got',
      dynamic,
      plt: ARM64_PLT,
      landingPlt: ARM64_LANDING_PLT,
      veneer: ARM64_VENEER,
      landingVeneer: ARM64_LANDING_VENEER,
    },
  };
}
