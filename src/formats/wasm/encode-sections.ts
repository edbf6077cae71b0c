// Writes sections from their shapes (module.ts) and modules from sections: the same bytes as were read, as long as
// numbers inside sections took no more bytes than they need. Core, "Binary Format", "Modules".
import { ByteWriter } from '../../bytes/writer.js';
import { encodeText } from '../../bytes/text.js';
import * as wasm from './constants.js';
import {
  EXTERN_KINDS,
  type ActivePlace,
  type Body,
  type DataSegment,
  type ElementSegment,
  type ExternKind,
  type GlobalType,
  type Import,
  type ModuleSection,
  type Table,
  type TableType,
} from './module.js';
import { writeFunctionType, writeLimits, writeName, writeValueType } from './value-types.js';

/** A whole module. */
export function encodeModule(sections: readonly ModuleSection[]): Uint8Array<ArrayBuffer> {
  const w = new ByteWriter(0x1_0000).u32(wasm.MAGIC).u32(wasm.VERSION);
  for (const section of sections) writeSection(w, section);
  return w.finish();
}

/** The module with a custom section behind all that it has. */
export function withCustomSection(module: Uint8Array, name: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const w = new ByteWriter(module.length + name.length + bytes.length + 16).raw(module);
  return writeSection(w, { id: 'custom', name, nameWidth: 0, bytes, lengthWidth: 0 }).finish();
}

function writeSection(w: ByteWriter, section: ModuleSection): ByteWriter {
  const content = encodeContent(section);
  return w.u8(wasm.SECTION_NAMES.indexOf(section.id)).uleb(content.length, section.lengthWidth).raw(content);
}

function encodeContent(section: ModuleSection): Uint8Array {
  const w = new ByteWriter(1024);
  switch (section.id) {
    case 'custom': {
      const name = encodeText(section.name);
      w.uleb(name.length, section.nameWidth).raw(name).raw(section.bytes);
      break;
    }
    case 'type':
      vector(w, section.types, writeFunctionType);
      break;
    case 'import':
      vector(w, section.imports, writeImport);
      break;
    case 'function':
      vector(w, section.types, (to, type) => to.uleb(type));
      break;
    case 'table':
      vector(w, section.tables, writeTable);
      break;
    case 'memory':
      vector(w, section.memories, writeLimits);
      break;
    case 'global':
      vector(w, section.globals, (to, global) => {
        writeGlobalType(to, global);
        to.raw(global.initial);
      });
      break;
    case 'export':
      vector(w, section.exports, (to, { name, kind, index }) => {
        writeName(to, name);
        to.u8(externNumber(kind)).uleb(index);
      });
      break;
    case 'start':
      w.uleb(section.function);
      break;
    case 'element':
      vector(w, section.segments, writeElementSegment);
      break;
    case 'code':
      vector(w, section.bodies, writeBody);
      break;
    case 'data':
      vector(w, section.segments, writeDataSegment);
      break;
    case 'data count':
      w.uleb(section.count);
      break;
    case 'tag':
      vector(w, section.types, (to, type) => to.u8(0).uleb(type));
      break;
  }
  return w.finish();
}

function vector<T>(writer: ByteWriter, entries: readonly T[], write: (writer: ByteWriter, entry: T) => void): void {
  writer.uleb(entries.length);
  for (const entry of entries) write(writer, entry);
}

function externNumber(kind: ExternKind): number {
  return EXTERN_KINDS.indexOf(kind);
}

function writeImport(w: ByteWriter, one: Import): void {
  writeName(w, one.module);
  writeName(w, one.field);
  w.u8(externNumber(one.kind));
  switch (one.kind) {
    case 'function':
      w.uleb(one.type);
      break;
    case 'table':
      writeTableType(w, one.table);
      break;
    case 'memory':
      writeLimits(w, one.limits);
      break;
    case 'global':
      writeGlobalType(w, one.global);
      break;
    case 'tag':
      w.u8(0).uleb(one.type);
      break;
  }
}

function writeTableType(w: ByteWriter, { element, limits }: TableType): void {
  writeValueType(w, element);
  writeLimits(w, limits);
}

function writeTable(w: ByteWriter, table: Table): void {
  if (table.initial !== null) w.u8(wasm.TABLE_WITH_INITIALISER).u8(0);
  writeTableType(w, table);
  if (table.initial !== null) w.raw(table.initial);
}

function writeGlobalType(w: ByteWriter, { type, mutable }: GlobalType): void {
  writeValueType(w, type);
  w.u8(mutable ? 1 : 0);
}

function writeElementSegment(w: ByteWriter, { place, declared, type, items }: ElementSegment): void {
  const expressions = items.kind === 'expressions';
  const explicit = place === null ? declared : place.explicit;
  w.uleb(
    (place === null ? wasm.ELEMENT_PASSIVE : 0) +
      (explicit ? wasm.ELEMENT_EXPLICIT : 0) +
      (expressions ? wasm.ELEMENT_EXPRESSIONS : 0),
  );
  writePlace(w, place);
  if (place === null || place.explicit) {
    if (expressions) writeValueType(w, type);
    else w.u8(0);
  }
  if (items.kind === 'expressions') vector(w, items.expressions, (to, expression) => to.raw(expression));
  else vector(w, items.functions, (to, index) => to.uleb(index));
}

function writePlace(w: ByteWriter, place: ActivePlace | null): void {
  if (place === null) return;
  if (place.explicit) w.uleb(place.index);
  w.raw(place.offset);
}

function writeBody(w: ByteWriter, { bytes, lengthWidth }: Body): void {
  w.uleb(bytes.length, lengthWidth).raw(bytes);
}

function writeDataSegment(w: ByteWriter, { place, bytes }: DataSegment): void {
  w.uleb(place === null ? wasm.DATA_PASSIVE : place.explicit ? wasm.DATA_ACTIVE_EXPLICIT : wasm.DATA_ACTIVE);
  writePlace(w, place);
  w.uleb(bytes.length).raw(bytes);
}
