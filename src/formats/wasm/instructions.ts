// The instructions of a function's body, as far as finding its direct calls needs: how long each is. Core, "Instructions",
// release 3, with the older exception handling that compilers still write. Those of garbage-collected types are unknown.
import { LIMITS } from '../../bytes/limits.js';
import * as wasm from './constants.js';

/** A direct call in a body. */
export interface CallSite {
  /** Of the instruction, in the body. */
  readonly at: number;
  /** Behind it. */
  readonly end: number;
  /** It is the last thing that its function does. */
  readonly tail: boolean;
  /** Index of the function. */
  readonly callee: number;
}

/** What follows an opcode. */
type Immediates =
  | 'none'
  | 'index'
  | 'two indexes'
  | 'block type'
  | 'memory'
  | 'byte'
  | '4 bytes'
  | '8 bytes'
  | '16 bytes'
  | 'memory and byte'
  | 'labels'
  | 'types'
  | 'handlers'
  | 'prefix';

/** Rows: first opcode, last opcode, immediates. */
const ROWS: readonly (readonly [number, number, Immediates])[] = [
  [0x00, 0x01, 'none'], // unreachable, nop
  [0x02, 0x04, 'block type'], // block, loop, if
  [0x05, 0x05, 'none'], // else
  [0x06, 0x06, 'block type'], // try
  [0x07, 0x09, 'index'], // catch, throw, rethrow
  [0x0a, 0x0b, 'none'], // throw_ref, end
  [0x0c, 0x0d, 'index'], // br, br_if
  [0x0e, 0x0e, 'labels'], // br_table
  [0x0f, 0x0f, 'none'], // return
  [0x10, 0x10, 'index'], // call
  [0x11, 0x11, 'two indexes'], // call_indirect
  [0x12, 0x12, 'index'], // return_call
  [0x13, 0x13, 'two indexes'], // return_call_indirect
  [0x14, 0x15, 'index'], // call_ref, return_call_ref
  [0x18, 0x18, 'index'], // delegate
  [0x19, 0x1b, 'none'], // catch_all, drop, select
  [0x1c, 0x1c, 'types'], // select
  [0x1f, 0x1f, 'handlers'], // try_table
  [0x20, 0x26, 'index'], // locals, globals, table.get, table.set
  [0x28, 0x3e, 'memory'], // loads, stores
  [0x3f, 0x42, 'index'], // memory.size, memory.grow, i32.const, i64.const
  [0x43, 0x43, '4 bytes'], // f32.const
  [0x44, 0x44, '8 bytes'], // f64.const
  [0x45, 0xc4, 'none'], // comparisons, arithmetic, conversions
  [0xd0, 0xd0, 'index'], // ref.null
  [0xd1, 0xd1, 'none'], // ref.is_null
  [0xd2, 0xd2, 'index'], // ref.func
  [0xd3, 0xd4, 'none'], // ref.eq, ref.as_non_null
  [0xd5, 0xd6, 'index'], // br_on_null, br_on_non_null
  [0xfc, 0xfe, 'prefix'],
];

/** The same behind a prefix, by the number that follows it. */
const PREFIXED: Readonly<Record<number, readonly (readonly [number, number, Immediates])[]>> = {
  0xfc: [
    [0, 7, 'none'], // saturating conversions
    [8, 8, 'two indexes'], // memory.init
    [9, 9, 'index'], // data.drop
    [10, 10, 'two indexes'], // memory.copy
    [11, 11, 'index'], // memory.fill
    [12, 12, 'two indexes'], // table.init
    [13, 13, 'index'], // elem.drop
    [14, 14, 'two indexes'], // table.copy
    [15, 17, 'index'], // table.grow, table.size, table.fill
    [19, 22, 'none'], // 128-bit arithmetic
  ],
  0xfd: [
    [0, 11, 'memory'],
    [12, 13, '16 bytes'], // v128.const, i8x16.shuffle
    [14, 20, 'none'],
    [21, 34, 'byte'], // lanes
    [35, 83, 'none'],
    [84, 91, 'memory and byte'],
    [92, 93, 'memory'],
    [94, 0x11f, 'none'],
  ],
  0xfe: [
    [0, 2, 'memory'], // notify, wait
    [3, 3, 'byte'], // fence
    [0x10, 0x4e, 'memory'],
  ],
};

