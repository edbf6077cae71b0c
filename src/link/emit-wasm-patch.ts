// A patch as a WebAssembly module. It imports the program's memory, table and globals; what it is instantiated with is put
// where it belongs by segments: instantiation is the commit. Sizes that it asks of memory and table make an engine refuse it
// before anything is written where they are too small. Core, "Instantiation": elements come before data.
import { alignUp } from '../bytes/align.js';
import { ByteWriter } from '../bytes/writer.js';
import { constantExpr } from '../formats/wasm/const-expr.js';
import * as wasm from '../formats/wasm/constants.js';
import { encodeModule, withCustomSection } from '../formats/wasm/encode-sections.js';
import type { ElementSegment, Import, ModuleSection, SectionContent } from '../formats/wasm/module.js';
import { encodeNames } from '../formats/wasm/names.js';
import { parseFunctionType } from '../formats/wasm/value-types.js';
import { LINES_SECTION, linesSection } from './emit-wasm-lines.js';
import type { ImageSegment, LinkedCode, TableStub } from './linked-image.js';
import { PATCH_SECTION } from './names.js';
import { DATA_SECTION, SHARED, type PatchInstance } from './patch-instance.js';

/** The module's bytes. */
export function emitWasmPatch(patch: PatchInstance): Uint8Array {
  const { code, sharedPages } = patch;
  const { stubs, functions } = code;
  const data = patch.segments.filter(({ bytes }) => bytes.length > 0);
  const contents: SectionContent[] = [
    { id: 'type', types: code.types.map(parseFunctionType) },
    { id: 'import', imports: importsOf(patch) },
    { id: 'function', types: [...stubs, ...functions].map(({ type }) => type) },
    { id: 'element', segments: elementsOf(patch) },
    {
      id: 'code',
      bodies: [...stubs.map((stub) => stubBody(code, stub)), ...functions.map(({ bytes }) => bytes)].map((bytes) => ({
        ...{ bytes, start: 0, lengthWidth: 0 },
      })),
    },
    ...(sharedPages === null && data.length > 0 ? [{ id: 'data' as const, segments: data.map(activeData) }] : []),
    ...(sharedPages !== null && data.length > 0 ? [custom(DATA_SECTION, dataList(data))] : []),
    custom('name', namesOf(code)),
    ...(patch.description === null ? [] : [custom(PATCH_SECTION, patch.description)]),
  ];
  const module = encodeModule(contents.map((content): ModuleSection => ({ ...content, lengthWidth: 0 })));
  const lines = linesSection(module, code);
  return lines === null ? module : withCustomSection(module, LINES_SECTION, lines);
}

function custom(name: string, bytes: Uint8Array): SectionContent {
  return { id: 'custom', name, nameWidth: 0, bytes };
}

function importsOf({ code, segments, globals, imports, redirects, sharedPages }: PatchInstance): Import[] {
  const shared = (field: string): Pick<Import, 'module' | 'field' | 'name'> => {
    return { module: SHARED.module, field, name: { offset: 0, size: 0 } };
  };
  const end = segments.reduce((most, { address, size }) => Math.max(most, address + size), 0);
  const elements = redirects.reduce((most, { at }) => Math.max(most, at + 1), code.slotsEnd);
  const limits = { shared: false, wide: false, minimum: elements, maximum: null, pageExponent: null };
  const memory = {
    ...limits,
    shared: sharedPages !== null,
    minimum: alignUp(end, wasm.PAGE_SIZE) / wasm.PAGE_SIZE,
    maximum: sharedPages,
  };
  return [
    { ...shared(SHARED.memory), kind: 'memory', limits: memory },
    { ...shared(SHARED.table), kind: 'table', table: { element: wasm.TYPE_FUNCREF, limits } },
    ...code.globals.map((name): Import => {
      const mutable = globals.some((one) => one.name === name && one.mutable);
      return { ...shared(name), kind: 'global', global: { type: wasm.TYPE_I32, mutable } };
    }),
    ...code.imports.map(({ name, type }): Import => {
      const found = imports.find((one) => one.name === name);
      if (found === undefined) throw new Error(`internal: the program does not import ${name}`);
      return { ...shared(found.field), module: found.module, kind: 'function', type };
    }),
  ];
}

/** Every function in its own element, and in those that lead to it from now on: runs of elements, one behind the other. */
function elementsOf({ code, redirects }: PatchInstance): ElementSegment[] {
  const index = new Map(code.functions.map(({ slot }, at) => [slot, code.imports.length + code.stubs.length + at]));
  const entries = [...index.keys()].map((slot) => ({ at: slot, to: slot }));
  const written = [...entries, ...redirects].sort((a, b) => a.at - b.at);
  const runs: { readonly at: number; readonly functions: number[] }[] = [];
  for (const { at, to } of written) {
    const target = index.get(to);
    if (target === undefined) throw new Error(`internal: element ${at} leads to no function of the patch`);
    const last = runs.at(-1);
    if (last !== undefined && last.at + last.functions.length === at) last.functions.push(target);
    else runs.push({ at, functions: [target] });
  }
  return runs.map(({ at, functions }) => ({
    place: { index: 0, offset: constantExpr(at), explicit: false },
    declared: false,
    type: wasm.TYPE_FUNCREF,
    items: { kind: 'functions', functions },
  }));
}

/** All parameters, then the call through the element. */
function stubBody({ types }: LinkedCode, { slot, type }: TableStub): Uint8Array {
  const { params } = parseFunctionType(types[type] ?? '');
  const w = new ByteWriter(32).uleb(0);
  params.forEach((_, index) => w.u8(wasm.OP_LOCAL_GET).uleb(index));
  return w
    .raw(constantExpr(slot).subarray(0, -1))
    .u8(wasm.OP_CALL_INDIRECT)
    .uleb(type)
    .uleb(0)
    .u8(wasm.OP_END)
    .finish();
}

function activeData({ address, bytes }: ImageSegment): Extract<SectionContent, { id: 'data' }>['segments'][number] {
  return { place: { index: 0, offset: constantExpr(address), explicit: false }, bytes, start: 0 };
}

/** Address, length and bytes of each segment. */
function dataList(segments: readonly ImageSegment[]): Uint8Array {
  const w = new ByteWriter(1024);
  for (const { address, bytes } of segments) w.u32(address).u32(bytes.length).raw(bytes);
  return w.finish();
}

function namesOf({ imports, stubs, functions, globals }: LinkedCode): Uint8Array {
  const named = [...imports, ...stubs, ...functions].map(({ name }, index) => ({ index, name }));
  return encodeNames([
    { kind: 'module', name: 'ipbp patch', lengthWidth: 0 },
    { kind: 'function', names: named, lengthWidth: 0 },
    { kind: 'global', names: globals.map((name, index) => ({ index, name })), lengthWidth: 0 },
  ]);
}
