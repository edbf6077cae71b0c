// A program whose functions are entered through a table, made of a linked module with its relocations: as little as patches
// need. All calls of the functions of its own object go through slots.
import { sha256 } from '@noble/hashes/sha2.js';
import { constantExpr } from '../formats/wasm/const-expr.js';
import * as wasm from '../formats/wasm/constants.js';
import { encodeModule, withCustomSection } from '../formats/wasm/encode-sections.js';
import type { Body, Export, ModuleSection } from '../formats/wasm/module.js';
import { readWasm } from '../formats/wasm/read.js';
import { functionTypeText } from '../formats/wasm/value-types.js';
import { ByteWriter } from '../bytes/writer.js';
import { encodeFacts, FACTS_SECTION, type TabledFacts, type TabledFunction } from './program/tabled-facts.js';

const ARENA = 0x1_0000;

/** The module, and what is known of it. `isOwn`: functions that are to be patched, by name. */
export function tabledModule(
  linked: Uint8Array,
  isOwn: (name: string) => boolean,
): { readonly bytes: Uint8Array; readonly facts: TabledFacts } {
  const file = readWasm(linked, 'linked.wasm');
  const { wasm: facts } = file;
  const types = facts.types();
  const functionTypes = facts.functionTypes();
  const imported = facts.imports('function').length;
  const functions = file.symbols.filter(({ kind, name }) => kind === 'function' && name !== '');
  const elements = facts.elementSegments()[0];
  const inTable = elements?.items.kind === 'functions' ? elements.items.functions : [];
  const indexes = [...new Set(functions.map(({ value }) => value))];
  const slots = new Map(inTable.map((index, at) => [index, at + 1]));
  const added = indexes.filter((index) => index >= imported && !slots.has(index));
  added.forEach((index, at) => slots.set(index, inTable.length + 1 + at));
  const own = [...new Set(functions.filter(({ name, value }) => value >= imported && isOwn(name)).map((f) => f.value))];
  const moved = new Map(own.map((index, at) => [index, functionTypes.length + at]));
  const bodies = facts.bodies();
  const bodyOf = (bytes: Uint8Array): Body => ({ bytes, start: 0, lengthWidth: 0 });
  const trampoline = (index: number): Body => {
    const w = new ByteWriter(32).uleb(0);
    types[functionTypes[index] ?? 0]?.params.forEach((_, at) => w.u8(wasm.OP_LOCAL_GET).uleb(at));
    w.raw(constantExpr(slots.get(index) ?? 0).subarray(0, -1));
    return bodyOf(
      w
        .u8(wasm.OP_CALL_INDIRECT)
        .uleb(functionTypes[index] ?? 0)
        .uleb(0)
        .u8(wasm.OP_END)
        .finish(),
    );
  };
  const tableSize = inTable.length + 1 + added.length;
  const pages = facts.content('memory')?.memories[0]?.minimum ?? 0;
  const known: TabledFacts = {
    identity: sha256(linked).slice(0, 16),
    functions: functions.flatMap(({ name, value }): TabledFunction[] => {
      const slot = slots.get(value);
      const signature = types[functionTypes[value] ?? -1];
      if (slot === undefined || signature === undefined) return [];
      return [{ name, slot, signature: functionTypeText(signature), patchable: moved.has(value) }];
    }),
    imports: facts.imports('function').map(({ module, field }, index) => {
      const type = types[functionTypes[index] ?? -1];
      const name = functions.find(({ value }) => value === index)?.name ?? field;
      return { name, module, field, signature: type === undefined ? '' : functionTypeText(type) };
    }),
    statics: file.symbols.flatMap(({ name, kind, value, size, section }) => {
      if (kind !== 'data' || typeof section !== 'number') return [];
      const readonly = file.sections[section]?.kind === 'readonly';
      return [{ name, address: value, size, kind: readonly ? ('readonly' as const) : ('data' as const) }];
    }),
    globals: [{ name: '__stack_pointer', exported: '__stack_pointer', mutable: true }],
    tableSize,
    arena: { start: pages * wasm.PAGE_SIZE, size: ARENA },
    memory: 'memory',
    table: '__indirect_function_table',
    sharedPages: null,
  };
  const sections = facts.sections().flatMap((section): ModuleSection[] => {
    switch (section.id) {
      case 'function':
        return [{ ...section, types: [...section.types, ...own.map((index) => functionTypes[index] ?? 0)] }];
      case 'code':
        return [
          {
            ...section,
            bodies: [
              ...bodies.map((body, at) => (moved.has(at + imported) ? trampoline(at + imported) : body)),
              ...own.map((index) => bodies[index - imported] ?? bodyOf(new Uint8Array(0))),
            ],
          },
        ];
      case 'table':
        return [
          {
            ...section,
            tables: section.tables.map((table) => ({
              ...table,
              limits: { ...table.limits, minimum: tableSize, maximum: null },
            })),
          },
        ];
      case 'export': {
        const exports: Export[] = [
          ...section.exports.filter(({ kind }) => kind !== 'table' && kind !== 'global'),
          { name: '__indirect_function_table', kind: 'table', index: 0 },
          { name: '__stack_pointer', kind: 'global', index: 0 },
        ];
        return [{ ...section, exports }];
      }
      case 'custom':
        return section.name.startsWith('reloc.') || section.name === 'linking' ? [] : [section];
      case 'element':
        return [];
      default:
        return [section];
    }
  });
  const all = [...inTable, ...added].map((index) => moved.get(index) ?? index);
  const element: ModuleSection = {
    id: 'element',
    lengthWidth: 0,
    segments: [
      {
        place: { index: 0, offset: constantExpr(1), explicit: false },
        declared: false,
        type: wasm.TYPE_FUNCREF,
        items: { kind: 'functions', functions: all },
      },
    ],
  };
  const code = sections.findIndex(({ id }) => id === 'data count' || id === 'code');
  const module = encodeModule([...sections.slice(0, code), element, ...sections.slice(code)]);
  return { bytes: withCustomSection(module, FACTS_SECTION, encodeFacts(known)), facts: known };
}
