// A library of which there is a text stub only, as links see it: its exports as the model's symbols.
import { decodeText, encodeText } from '../../bytes/text.js';
import {
  BINDING_GLOBAL,
  BINDING_WEAK,
  KIND_DATA,
  SECTION_ABSOLUTE,
  SECTION_UNDEFINED,
  type SymbolColumns,
} from '../columns.js';
import { modelName } from '../macho/names.js';
import type { StubView } from './stub.js';

/** The exports as columns; row 0 is that of no symbol. Where they lie in the library nobody knows. */
export function stubColumns({ symbols }: StubView): SymbolColumns {
  const count = symbols.size + 1;
  const spelled = [...symbols].map(([name, facts]) => ({ name: encodeText(modelName(name)), facts }));
  const bytes = new Uint8Array(spelled.reduce((sum, { name }) => sum + name.length, 0));
  const offset = new Uint32Array(count);
  const length = new Uint32Array(count);
  const binding = new Uint8Array(count);
  let at = 0;
  spelled.forEach(({ name, facts }, index) => {
    bytes.set(name, at);
    offset[index + 1] = at;
    length[index + 1] = name.length;
    binding[index + 1] = facts.weak ? BINDING_WEAK : BINDING_GLOBAL;
    at += name.length;
  });
  const section = new Int32Array(count).fill(SECTION_ABSOLUTE);
  section[0] = SECTION_UNDEFINED;
  return {
    count,
    firstGlobal: 1,
    names: { bytes, offset, length },
    kind: new Uint8Array(count).fill(KIND_DATA, 1),
    binding,
    visibility: new Uint8Array(count),
    section,
    value: new Float64Array(count),
    size: new Float64Array(count),
    nameOf: (row) => decodeText(bytes, offset[row], (offset[row] ?? 0) + (length[row] ?? 0)),
  };
}
