// What of WebAssembly is given hostile input, and where the fields of a sound file are: walked here from the core
// specification apart from the readers under test.
import { isWasmFile } from '../../src/formats/wasm/read.js';
import { readObjectFile } from '../../src/formats/read-object.js';
import type { Field, Seed } from './mutations.js';
import { each, partsOfModel } from './parts.js';

const CUSTOM = 0;
/** Bytes at the start of a section that count as fields: counts, kinds and the first entries. */
const HEAD = 24;

/** Value and length of an unsigned LEB128 number. */
function leb(bytes: Uint8Array, at: number): readonly [value: number, size: number] {
  let [value, scale, size] = [0, 1, 0];
  for (;;) {
    const byte = bytes[at + size++] ?? 0;
    value += (byte % 0x80) * scale;
    scale *= 0x80;
    if (byte < 0x80) return [value, size];
  }
}

/** The fields of a module or object: of each section number, length and head. Changes go to what linkers read, too. */
export function wasmAims(bytes: Uint8Array): Pick<Seed, 'fields' | 'hot' | 'records'> {
  const fields: Field[] = [{ offset: 4, size: 4 }];
  const hot: (readonly [number, number])[] = [];
  for (let at = 8; at < bytes.length;) {
    const [length, width] = leb(bytes, at + 1);
    const content = at + 1 + width;
    const head = Math.min(HEAD, length);
    fields.push({ offset: at, size: 1 });
    for (let byte = at + 1; byte < content + head; byte++) fields.push({ offset: byte, size: 1 });
    const [nameSize, nameWidth] = leb(bytes, content);
    const name = new TextDecoder().decode(bytes.subarray(content + nameWidth, content + nameWidth + nameSize));
    if (bytes[at] !== CUSTOM || /^(?:linking|reloc|name)/.test(name)) hot.push([content, content + length]);
    at = content + length;
  }
  return { fields, hot: hot.filter(([start, end]) => end > start), records: [] };
}

/** Reads all there is in a module or object. */
export function readWasmWhole(bytes: Uint8Array, name: string): unknown {
  const file = readObjectFile(bytes, name);
  return each(
    ...partsOfModel(file),
    ...(isWasmFile(file)
      ? [
          () => file.wasm.sections(),
          () => file.wasm.names(),
          () => file.wasm.producers(),
          () => file.wasm.targetFeatures(),
          () => file.wasm.dynamicLinking(),
        ]
      : []),
  );
}
