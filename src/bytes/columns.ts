// Columns of numbers: how tables that grow keep theirs.

/** What a column may be. */
export type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

/** `to`, with all of `from` at its start. */
export function copied<C extends Column>(from: C, to: C): C {
  to.set(from);
  return to;
}
