// An object's code, data and debug information with every relocation applied by ours, for the places where wasm-ld put
// things, beside what wasm-ld made of them: the same bytes at the same indexes and addresses.
import { IpbpError } from '../../src/codes/error.js';
import type { Section } from '../../src/formats/object-file.js';
import type { WasmFile } from '../../src/formats/wasm/read.js';
import { openLinkObject } from '../../src/link/atoms.js';
import type { Binding } from '../../src/link/binding.js';
import { applyFixup, type FixupContext } from '../../src/link/fixups.js';
import type { Atom, Edge, Target } from '../../src/link/graph.js';
import { applyField } from '../../src/reloc/apply.js';
import { EXPRESSIONS } from '../../src/reloc/fixup.js';
import type { Machine } from '../../src/reloc/machine.js';
import type { Placed } from './placed.js';

/** What was compared. */
export interface Compared {
  readonly functions: number;
  readonly segments: number;
  readonly debugSections: number;
  readonly relocations: number;
  /** What is wrong, in a line each. */
  readonly wrong: readonly string[];
}

/** The name as it stands in the file. */
function rawName({ atom, offset, spelling }: Target): string {
  return spelling ?? atom?.symbols.find((symbol) => symbol.offset === offset)?.rawName ?? '';
}

/** Where the linker has it. Of what nobody defines it makes a plain 0, whatever is added. */
function bind(edge: Edge, placed: Placed): Binding {
  const { target } = edge;
  const name = rawName(target);
  if (target.kind === 'type' || target.kind === 'global' || target.kind === 'table' || target.kind === 'tag') {
    return { kind: 'index', space: target.kind, name };
  }
  if (target.kind === 'tls') return { kind: 'tls', offset: placed.threadLocals.get(name) ?? 0 };
  const index = placed.functions.get(name);
  const address = target.kind === 'function' ? placed.slots.get(index ?? -1) : placed.data.get(name);
  return address === undefined ? { kind: 'absolute', value: -edge.addend } : { kind: 'place', module: 0, address };
}

function contextOf(placed: Placed, machine: Machine): FixupContext {
  const nowhere = (): number => {
    throw new IpbpError('IPBP2004', 'nothing is placed here');
  };
  return {
    machine,
    reach: 'fixed',
    words: { rebases: [], tlsWords: [], imports: [] },
    slots: { slots: [], stubs: [], slotOf: () => null, stubOf: () => null },
    layout: {
      ...{ regions: [], addressOf: nowhere, contentOf: nowhere, slotsAt: 0, stubsAt: 0, unwindAt: 0 },
      ...{ entryWordsAt: 0, slotsEnd: 0, tlsUsed: 0, threadLocals: null, bottom: 0 },
    },
    indexes: {
      ...{ types: [], globals: [], imports: [], stubs: [], typeOf: nowhere, callThroughSlot: () => false },
      indexOf({ edge, binding }) {
        if (binding.kind !== 'index') return placed.functions.get(rawName(edge.target)) ?? null;
        if (binding.space === 'table') return 0;
        return (binding.space === 'type' ? placed.types : placed.globals).get(binding.name) ?? null;
      },
    },
  };
}

