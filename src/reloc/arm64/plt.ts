// The PLT of arm64, lazily bound, the stubs that jump through a slot, and veneers. All may change x16 and x17 only.
// Source: "System V ABI for the Arm 64-bit Architecture" (SYSVABI64), "Program Linkage Table"; AAPCS64, 6.1.1 (IP0, IP1).
import { applyField } from '../apply.js';
import { pageOf } from '../fixup.js';
import type { PltShape, StubShape, VeneerShape } from '../shared-machine.js';
import { ADD12_LO, ADRP21, BRANCH26, LDST64 } from './fields.js';
import { add, adrp, assemble, br, BTI_C, load, NOP, ret } from './instructions.js';

const IP0 = 16;
const IP1 = 17;

/** stp x16, x30, [sp, #-16]! */
const PUSH = 0xa9bf7bf0;

function toPage(bytes: Uint8Array, offset: number, at: number, to: number, what: string): void {
  applyField(ADRP21, bytes, offset, pageOf(to) - pageOf(at + offset), { what, where: 'made code' });
}

function within(bytes: Uint8Array, offset: number, field: typeof ADD12_LO, to: number, what: string): void {
  applyField(field, bytes, offset, to, { what, where: 'made code' });
}

/** The loader finds the slot's address in x16, and the resolver by the third word of `.got.plt`. */
function header(at: number, gotPlt: number, ...landing: readonly number[]): Uint8Array {
  const rest = [NOP, NOP, NOP].slice(landing.length);
  const bytes = assemble(...landing, PUSH, adrp(IP0), load(IP1, IP0), add(IP0, IP0), br(IP1), ...rest);
  const resolver = gotPlt + 16;
  const first = 4 * landing.length + 4;
  toPage(bytes, first, at, resolver, 'PLT header');
  within(bytes, first + 4, LDST64.low, resolver, 'PLT header');
  within(bytes, first + 8, ADD12_LO, resolver, 'PLT header');
  return bytes;
}

function entry(at: number, _headerAt: number, slot: number): Uint8Array {
  const bytes = assemble(adrp(IP0), load(IP1, IP0), add(IP0, IP0), br(IP1));
  toPage(bytes, 0, at, slot, 'PLT entry');
  within(bytes, 4, LDST64.low, slot, 'PLT entry');
  within(bytes, 8, ADD12_LO, slot, 'PLT entry');
  return bytes;
}

export const ARM64_PLT: PltShape = {
  headerSize: 32,
  entrySize: 16,
  align: 16,
  reservedWords: 3,
  header: (at, gotPlt) => header(at, gotPlt),
  entry,
  unbound: (_entryAt, headerAt) => headerAt,
};

/** Unbound slots lead to the header; entries are called, and need no landing (SYSVABI64, "PLT"; so GNU ld has it). */
export const ARM64_LANDING_PLT: PltShape = {
  ...ARM64_PLT,
  header: (at, gotPlt) => header(at, gotPlt, BTI_C),
};

/** adrp, ldr, br */
export const ARM64_STUB: StubShape = {
  size: 12,
  align: 4,
  encode(at, slot) {
    const bytes = assemble(adrp(IP0), load(IP0, IP0), br(IP0));
    toPage(bytes, 0, at, slot, 'stub');
    within(bytes, 4, LDST64.low, slot, 'stub');
    return bytes;
  },
};

/** adrp, add, and what goes there: 4 GiB in both directions. */
function veneer(leave: (register: number) => number): VeneerShape {
  return {
    field: BRANCH26,
    size: 12,
    align: 4,
    encode(at, target) {
      const bytes = assemble(adrp(IP0), add(IP0, IP0), leave(IP0));
      toPage(bytes, 0, at, target, 'veneer');
      within(bytes, 4, ADD12_LO, target, 'veneer');
      return bytes;
    },
  };
}

export const ARM64_VENEER: VeneerShape = veneer(br);

/**
 * By a return, which may lead anywhere, where branches may not (DDI 0487, "BTI": only branches through registers are
 * checked): what a direct branch leads to needs no landing.
 */
export const ARM64_LANDING_VENEER: VeneerShape = veneer(ret);
