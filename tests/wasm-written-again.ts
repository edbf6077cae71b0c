// A module or object written anew from what its reader tells, for tests and comparisons of round trips.
import { encodeModule } from '../src/formats/wasm/encode-sections.js';
import { encodeLinking } from '../src/formats/wasm/linking.js';
import { encodeNames } from '../src/formats/wasm/names.js';
import { readWasm } from '../src/formats/wasm/read.js';
import { encodeRelocationSection } from '../src/formats/wasm/relocations.js';

/** The file again, from what was read of it, also of the custom sections that we know. */
export function writtenAgain(bytes: Uint8Array, name: string): Uint8Array {
  const { wasm: facts } = readWasm(bytes, name);
  const relocations = [...facts.relocations().values()].flat().map(encodeRelocationSection);
  let next = 0;
  return encodeModule(
    facts.sections().map((section) => {
      if (section.id !== 'custom') return section;
      if (section.name === 'name') return { ...section, bytes: encodeNames(facts.names()) };
      if (section.name === 'linking') return { ...section, bytes: encodeLinking(facts.linking() ?? []) };
      return section.name.startsWith('reloc.') ? { ...section, bytes: relocations[next++] ?? section.bytes } : section;
    }),
  );
}
