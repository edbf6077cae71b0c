// What a text stub says, whatever its version: which names a library has for which machines and systems.

/** A library and those that it brings with it in the same file. */
export interface TextStub {
  readonly main: StubLibrary;
  /** Mostly those that the main one re-exports. */
  readonly others: readonly StubLibrary[];
}

/** One library. A target is a machine and a system: `arm64-macos`. */
export interface StubLibrary {
  readonly installName: string;
  /** Packed: 16, 8 and 8 bits. */
  readonly currentVersion: number;
  readonly compatibilityVersion: number;
  readonly targets: readonly string[];
  /** Install names of libraries whose exports are its own, too. */
  readonly reexported: readonly { readonly targets: readonly string[]; readonly names: readonly string[] }[];
  readonly exports: readonly StubExports[];
}

/** Names as they stand in a library: `_malloc`. */
export interface StubExports {
  readonly targets: readonly string[];
  readonly names: readonly string[];
  readonly weak: readonly string[];
  readonly threadLocal: readonly string[];
}

/** The names of the symbols that a class of Objective-C, its exception type and its variables have. */
export const OBJC_NAMES = {
  classes: (name: string): readonly string[] => [`_OBJC_CLASS_$_${name}`, `_OBJC_METACLASS_$_${name}`],
  exceptions: (name: string): readonly string[] => [`_OBJC_EHTYPE_$_${name}`],
  variables: (name: string): readonly string[] => [`_OBJC_IVAR_$_${name}`],
} as const;

/** What a link against the library sees, for one target. */
export interface StubView {
  readonly installName: string;
  readonly currentVersion: number;
  readonly compatibilityVersion: number;
  readonly symbols: ReadonlyMap<string, { readonly weak: boolean; readonly threadLocal: boolean }>;
  /** Re-exported libraries that are not in the file. */
  readonly missing: readonly string[];
}

/**
 * The exports of the library and of all that it re-exports, as they are for a target; null where it is for others only.
 * Names by which stubs tell Apple's linker about old systems (`$ld$…`) are none.
 */
export function stubView({ main, others }: TextStub, target: string): StubView | null {
  if (!main.targets.includes(target)) return null;
  const known = new Map(others.map((library) => [library.installName, library]));
  const symbols = new Map<string, { weak: boolean; threadLocal: boolean }>();
  const missing = new Set<string>();
  const seen = new Set([main.installName]);
  const queue = [main];
  for (const library of queue) {
    const add = (names: readonly string[], weak: boolean, threadLocal: boolean): void => {
      for (const one of names)
        if (!one.startsWith('$ld$') && !symbols.has(one)) symbols.set(one, { weak, threadLocal });
    };
    for (const { targets, names, weak, threadLocal } of library.exports) {
      if (!targets.includes(target)) continue;
      add(names, false, false);
      add(weak, true, false);
      add(threadLocal, false, true);
    }
    for (const { targets, names } of library.reexported) {
      for (const other of targets.includes(target) ? names : []) {
        const found = known.get(other);
        if (found === undefined) missing.add(other);
        else if (!seen.has(other)) queue.push(found);
        seen.add(other);
      }
    }
  }
  const { installName, currentVersion, compatibilityVersion } = main;
  return { installName, currentVersion, compatibilityVersion, symbols, missing: [...missing] };
}

/** The number that a version of up to three parts is packed to; null for what is none. */
export function packedVersion(text: string): number | null {
  const parts = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(text);
  if (parts === null) return null;
  const [major, minor, patch] = [1, 2, 3].map((part) => Number(parts[part] ?? 0)) as [number, number, number];
  return major > 0xffff || minor > 0xff || patch > 0xff ? null : major * 0x1_0000 + minor * 0x100 + patch;
}
