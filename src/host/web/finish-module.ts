// A prepared module that another tool went over, as wasm-bindgen does and wasm-opt after it: whether all is where patches
// will look for it, and what the tool added led through the slots. Where it is, was fixed before: addresses, slots and names
// of exports, so the tool's own numbering does not matter, nor whether it keeps names.
import { sameBytes } from '../../bytes/same.js';
import { decodeText } from '../../bytes/text.js';
import { IpbpError } from '../../codes/error.js';
import { BASE_SECTION, type BaseDescription, baseSection } from '../../formats/wasm/base-section.js';
import { constantOf } from '../../formats/wasm/const-expr.js';
import * as wasm from '../../formats/wasm/constants.js';
import { encodeModule } from '../../formats/wasm/encode-sections.js';
import { factsOf, type WasmFacts } from '../../formats/wasm/facts.js';
import { finishBase } from '../../formats/wasm/finish-base.js';
import type { LinkedInput } from '../../formats/wasm/known-places.js';
import type { ModuleSection } from '../../formats/wasm/module.js';
import { knownSlots } from '../../formats/wasm/table-slots.js';
import { decodeFacts, encodeFacts, FACTS_SECTION } from '../../patch/program/tabled-facts.js';
import type { PreparedModule } from './base-facts.js';
import { signatureOf } from './base-facts.js';

/**
 * Makes the tool's output a base again.
 * @param prepared what the tool was given
 * @throws IpbpError IPBP1001, IPBP1002, IPBP1003 for a broken file, IPBP2041 where patches would not find what they need
 */
export function finishModule(prepared: PreparedModule, changed: LinkedInput): PreparedModule {
  const { name } = changed;
  const open = (bytes: Uint8Array): WasmFacts => factsOf(bytes, name);
  const before = open(prepared.bytes);
  const after = open(changed.bytes);
  const { description } = prepared;
  checkData(before, after, name);
  checkSlots(prepared, after, name);
  for (const own of [description.memory, description.table, description.stackPointer]) {
    if (!exportNames(after).has(own)) refuse(name, 'an export is not there any more', own);
  }
  const patchable = new Set(prepared.facts.functions.flatMap((one) => (one.patchable ? one.slot : [])));
  const finished = finishBase(changed.bytes, name, (slot) => patchable.has(slot));
  // Memory that a tool takes for itself lies where the arena would begin.
  const start = (after.memoryLimits()?.minimum ?? 0) * wasm.PAGE_SIZE;
  const moved = { ...description, arena: start };
  const facts = { ...prepared.facts, arena: { ...prepared.facts.arena, start } };
  return { bytes: withSections(open(finished), moved, encodeFacts(facts)), facts, description: moved };
}

/** Beside what a tool was given, what was made of its output. */
export const FINISHED = 'finished.wasm';

/** What a prepared module says of itself. Throws IPBP2041 where it says nothing. */
export function readPrepared(bytes: Uint8Array, name: string): PreparedModule {
  const facts = factsOf(bytes, name);
  const content = (section: string): Uint8Array =>
    facts.custom(section) ?? refuse(name, 'what it said of itself is not there any more', section);
  const description = JSON.parse(decodeText(content(BASE_SECTION))) as BaseDescription;
  return { bytes, facts: decodeFacts(content(FACTS_SECTION), name), description };
}

function refuse(where: string, why: string, expected: string, actual?: string): never {
  const facts = { where, expected, ...(actual === undefined ? {} : { actual }) };
  throw new IpbpError('IPBP2041', `the module was changed after it was prepared for patches: ${why}`, facts);
}

function exportNames(facts: WasmFacts): ReadonlySet<string> {
  return new Set((facts.content('export')?.exports ?? []).map(({ name }) => name));
}

/** By address; what a segment's code puts somewhere is known by its content. */
function dataOf(facts: WasmFacts): { readonly at: number | null; readonly bytes: Uint8Array }[] {
  return facts.dataSegments().map(({ place, bytes }) => {
    return { at: place === null ? null : constantOf(place.offset), bytes };
  });
}

/** Every byte that was there still is, whatever it is cut into now; zeros need not be written. */
function checkData(before: WasmFacts, after: WasmFacts, name: string): void {
  const now = dataOf(after);
  for (const { at, bytes } of dataOf(before)) {
    if (at === null) {
      if (now.some((one) => one.at === null && sameBytes(one.bytes, bytes))) continue;
      refuse(name, 'data that threads write is not there any more', `${bytes.length} bytes`);
    }
    const found = new Uint8Array(bytes.length);
    for (const one of now) {
      if (one.at === null || one.at >= at + bytes.length || one.at + one.bytes.length <= at) continue;
      const from = Math.max(at, one.at);
      const to = Math.min(at + bytes.length, one.at + one.bytes.length);
      found.set(one.bytes.subarray(from - one.at, to - one.at), from - at);
    }
    if (!sameBytes(found, bytes)) refuse(name, 'data lies elsewhere', `${bytes.length} bytes at 0x${at.toString(16)}`);
  }
}

/** In each slot is still a function of the type that patches call it by. */
function checkSlots({ facts: { functions }, description }: PreparedModule, after: WasmFacts, name: string): void {
  const table = after.content('export')?.exports.find((one) => one.kind === 'table' && one.name === description.table);
  if (table !== undefined && table.index !== 0) refuse(name, 'the table is not the first one', '0', `${table.index}`);
  const types = after.functionTypes();
  const inSlot = new Map<number, string>();
  for (const [index, slots] of knownSlots(after.elementSegments())) {
    for (const slot of slots) inSlot.set(slot, signatureOf(after, types[index] ?? -1));
  }
  for (const one of functions) {
    const actual = inSlot.get(one.slot);
    if (actual !== one.signature)
      refuse(name, `slot ${one.slot} has not the function ${one.name}`, one.signature, actual ?? 'nothing');
  }
}

function withSections(facts: WasmFacts, description: BaseDescription, known: Uint8Array): Uint8Array {
  const own = [baseSection(description), { name: FACTS_SECTION, bytes: known }];
  const sections = facts.sections().filter((one) => one.id !== 'custom' || !own.some(({ name }) => name === one.name));
  const added = own.map((one): ModuleSection => ({ id: 'custom', ...one, nameWidth: 0, lengthWidth: 0 }));
  return encodeModule([...sections, ...added]);
}
