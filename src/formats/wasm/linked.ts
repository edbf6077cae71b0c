// What only linked modules have: which memory their data goes to, their identity, what others see of them.
import { ByteReader } from '../../bytes/reader.js';
import type { LinkedInfo, Segment } from '../object-file.js';
import { once } from '../once.js';
import { symbolsOf } from '../column-symbols.js';
import { constantOf } from './const-expr.js';
import * as wasm from './constants.js';
import type { WasmFacts } from './facts.js';
import { readDynamicColumns, type SymbolParts } from './symbols.js';
import { readIndex } from './value-types.js';

/** Reads what a linked module says; symbols when they are first asked for. */
export function readLinked(facts: WasmFacts, name: string, parts: () => SymbolParts): LinkedInfo {
  const dynamicColumns = () => readDynamicColumns(parts());
  const symbols = once(() => symbolsOf(dynamicColumns()));
  const imports = facts.content('import')?.imports ?? [];
  return {
    segments: segmentsOf(facts),
    tls: null,
    buildId: buildIdOf(facts, name),
    needed: [...new Set(imports.map(({ module }) => module))],
    soname: null,
    positionIndependent: facts.dynamicLinking() !== null,
    loaded: false,
    keepsOwnNames: true,
    get dynamicSymbols() {
      return symbols();
    },
    dynamicColumns,
    versionOf: () => null,
  };
}

/** The active segments whose address is a number; others lie where the host says. */
function segmentsOf(facts: WasmFacts): Segment[] {
  const data = facts.files[facts.indexOf(wasm.SECTION_DATA)];
  return facts.dataSegments().flatMap(({ place, bytes, start }) => {
    const address = place === null ? null : constantOf(place.offset);
    if (address === null) return [];
    const size = bytes.length;
    return {
      ...{ address, memorySize: size, offset: (data?.offset ?? 0) + start, fileSize: size, align: 1 },
      ...{ readable: true, writable: true, executable: false },
    };
  });
}

/** Of the section that linkers write for `--build-id`: length and bytes. */
function buildIdOf(facts: WasmFacts, name: string): Uint8Array | null {
  const index = facts.indexOf(wasm.SECTION_CUSTOM, 'build_id');
  const section = index < 0 ? null : facts.section(index);
  if (section?.id !== 'custom') return null;
  const reader = new ByteReader(section.bytes, name, facts.files[index]?.offset ?? 0);
  return reader.take(readIndex(reader));
}
