// What dyld writes into a linked file's data when it loads it, in the one form that both of its encodings are read to and
// written from: chained-fixups.ts and dyld-info.ts. Addresses are those of the file, before it is loaded anywhere.

/** A name that the file asks for; the same may be asked of several libraries. */
export interface LoaderImport {
  /** As it stands in the file: `_malloc`. */
  readonly name: string;
  /**
   * 1 is the first library that the file names, 0 the file itself, −1 the program, −2 whichever has it
   * (`-undefined dynamic_lookup`), −3 the same for weak definitions, of which one is taken by all.
   */
  readonly library: number;
  /** May be missing: its address is then 0. */
  readonly weak: boolean;
}

/** 8 bytes at `address` := `target`, as far from its place as the file is from its own. */
export interface LoaderRebase {
  readonly address: number;
  readonly target: number;
  /** The word's highest byte; 0 where it is left out. */
  readonly tag?: number;
}

/** 8 bytes at `address` := the address of the import with this index, plus `addend`. */
export interface LoaderBind {
  readonly address: number;
  readonly symbol: number;
  readonly addend: number;
}

/** All of a file's. */
export interface LoaderFixups {
  readonly imports: readonly LoaderImport[];
  readonly rebases: readonly LoaderRebase[];
  readonly binds: readonly LoaderBind[];
}

/** Bytes of a file that are loaded: [offset, offset + fileSize) at `address`. */
export interface LoadedRange {
  readonly address: number;
  readonly offset: number;
  readonly fileSize: number;
}
