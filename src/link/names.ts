// Which names mean the same thing in two compilations, and which are only labels the compiler made up. The rules are
// the compiler's (rustc and LLVM), not those of an object format.

/**
 * Names whose number or hash is an accident of one compilation: local labels, LLVM's private globals, literal pools,
 * jump tables, unwind tables. What they stand for is their content.
 */
const ANONYMOUS =
  /^(?:\.L|L\.|l_|ltmp\d|\$[adtx](?:\.|$)|anon\.|\.Lanon\.|alloc_[0-9a-f]{16,}|vtable\.\d|str\.\d|switch\.table\.|const\.\d|promoted\.\d|__unnamed_\d|GCC_except_table|__rustc_debug_gdb_scripts_section__|_MergedGlobals|_?lpad|\.str)/;

/**
 * LLVM's mark of names that are to be taken as they are, without what a platform puts before the language's names: in
 * object-file.ts of those that lack that. Who writes Rust or C cannot give one.
 */
const AS_IT_IS = '\u0001';

/** What the compiler calls the initial value of a thread-local that is reached by a descriptor: that has the name. */
const INITIAL_VALUE = '$tlv$init';

/** True when another compilation calls the same item by the same name. */
export function isStableName(name: string): boolean {
  return name.length > 0 && !name.startsWith(AS_IT_IS) && !name.endsWith(INITIAL_VALUE) && !ANONYMOUS.test(name);
}

/**
 * The name without what LLVM appends when it makes a local symbol visible across modules (`.llvm.<number>`); anonymous
 * names keep it, as there the number is what tells two apart.
 */
export function stableName(name: string): string {
  const at = name.indexOf('.llvm.');
  if (at < 0 || name.startsWith('anon.') || name.startsWith('.Lanon.')) return name;
  return name.slice(0, at);
}

/**
 * True for names that are unique over a whole program: mangled ones hold their crate and path. What C calls a static may
 * be called the same in another file.
 */
export function isUniqueName(name: string): boolean {
  return name.startsWith('_ZN') || name.startsWith('_R');
}

/** Of segments of data, all names but those that compilers give. */
const OWN_SECTION =
  /^__DATA(?:_\w+)?,(?!__(?:data|const|bss|common|thread_\w+|mod_\w+|got|auth_\w+|\w+_symbol_ptr|objc_\w+|cfstring)$)\w+$/;

/**
 * True for sections that programs may read as one list, from edge to edge, as linkers know names for these: the section's
 * name is one of C, or is in a segment and none of a compiler's.
 */
export function isWalkedSection(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || OWN_SECTION.test(name);
}

/** The names of the edges of a section in a segment, which are in no symbol table; null for other sections. */
export function edgeNames(section: string): { readonly start: string; readonly end: string } | null {
  if (!section.includes(',')) return null;
  const place = section.replace(',', '$');
  return { start: `${AS_IT_IS}section$start$${place}`, end: `${AS_IT_IS}section$end$${place}` };
}

/** What follows a function's name on the symbol of its body, where the name itself is its stub's (entry-slots.ts). */
export const BODY_SUFFIX = '.ipbp.body';
/**
 * The same where stubs stand apart and know where their bodies are, and debug information has the functions' names. Of one
 * object; marked as no language's name.
 */
export function shortBodyName(number: number): string {
  return `\x01ipbp.b${number.toString(36)}`;
}
/** The name of every slot: they are told apart by the stubs that jump through them. Also of the section they are in. */
export const SLOT_NAME = 'ipbp.slot';
/** The same in a program of which only some functions have slots. */
export const LONE_SLOT_NAME = 'ipbp.slot.lone';
/** The name of slots where their section is found in the program: linkers leave out what begins so. */
export const HIDDEN_SLOT_NAME = '\x01l_ipbp';
/** The name of the section that stubs are in where they stand apart from their bodies. */
export const STUB_SECTION = 'ipbp.stub';

/** The section of a patch that is a shared object which says what else has to be done to make it live. */
export const PATCH_SECTION = '.ipbp.patch';
/** The same where sections lie in segments that have names: the segment's, then its own. */
export const PATCH_SEGMENT_SECTION = ['__IPBP', '__patch'] as const;

/** True for the name of that section in any format. */
export function isPatchSection(name: string): boolean {
  return name === PATCH_SECTION || name === PATCH_SEGMENT_SECTION.join(',');
}