/** Of memory immediates: a memory's index follows. */
const HAS_MEMORY_INDEX = 0x40;

/** By opcode; undefined for an unknown one. */
const BY_OPCODE: readonly (Immediates | undefined)[] = Array.from({ length: 256 }, (_, opcode) => {
  return ROWS.find(([first, last]) => opcode >= first && opcode <= last)?.[2];
});

/** Reads one body. */
class Walk {
  private readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Past a number of any width; NaN is what is out of the body. */
  private skipLeb(): void {
    for (let count = 0; count < LIMITS.lebBytes; count++) if ((this.bytes[this.at++] ?? NaN) < 0x80) return;
    this.at = NaN;
  }

  /** So that a count that is too large ends soon. */
  private isInside(): boolean {
    return this.at <= this.bytes.length;
  }

  u32(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < LIMITS.lebBytes; count++) {
      const byte = this.bytes[this.at++] ?? NaN;
      value += (byte % 128) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    this.at = NaN;
    return NaN;
  }

  /** Past the declarations in front: counts of locals with their types. */
  locals(): void {
    for (let left = this.u32(); left > 0 && this.isInside(); left--) {
      this.skipLeb();
      this.valueType();
    }
  }

  private valueType(): void {
    const byte = this.bytes[this.at++];
    if (byte === wasm.TYPE_REF || byte === wasm.TYPE_REF_NULL) this.skipLeb();
  }

  /** Past what follows an opcode; false where it is unknown. */
  immediates(opcode: number): boolean {
    const kind = BY_OPCODE[opcode];
    return kind !== undefined && this.pass(kind, opcode);
  }

  private pass(kind: Immediates, opcode: number): boolean {
    switch (kind) {
      case 'none':
        return true;
      case 'index':
        this.skipLeb();
        return true;
      case 'two indexes':
        this.skipLeb();
        this.skipLeb();
        return true;
      case 'block type': {
        const byte = this.bytes[this.at];
        if (byte === wasm.TYPE_REF || byte === wasm.TYPE_REF_NULL) this.valueType();
        else this.skipLeb();
        return true;
      }
      case 'memory':
        this.memory();
        return true;
      case 'memory and byte':
        this.memory();
        this.at += 1;
        return true;
      case 'byte':
        this.at += 1;
        return true;
      case '4 bytes':
        this.at += 4;
        return true;
      case '8 bytes':
        this.at += 8;
        return true;
      case '16 bytes':
        this.at += 16;
        return true;
      case 'labels':
        for (let left = this.u32(); left >= 0 && this.isInside(); left--) this.skipLeb();
        return true;
      case 'types':
        for (let left = this.u32(); left > 0 && this.isInside(); left--) this.valueType();
        return true;
      case 'handlers':
        this.pass('block type', opcode);
        for (let left = this.u32(); left > 0 && this.isInside(); left--) {
          // catch and catch_ref name a tag, the two for everything do not.
          const tagged = (this.bytes[this.at++] ?? NaN) < 2;
          if (tagged) this.skipLeb();
          this.skipLeb();
        }
        return true;
      case 'prefix': {
        const number = this.u32();
        const row = PREFIXED[opcode]?.find(([first, last]) => number >= first && number <= last);
        return row !== undefined && this.pass(row[2], opcode);
      }
    }
  }

  private memory(): void {
    if (((this.bytes[this.at] ?? NaN) & HAS_MEMORY_INDEX) !== 0) this.skipLeb();
    this.skipLeb();
    this.skipLeb();
  }
}

/**
 * Calls `visit` for every direct call of a body, in order; `body` begins with the locals. False where an instruction is
 * not known, or the body ends in the middle of one.
 */
export function visitCalls(body: Uint8Array, visit: (site: CallSite) => void): boolean {
  const walk = new Walk(body);
  walk.locals();
  while (walk.at < body.length) {
    const at = walk.at++;
    const opcode = body[at] as number;
    if (opcode === wasm.OP_CALL || opcode === wasm.OP_RETURN_CALL) {
      const callee = walk.u32();
      if (!(walk.at <= body.length)) return false;
      visit({ at, end: walk.at, tail: opcode === wasm.OP_RETURN_CALL, callee });
    } else if (!walk.immediates(opcode)) return false;
  }
  return walk.at === body.length;
}
