// What a linker's command line says of its inputs, before any file is opened.

/** An input with the state of the flags that stand before it. */
export interface InputWord {
  /** A path; with `library` the name behind -l: `m`, or `:libm.so.6`. */
  readonly name: string;
  readonly library: boolean;
  /** Take all members (--whole-archive). */
  readonly whole: boolean;
  readonly asNeeded: boolean;
  /** Look for archives only (-Bstatic). */
  readonly archivesOnly: boolean;
}

/** Where inputs are looked for. */
export interface InputSearch {
  /** -L, in order; `=` and `$SYSROOT` at the start stand for the sysroot. */
  readonly directories: readonly string[];
  /** Empty for none. */
  readonly sysroot: string;
  /** Without those that every linker looks in (-nostdlib). */
  readonly onlyNamed: boolean;
  /** Archives whose symbols are not shown: file names, or ALL. */
  readonly excludedArchives: readonly string[];
}
