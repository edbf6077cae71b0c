// Which versions of other libraries' symbols a shared object asks for: .gnu.version and .gnu.version_r (LSB Core 5.0
// §10.7). Own symbols have no versions.
import { VER_NDX_GLOBAL, VER_NDX_LOCAL } from '../formats/elf/constants.js';
import { encodeNeededVersions } from '../formats/elf/encode-dynamic.js';
import type { StringTableWriter } from '../formats/elf/encode-symbols.js';
import type { Link } from './shared/link-state.js';
import * as symbols from './shared/symbols.js';

/** The tables' bytes. */
export interface NeededVersionTables {
  /** .gnu.version: two bytes for every dynamic symbol, the null symbol first. */
  readonly numbers: Uint8Array;
  /** .gnu.version_r. */
  readonly needs: Uint8Array;
  /** Libraries in it. */
  readonly libraries: number;
}

/** By this name glibc says that its loader knows packed rebases; it refuses to load who uses them and does not ask for it. */
const PACKED_VERSION = 'GLIBC_ABI_DT_RELR';

interface Version {
  readonly name: string;
  readonly nameOffset: number;
  readonly index: number;
  readonly weak: boolean;
}

/** Numbers the versions of the imports in `order`; null when none has one. `libraryName` gives the name in .dynstr. */
export function planVersions(
  link: Link,
  order: readonly number[],
  strings: StringTableWriter,
  libraryName: (library: number) => number,
  packed: boolean,
): NeededVersionTables | null {
  const table = link.symbols;
  const byLibrary = new Map<number, Map<string, Version>>();
  let next = VER_NDX_GLOBAL + 1;
  const numberOf = (library: number, name: string): number => {
    let versions = byLibrary.get(library);
    if (versions === undefined) byLibrary.set(library, (versions = new Map<string, Version>()));
    let version = versions.get(name);
    if (version === undefined) {
      version = { name, nameOffset: strings.addText(name), index: next++, weak: false };
      versions.set(name, version);
    }
    return version.index;
  };
  const numbers = new Uint16Array(order.length + 1);
  numbers[0] = VER_NDX_LOCAL;
  order.forEach((symbol, index) => {
    let number = VER_NDX_GLOBAL;
    if (table.state[symbol] === symbols.STATE_SHARED) {
      const library = table.file[symbol] as number;
      const { file, used } = link.libraries[library] ?? {};
      const version = file?.linked?.versionOf(table.row[symbol] as number);
      // Of a library that is not named as needed nothing can be asked.
      if (version != null && used === true) number = numberOf(library, version.name);
    }
    numbers[index + 1] = number;
  });
  if (packed) {
    const libc = link.libraries.find(({ name, used }) => used && /^libc\.so\./.test(name));
    if (libc !== undefined && byLibrary.has(libc.number)) numberOf(libc.number, PACKED_VERSION);
  }
  if (byLibrary.size === 0) return null;
  const needs = encodeNeededVersions(
    [...byLibrary].map(([library, versions]) => ({ fileName: libraryName(library), versions: [...versions.values()] })),
  );
  return { numbers: new Uint8Array(numbers.buffer), needs, libraries: byLibrary.size };
}
