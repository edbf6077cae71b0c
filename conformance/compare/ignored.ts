// Everything that the comparison does not hold against a linker, each with its reason. What is counted under a class was
// looked at by a check of that class; there is none for "other".

/** The classes and their reasons. */
export const IGNORED = {
  marker:
    'The relocation carries no value (R_*_NONE, TLSDESC_CALL), or belongs to the call of a thread-local sequence that ' +
    'was rewritten as a whole and is judged at its first instruction.',
  unwind:
    'Unwind tables are edited and merged by linkers: they are compared by what they describe, function by function.',
  'weak-import':
    'mold writes an undefined weak symbol that a needed library has as a strong one; checked: all else of it is equal.',
  'import-of-dropped':
    'mold lists undefined symbols that only dropped code refers to; checked: they are undefined, and an input names them.',
  'unmarked-static-tls':
    'GNU ld does not mark arm64 libraries whose thread-locals must be in the static block (DF_STATIC_TLS); the others do.',
  'own-by-name':
    'GNU ld has the loader look up by name what nobody can replace: addresses of protected symbols, thread-locals under ' +
    "-Bsymbolic. It finds this module's; checked: the output defines it, and is symbolic or the symbol protected there.",
  'library-first':
    "mold takes a needed library's symbol before an archive member that defines it too (compiler-builtins and libgcc_s); " +
    'checked: the symbol is an import there, and the place leads to it; nothing of a member that it lacks is there.',
  'other-member':
    'Of two members of one archive that define a name (compiler-builtins has functions in C and in Rust) mold takes ' +
    "another than GNU ld and lld; checked: both are the archive's, and the member that is not taken has no name of its own.",
  'weak-alias':
    "GNU ld lists the weak other name of a library's variable beside the one that is used; checked: no input names it.",
  'unsure-place':
    'The map does not tell apart sections of one object with the same name and size of which only some were kept.',
  'dropped-debug':
    'Debug information of code that was dropped: linkers write 0, 1, -1, -2, the addend, or the address of the copy that ' +
    'was kept; that it is one of those is checked.',
  'debug-of-nothing':
    'With --gc-sections GNU ld drops the debug information of an object of which nothing is loaded; checked: nothing is.',
  'debug-of-copies':
    'mold keeps what every copy of a group has of debug information; checked: it is not loaded, and the other kept a copy.',
  'other-copy':
    'Where the inputs, or members of archives, come in another order another copy of a group is kept (gABI "Section ' +
    'Groups": any may be); checked: the other output has a copy.',
} as const;

/** The name of a class. */
export type IgnoredClass = keyof typeof IGNORED;

/** How often each class was met. */
export type IgnoredCounts = Record<IgnoredClass, number>;

/** All classes at none. */
export function noneIgnored(): IgnoredCounts {
  const counts = Object.keys(IGNORED).map((name) => [name, 0] as const);
  return Object.fromEntries(counts) as IgnoredCounts;
}

/** Adds counts to others. */
export function addIgnored(to: IgnoredCounts, more: IgnoredCounts): void {
  for (const name of Object.keys(to) as IgnoredClass[]) to[name] += more[name];
}

/** Classes of places that are right in both of two outputs, and differ. Those of single outputs are counted with them. */
const PAIR_CLASSES: readonly IgnoredClass[] = ['library-first', 'own-by-name', 'other-member'];

/** Adds what the comparison of two outputs allowed. */
export function addAllowed(to: IgnoredCounts, allowed: IgnoredCounts): void {
  for (const name of PAIR_CLASSES) to[name] += allowed[name];
}

/** Counts with their reasons, for the record. */
export function withReasons(counts: IgnoredCounts): object {
  return Object.fromEntries(
    Object.entries(IGNORED).map(([name, reason]) => {
      return [name, { count: counts[name as IgnoredClass], reason }];
    }),
  );
}