/** Compares all of an object. */
export function compareObject(file: WasmFile, placed: Placed): Compared {
  const object = openLinkObject(file);
  const context = contextOf(placed, object.machine);
  const wrong: string[] = [];
  let [functions, segments, debugSections, relocations] = [0, 0, 0, 0];
  const applied = (atom: Atom, address: number): Uint8Array => {
    const bytes = atom.bytes.slice();
    for (const edge of atom.edges) {
      const { offset } = edge;
      const where = `${atom.name}+${offset}`;
      applyFixup({ edge, binding: bind(edge, placed) }, { bytes, offset, address: address + offset, where }, context);
      relocations++;
    }
    return bytes;
  };
  const check = (what: string, ours: Uint8Array, theirs: Uint8Array | null): void => {
    if (theirs === null) wrong.push(`${what}: wasm-ld has none`);
    else {
      const at = ours.findIndex((byte, index) => byte !== theirs[index]);
      if (at >= 0 || ours.length !== theirs.length) wrong.push(`${what}: other bytes at ${at} of ${ours.length}`);
    }
  };
  for (const atom of object.atoms()) {
    const [symbol] = atom.symbols;
    // An empty segment, or one without a name, is nowhere to be found.
    if (symbol === undefined || atom.bytes.length === 0) continue;
    const name = `${atom.kind} ${atom.name}`;
    try {
      if (atom.kind === 'code') {
        functions++;
        check(name, applied(atom, 0), bodyOf(placed, symbol.rawName));
      } else {
        const at = (symbol.kind === 'tls' ? placed.threadLocals : placed.data).get(symbol.rawName);
        if (at === undefined) {
          wrong.push(`${name}: wasm-ld has no such symbol`);
          continue;
        }
        segments++;
        const start = at - symbol.offset;
        const ours = applied(atom, start);
        check(name, ours, dataAt(placed, start, ours.length, symbol.kind === 'tls'));
      }
    } catch (error) {
      if (!(error instanceof IpbpError)) throw error;
      wrong.push(`${name}: ${error.message}`);
    }
  }
  for (const section of file.sections) {
    if (section.kind !== 'debug') continue;
    const { bytes, count } = debugBytes(file, section, placed, object.machine);
    const theirs = placed.module.sections.find(({ kind, name }) => kind === 'debug' && name === section.name);
    debugSections++;
    relocations += count;
    check(section.name, bytes, theirs === undefined ? null : placed.module.sectionBytes(theirs.index));
  }
  return { functions, segments, debugSections, relocations, wrong };
}

function bodyOf({ module, functions }: Placed, name: string): Uint8Array | null {
  const index = functions.get(name);
  if (index === undefined) return null;
  return module.wasm.bodies()[index - module.wasm.imports('function').length]?.bytes ?? null;
}

function dataAt({ module }: Placed, address: number, size: number, threadLocal: boolean): Uint8Array | null {
  if (threadLocal) {
    const template = module.sections.find(({ kind }) => kind === 'tls-data');
    return template === undefined ? null : module.sectionBytes(template.index).subarray(address, address + size);
  }
  const segment = module.linked?.segments.find((s) => address >= s.address && address + size <= s.address + s.fileSize);
  return segment === undefined ? null : module.range(segment.offset + address - segment.address, size);
}

/** Debug information is no part of a patch: only rows and fields are ours here. */
function debugBytes(
  file: WasmFile,
  section: Section,
  placed: Placed,
  { rows }: Machine,
): { readonly bytes: Uint8Array; readonly count: number } {
  const bytes = file.sectionBytes(section.index).slice();
  const relocations = file.relocations(section.index);
  for (const { offset, type, symbol, addend } of relocations) {
    const row = rows.get(type);
    const target = file.symbols[symbol];
    if (row === undefined || target === undefined) throw new Error(`relocation ${type} of ${section.name}`);
    const { term } = EXPRESSIONS[row.expression];
    const value = valueOf(target.name, target.kind, placed) + (addend ?? 0);
    applyField(row.field, bytes, offset, value, { what: `${row.name} (${term})`, where: section.name });
  }
  return { bytes, count: relocations.length };
}

function valueOf(name: string, kind: string, placed: Placed): number {
  const { module, functions, globals, data, threadLocals } = placed;
  switch (kind) {
    case 'function': {
      const code = module.wasm.bodies()[(functions.get(name) ?? -1) - module.wasm.imports('function').length];
      return code?.start ?? 0;
    }
    case 'global':
      return globals.get(name) ?? 0;
    case 'tls':
      return threadLocals.get(name) ?? 0;
    case 'section':
      return 0;
    default:
      return data.get(name) ?? 0;
  }
}
