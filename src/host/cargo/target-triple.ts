// What the name of a target tells: whether ipbp can patch programs for it, its C library, and cargo's variables for it.
// Names are as rustc prints them (`rustc --print target-list`); what is built for which is cargo-project.ts's.

/** Whether programs for this target can be patched. */
export function isSupportedTarget(triple: string): boolean {
  return /^x86_64-.*-linux-(?:gnu|musl)$|^(?:x86_64|aarch64)-apple-darwin$|^aarch64-apple-ios$|^wasm32-(?:unknown-unknown|wasip1)$/.test(
    triple,
  );
}

/** Whether what is linked for it is a module of WebAssembly, which pages load: no system runs it as a process. */
export function isModule(triple: string): boolean {
  return triple.startsWith('wasm32-');
}

/** Whether its modules are programs that a runtime starts, and no page. */
export function isWasi(triple: string): boolean {
  return triple.startsWith('wasm32-wasi');
}

/** Whether its programs are Apple's: Mach-O, loaded by dyld. */
export function isApple(triple: string): boolean {
  return triple.includes('-apple-');
}

/** Whether its programs are for iOS, whose loader inserts no library that the program does not name. */
export function isIos(triple: string): boolean {
  return triple.includes('-apple-ios');
}

/**
 * Whether programs for the target need something between them and this machine, cargo's runner: another system's do, and
 * another processor's, unless the system itself takes care of those (macOS does).
 */
export function isEmulated(triple: string, hostTriple: string): boolean {
  if (isApple(triple) && isApple(hostTriple)) return isIos(triple);
  const [machine, ...system] = triple.split('-');
  const [hostMachine, ...hostSystem] = hostTriple.split('-');
  const named = (words: readonly string[]): string => words.find((word) => /linux|apple|windows|wasi/.test(word)) ?? '';
  return machine !== hostMachine || named(system) !== named(hostSystem);
}

/** What rustc has shared libraries end in; null: for this machine. */
export function libraryEnding(triple: string | null): string {
  const apple = triple === null ? process.platform === 'darwin' : isApple(triple);
  return apple ? '.dylib' : '.so';
}

/** Whether its C library is musl: programs are linked statically there unless rustc is told otherwise. */
export function isMusl(triple: string): boolean {
  return triple.includes('-musl');
}

/** What cargo means by a target that it is told: `host-tuple` is the one that rustc itself runs on. */
export function namedTarget(name: string, hostTriple: string): string {
  return name === 'host-tuple' ? hostTriple : name;
}

/** The variable that stands for `target.<triple>.<setting>` of cargo's configuration and goes before every file. */
export function targetVariable(triple: string, setting: 'RUNNER' | 'LINKER' | 'RUSTFLAGS'): string {
  return `CARGO_TARGET_${triple.toUpperCase().replaceAll(/[-.]/g, '_')}_${setting}`;
}
