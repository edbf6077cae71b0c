// The lines of a patch's functions as a source map in its module, which is what browsers' debuggers look for: a custom
// section whose only content is the map's URL (WebAssembly/tool-conventions, "Debugging"). Offsets count from the start of
// the file.
import { encodeText } from '../bytes/text.js';
import { ByteWriter } from '../bytes/writer.js';
import * as wasm from '../formats/wasm/constants.js';
import { factsOf } from '../formats/wasm/facts.js';
import { encodeSourceMap, sourceMapUrl, type Mapping, type MappingOrigin } from '../formats/source-map.js';
import type { LinkedCode } from './linked-image.js';

/** The section's name. */
export const LINES_SECTION = 'sourceMappingURL';

/** The section's content for a module of this code; null where no function has lines. What follows is not mapped. */
export function linesSection(module: Uint8Array, { stubs, functions }: LinkedCode): Uint8Array | null {
  if (functions.every(({ lines = [] }) => lines.length === 0)) return null;
  const facts = factsOf(module, 'patch');
  const code = facts.files[facts.indexOf(wasm.SECTION_CODE)]?.offset ?? 0;
  const bodies = facts.bodies().slice(stubs.length);
  const mappings = bodies.flatMap(({ start, bytes }, index): Mapping[] => {
    const rows = functions[index]?.lines ?? [];
    const mapped = rows.map((row) => ({ column: code + start + row.offset, origin: originOf(row) }));
    return [...mapped, { column: code + start + bytes.length, origin: null }];
  });
  const url = encodeText(sourceMapUrl(encodeSourceMap(withoutRepeats(mappings))));
  return new ByteWriter(url.length + 5).uleb(url.length).raw(url).finish();
}

function originOf({
  source,
  line,
  column,
}: NonNullable<LinkedCode['functions'][number]['lines']>[number]): MappingOrigin | null {
  if (source === null || line === 0) return null;
  return { source, line: line - 1, column: Math.max(0, column - 1) };
}

/** What is as before needs no saying: before all there is no source. */
function withoutRepeats(mappings: readonly Mapping[]): Mapping[] {
  const same = (a: MappingOrigin | null, b: MappingOrigin | null): boolean =>
    a?.source === b?.source && a?.line === b?.line && a?.column === b?.column;
  return mappings.filter(({ origin }, at) => !same(origin, mappings[at - 1]?.origin ?? null));
}
