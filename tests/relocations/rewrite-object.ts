// Applies the machine's rewrites to an object file in place, as a pass of a linker would, so that any linker can link the
// result and the processor say whether the new code is right. Relocations that are gone become R_…_NONE, which is 0.
import type { MachineName } from '../../src/formats/object-file.js';
import type { RewriteGoal } from '../../src/reloc/machine.js';
import { machineFor } from '../../src/reloc/machines.js';

const SECTION_HEADER = 64;
const ENTRY = 24;
const SHT_RELA = 4;
const SHF_EXECINSTR = 4;

interface Header {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  /** Of relocations: the section they are for. */
  readonly info: number;
}

/** gABI, "Section header table"; all offsets are small. */
function headers(view: DataView): Header[] {
  const at = Number(view.getBigUint64(0x28, true));
  return Array.from({ length: view.getUint16(0x3c, true) }, (_, i) => {
    const header = at + i * SECTION_HEADER;
    return {
      type: view.getUint32(header + 4, true),
      flags: view.getUint32(header + 8, true),
      offset: Number(view.getBigUint64(header + 24, true)),
      size: Number(view.getBigUint64(header + 32, true)),
      info: view.getUint32(header + 44, true),
    };
  });
}

export interface RewrittenObject {
  readonly bytes: Uint8Array;
  /** Names of the relocations whose code was rewritten, once each. */
  readonly rewritten: ReadonlySet<string>;
}

/** The object with all of its code rewritten that the goal is possible for. `machine` is the object's. */
export function rewriteObject(object: Uint8Array, machine: MachineName, goal: RewriteGoal): RewrittenObject {
  const bytes = Uint8Array.from(object);
  const view = new DataView(bytes.buffer);
  const { rows, rewrite } = machineFor('elf', machine, 'object');
  const all = headers(view);
  const rewritten = new Set<string>();
  let ownModule = false;
  const entries = function* (): Iterable<{ code: Uint8Array; at: number; end: number }> {
    for (const { type, offset, size, info } of all) {
      const target = all[info];
      if (type !== SHT_RELA || target === undefined || target.flags % (2 * SHF_EXECINSTR) < SHF_EXECINSTR) continue;
      const code = bytes.subarray(target.offset, target.offset + target.size);
      for (let at = offset; at < offset + size; at += ENTRY) yield { code, at, end: offset + size };
    }
  };
  const swallowed = new Set<number>();
  for (const { code, at } of entries()) {
    const row = rows.get(view.getUint32(at + 8, true));
    if (row === undefined || swallowed.has(at)) continue;
    const offset = Number(view.getBigUint64(at, true));
    const symbol = view.getUint32(at + 12, true);
    const addend = view.getBigInt64(at + 16, true);
    const change = rewrite(row, goal, code, offset);
    if (change === null) continue;
    rewritten.add(row.name);
    if (row.expression.includes('GLD+A')) ownModule = true;
    code.set(change.bytes, offset + change.from);
    for (let i = 0; i <= change.swallow; i++) {
      const entry = at + i * ENTRY;
      swallowed.add(entry);
      const field = change.fields[i];
      view.setBigUint64(entry, BigInt(offset + (field?.at ?? 0)), true);
      view.setUint32(entry + 8, field?.row.type ?? 0, true);
      view.setUint32(entry + 12, field === undefined ? 0 : symbol, true);
      view.setBigInt64(entry + 16, field === undefined ? 0n : addend + BigInt(field.addend), true);
    }
  }
  // The module's own block now begins at the thread pointer, so what was an offset in it counts from there.
  for (const { at } of ownModule ? entries() : []) {
    const row = rows.get(view.getUint32(at + 8, true));
    if (row?.expression !== 'DTP+A') continue;
    const same = [...rows.values()].find(({ expression, field }) => expression === 'TP+A' && field === row.field);
    view.setUint32(at + 8, same?.type ?? row.type, true);
  }
  return { bytes, rewritten };
}
