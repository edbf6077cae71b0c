// Decodes the content of sections into their shapes (module.ts). Core, "Binary Format", "Modules". Checks what a reader
// has to, not what makes a module valid: indexes may lead nowhere.
import type { ByteReader } from '../../bytes/reader.js';
import { readConstExpr } from './const-expr.js';
import * as wasm from './constants.js';
import {
  EXTERN_KINDS,
  type Body,
  type DataSegment,
  type ElementSegment,
  type Export,
  type Global,
  type GlobalType,
  type Import,
  type ImportKind,
  type ModuleSection,
  type SectionContent,
  type Table,
  type TableType,
} from './module.js';
import type { FileSection } from './sections.js';
import { readFunctionType, readIndex, readLimits, readName, readValueType, readVector } from './value-types.js';

/** Decodes one section; `reader` is over its content. IPBP1001, 1002 and 1003 for broken ones. */
export function decodeSection(reader: ByteReader, section: FileSection): ModuleSection {
  const content = decodeContent(reader, section);
  if (!reader.ended) reader.malformed('a section is longer than what it holds', { actual: section.name });
  return { ...content, lengthWidth: section.lengthWidth };
}

function decodeContent(reader: ByteReader, { id, name, nameWidth }: FileSection): SectionContent {
  switch (id) {
    case wasm.SECTION_TYPE:
      return { id: 'type', types: readVector(reader, readFunctionType) };
    case wasm.SECTION_IMPORT:
      return { id: 'import', imports: readVector(reader, readImport) };
    case wasm.SECTION_FUNCTION:
      return { id: 'function', types: readVector(reader, readIndex) };
    case wasm.SECTION_TABLE:
      return { id: 'table', tables: readVector(reader, readTable) };
    case wasm.SECTION_MEMORY:
      return { id: 'memory', memories: readVector(reader, readLimits) };
    case wasm.SECTION_GLOBAL:
      return { id: 'global', globals: readVector(reader, readGlobal) };
    case wasm.SECTION_EXPORT:
      return { id: 'export', exports: readVector(reader, readExport) };
    case wasm.SECTION_START:
      return { id: 'start', function: readIndex(reader) };
    case wasm.SECTION_ELEMENT:
      return { id: 'element', segments: readVector(reader, readElementSegment) };
    case wasm.SECTION_CODE:
      return { id: 'code', bodies: readVector(reader, readBody) };
    case wasm.SECTION_DATA:
      return { id: 'data', segments: readVector(reader, readDataSegment) };
    case wasm.SECTION_DATA_COUNT:
      return { id: 'data count', count: readIndex(reader) };
    case wasm.SECTION_TAG:
      return { id: 'tag', types: readVector(reader, readTag) };
    default:
      return { id: 'custom', name, nameWidth, bytes: reader.take(reader.remaining) };
  }
}

function readImport(reader: ByteReader): Import {
  const module = readName(reader);
  const length = readIndex(reader);
  const name = { offset: reader.offset, size: length };
  const field = reader.text(length);
  return { ...readImportKind(reader), module, field, name };
}

function readImportKind(reader: ByteReader): ImportKind {
  const kind = externKind(reader);
  switch (kind) {
    case 'function':
      return { kind, type: readIndex(reader) };
    case 'table':
      return { kind, table: readTableType(reader) };
    case 'memory':
      return { kind, limits: readLimits(reader) };
    case 'global':
      return { kind, global: readGlobalType(reader) };
    case 'tag':
      return { kind, type: readTag(reader) };
  }
}

function externKind(reader: ByteReader): (typeof EXTERN_KINDS)[number] {
  const number = reader.u8();
  return (
    EXTERN_KINDS[number] ??
    reader.malformed('an import or export of an unknown kind', { actual: `${number}` }, reader.position - 1)
  );
}

/** The zero says that it is an exception. */
function readTag(reader: ByteReader): number {
  if (reader.u8() !== 0) reader.malformed('a tag of an unknown kind', { expected: '0' }, reader.position - 1);
  return readIndex(reader);
}

function readTableType(reader: ByteReader): TableType {
  return { element: readValueType(reader), limits: readLimits(reader) };
}

function readTable(reader: ByteReader): Table {
  if (reader.bytes[reader.position] !== wasm.TABLE_WITH_INITIALISER) {
    return { ...readTableType(reader), initial: null };
  }
  reader.skip(1);
  if (reader.u8() !== 0) reader.malformed('a table of an unknown kind', { expected: '0' }, reader.position - 1);
  return { ...readTableType(reader), initial: readConstExpr(reader) };
}

function readGlobalType(reader: ByteReader): GlobalType {
  const type = readValueType(reader);
  const mutable = reader.u8();
  if (mutable > 1) reader.malformed('a global that is neither constant nor variable', {}, reader.position - 1);
  return { type, mutable: mutable === 1 };
}

function readGlobal(reader: ByteReader): Global {
  return { ...readGlobalType(reader), initial: readConstExpr(reader) };
}

function readExport(reader: ByteReader): Export {
  return { name: readName(reader), kind: externKind(reader), index: readIndex(reader) };
}

function readElementSegment(reader: ByteReader): ElementSegment {
  const start = reader.position;
  const flags = readIndex(reader);
  if (flags > 7) reader.malformed('an element segment of an unknown kind', { actual: `${flags}` }, start);
  const passive = (flags & wasm.ELEMENT_PASSIVE) !== 0;
  const explicit = (flags & wasm.ELEMENT_EXPLICIT) !== 0;
  const index = !passive && explicit ? readIndex(reader) : 0;
  const place = passive ? null : { index, offset: readConstExpr(reader), explicit };
  const expressions = (flags & wasm.ELEMENT_EXPRESSIONS) !== 0;
  const type = passive || explicit ? readElementType(reader, expressions) : wasm.TYPE_FUNCREF;
  return {
    place,
    declared: passive && explicit,
    type,
    items: expressions
      ? { kind: 'expressions', expressions: readVector(reader, readConstExpr) }
      : { kind: 'functions', functions: readVector(reader, readIndex) },
  };
}

function readElementType(reader: ByteReader, expressions: boolean): ElementSegment['type'] {
  if (expressions) return readValueType(reader);
  const kind = reader.u8();
  if (kind !== 0) reader.malformed('elements of an unknown kind', { actual: `${kind}` }, reader.position - 1);
  return wasm.TYPE_FUNCREF;
}

function readBody(reader: ByteReader): Body {
  const before = reader.position;
  const size = readIndex(reader);
  const lengthWidth = reader.position - before;
  const start = reader.position;
  return { bytes: reader.take(size), start, lengthWidth };
}

function readDataSegment(reader: ByteReader): DataSegment {
  const before = reader.position;
  const flags = readIndex(reader);
  if (flags > wasm.DATA_ACTIVE_EXPLICIT) {
    reader.malformed('a data segment of an unknown kind', { actual: `${flags}` }, before);
  }
  const explicit = flags === wasm.DATA_ACTIVE_EXPLICIT;
  const index = explicit ? readIndex(reader) : 0;
  const place = flags === wasm.DATA_PASSIVE ? null : { index, offset: readConstExpr(reader), explicit };
  const size = readIndex(reader);
  const start = reader.position;
  return { place, bytes: reader.take(size), start };
}
