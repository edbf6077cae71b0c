// A base program whose functions lie in no memory, made of what is known of its module (tabled-facts.ts). To the engine a
// function's address is its slot: what code calls it by, what a pointer to it is, what a patch changes. Patches take their
// memory from the end of the arena on.
import type { ObjectFile } from '../../formats/object-file.js';
import { stableName } from '../../link/names.js';
import { machineFor } from '../../reloc/machines.js';
import type { ModuleIdentity } from '../image/image.js';
import type { BaseProgram } from './base-program.js';
import type { ProgramItem } from './symbol-index.js';
import type { TabledFacts } from './tabled-facts.js';

/** The program; `file` is the module as it runs, which has the facts in it. */
export function openTabledProgram(file: ObjectFile, facts: TabledFacts): BaseProgram {
  const machine = machineFor(file.format, file.machine, file.name);
  const items = itemsOf(facts);
  const imports = new Set(facts.imports.map(({ name }) => name));
  const patchable = new Set(facts.functions.filter((one) => one.patchable).map(({ slot }) => slot));
  const segments = file.linked?.segments ?? [];
  let functions: readonly ProgramItem[] | null = null;
  return {
    file,
    machine,
    identity: identityOf(file, facts),
    items,
    namesSources: false,
    functions: patchable.size,
    slots: patchable.size,
    start: facts.arena.start + facts.arena.size,
    tlsStart: 0,
    tabled: facts,
    isPreempted: () => false,
    imports: (name) => imports.has(name),
    exports: () => false,
    exported: () => null,
    mayExport: () => false,
    read(address, size) {
      const segment = segments.find((one) => address >= one.address && address + size <= one.address + one.fileSize);
      return segment === undefined ? null : file.range(segment.offset + address - segment.address, size);
    },
    slotOf({ name, address, size }) {
      // What a patch brought is called through its slot alone.
      if (address < facts.tableSize && !patchable.has(address)) return null;
      return { at: address, body: { name, kind: 'function', address, size, source: null } };
    },
    functionsByAddress() {
      functions ??= [...items.values()]
        .flat()
        .filter(({ kind }) => kind === 'function')
        .sort((a, b) => a.address - b.address);
      return functions;
    },
    isCode: () => false,
  };
}

function itemsOf({ functions, statics }: TabledFacts): ReadonlyMap<string, readonly ProgramItem[]> {
  const items = new Map<string, ProgramItem[]>();
  const add = (item: ProgramItem): void => {
    const known = items.get(item.name);
    if (known === undefined) items.set(item.name, [item]);
    else known.push(item);
  };
  for (const { name, slot } of functions) {
    add({ name: stableName(name), kind: 'function', address: slot, size: 0, source: null });
  }
  for (const { name, address, size, kind } of statics) {
    add({ name: stableName(name), kind, address, size, source: null });
  }
  return items;
}

function identityOf({ name }: ObjectFile, { identity }: TabledFacts): ModuleIdentity {
  return { name: name.slice(name.lastIndexOf('/') + 1), kind: 'build-id', id: identity };
}
