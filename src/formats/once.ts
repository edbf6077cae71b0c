// Makes a value when it is first asked for, and keeps it.

/** The same value at every call; where making it throws, the next call tries again. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
