// Makes a linked module a base for patches, with all that is known of it: functions' slots by the rewrite, statics'
// addresses by what the linker made of its objects.
import { IpbpError } from '../../codes/error.js';
import type { BaseDescription } from '../../formats/wasm/base-section.js';
import { openArchive } from '../../formats/archive.js';
import { withCustomSection } from '../../formats/wasm/encode-sections.js';
import { factsOf, type WasmFacts } from '../../formats/wasm/facts.js';
import { findPlaces, placeName, type KnownPlaces, type LinkedInput } from '../../formats/wasm/known-places.js';
import { namesIn } from '../../formats/wasm/names.js';
import { STACK_POINTER, THREAD_BASE } from '../../formats/wasm/own-globals.js';
import { readWasm, type WasmFile } from '../../formats/wasm/read.js';
import { rewriteBase } from '../../formats/wasm/rewrite-base.js';
import { functionTypeText } from '../../formats/wasm/value-types.js';
import {
  encodeFacts,
  FACTS_SECTION,
  type TabledFacts,
  type TabledFunction,
  type TabledImport,
  type TabledStatic,
} from '../../patch/program/tabled-facts.js';

/** Bytes that patches may take; memory that nobody touches costs nothing. */
const ARENA_SIZE = 1024 * 1024;

/** A module that patches can change, and what is known of it, which it also holds itself. */
export interface PreparedModule {
  readonly bytes: Uint8Array;
  readonly facts: TabledFacts;
  /** What it tells its agent. */
  readonly description: BaseDescription;
}

/**
 * Prepares a module that was just linked.
 * @param inputs the objects that it was linked of, std's among them
 * @param choose which functions patches can change, by the names that they have in the module
 * @throws IpbpError IPBP1001, IPBP1002, IPBP1003 for broken files, IPBP2040 for a module that cannot be a base
 */
export function prepareModule(
  linked: LinkedInput,
  inputs: readonly LinkedInput[],
  choose: (name: string) => boolean,
): PreparedModule {
  // Each is opened once: what is read of them for places is what sizes are read of.
  const objects = inputs.map(({ name, bytes }) => readWasm(bytes, name));
  const places = findPlaces(objects, linked);
  const base = rewriteBase(linked.bytes, linked.name, choose, 'auto', true);
  const rewritten = factsOf(base.bytes, linked.name);
  refuseOtherCode(base.functions, places, linked.name);
  const { description } = base;
  const entered = (functions: typeof base.functions, patchable: boolean): TabledFunction[] =>
    functions.flatMap(({ name, type, slots }) =>
      slots.map((slot) => ({ name, slot, signature: signatureOf(rewritten, type), patchable })),
    );
  const own = [...entered(base.functions, true), ...entered(base.callable, false)];
  const facts: TabledFacts = {
    identity: Uint8Array.from(description.identity.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16)),
    functions: [...own, ...othersInTable(places, rewritten, own)],
    imports: base.importsChange ? [] : importsOf(rewritten),
    statics: staticsOf(objects, places),
    globals: [
      { name: STACK_POINTER, exported: description.stackPointer, mutable: true },
      ...(description.threadBase === null
        ? []
        : [{ name: THREAD_BASE, exported: description.threadBase, mutable: true }]),
    ],
    tableSize: base.tableLength,
    arena: { start: description.arena, size: ARENA_SIZE },
    memory: description.memory,
    table: description.table,
    sharedPages: sharedPages(rewritten),
  };
  return { bytes: withCustomSection(base.bytes, FACTS_SECTION, encodeFacts(facts)), facts, description };
}

/** The objects of an archive; an rlib holds metadata, too. */
export function objectsIn({ name, bytes }: LinkedInput): LinkedInput[] {
  const archive = openArchive(bytes, name);
  return archive.members
    .filter((member) => member.name.endsWith('.o'))
    .map((member) => ({ name: `${name}(${member.name})`, bytes: archive.memberBytes(member.index) }));
}

/** Names of all functions that these objects hold, of generic ones that they have instances of, too. */
export function definedIn(objects: readonly LinkedInput[]): ReadonlySet<string> {
  return new Set(
    objects.flatMap(({ name, bytes }) =>
      readWasm(bytes, name).symbols.flatMap((symbol) =>
        symbol.kind === 'function' && typeof symbol.section === 'number' ? [symbol.name] : [],
      ),
    ),
  );
}

/**
 * What a linker makes holds the objects' functions as they are. Where it does not, link-time optimisation or a tool behind
 * the linker made others of them, and where statics are cannot be told. IPBP2040.
 */
function refuseOtherCode(functions: readonly { readonly name: string }[], places: KnownPlaces, where: string): void {
  const known = functions.filter(({ name }) => places.functions.has(placeName(name)));
  // Of several copies of one name it is not known which is which.
  if (known.length * 2 >= functions.length) return;
  throw new IpbpError('IPBP2040', 'the module cannot be made one for patches: its code is not that of its objects', {
    expected: `${functions.length} functions as the objects have them`,
    actual: `${known.length}`,
    where,
  });
}

/** The text of a type by its index; empty where there is none. */
export function signatureOf(facts: WasmFacts, type: number): string {
  const found = facts.types()[type];
  return found === undefined ? '' : functionTypeText(found);
}

/** The host's functions, under the names that the linker left them. */
function importsOf(facts: WasmFacts): TabledImport[] {
  const names = new Map(namesIn(facts.names(), 'function').map(({ index, name }) => [index, name]));
  const types = facts.functionTypes();
  return facts.imports('function').map(({ module, field }, index) => {
    return { name: names.get(index) ?? field, module, field, signature: signatureOf(facts, types[index] ?? -1) };
  });
}

/** What has a slot as code takes its address, and is none of those that patches change. */
function othersInTable(places: KnownPlaces, facts: WasmFacts, known: readonly TabledFunction[]): TabledFunction[] {
  const slots = new Set(known.map(({ slot }) => slot));
  // What has a slot of its own and one besides is called through its own: another tool may change the other.
  const names = new Set(known.map(({ name }) => name));
  const types = facts.functionTypes();
  return [...places.slots].flatMap(([name, slot]): TabledFunction[] => {
    const type = types[places.functions.get(name) ?? -1];
    if (type === undefined || slots.has(slot) || names.has(name)) return [];
    return [{ name, slot, signature: signatureOf(facts, type), patchable: false }];
  });
}

/** Sizes and kinds are the objects' to say. */
function staticsOf(objects: readonly WasmFile[], places: KnownPlaces): TabledStatic[] {
  const found = new Map<string, TabledStatic>();
  for (const { symbols, sections } of objects) {
    for (const { name: raw, kind, section, size } of symbols) {
      if ((kind !== 'data' && kind !== 'tls') || typeof section !== 'number') continue;
      const name = placeName(raw);
      const address = (kind === 'tls' ? places.threadLocals : places.data).get(name);
      if (address === undefined || found.has(name)) continue;
      const readonly = sections[section]?.kind === 'readonly';
      found.set(name, { name, address, size, kind: kind === 'tls' ? 'tls' : readonly ? 'readonly' : 'data' });
    }
  }
  return [...found.values()];
}

function sharedPages(facts: WasmFacts): number | null {
  const limits = facts.memoryLimits();
  return limits?.shared === true ? limits.maximum : null;
}
