// Numbers of Mach-O relocations, names verbatim, and the one number under which the model has what a Mach-O relocation
// says in several bit fields: type, PC-relative or not, length, and for pairs what the pair means.
// Source: Apple's <mach-o/reloc.h>, <mach-o/x86_64/reloc.h> and <mach-o/arm64/reloc.h>.

export const X86_64_RELOC_UNSIGNED = 0;
export const X86_64_RELOC_SIGNED = 1;
export const X86_64_RELOC_BRANCH = 2;
export const X86_64_RELOC_GOT_LOAD = 3;
export const X86_64_RELOC_GOT = 4;
export const X86_64_RELOC_SUBTRACTOR = 5;
export const X86_64_RELOC_SIGNED_1 = 6;
export const X86_64_RELOC_SIGNED_2 = 7;
export const X86_64_RELOC_SIGNED_4 = 8;
export const X86_64_RELOC_TLV = 9;

export const ARM64_RELOC_UNSIGNED = 0;
export const ARM64_RELOC_SUBTRACTOR = 1;
export const ARM64_RELOC_BRANCH26 = 2;
export const ARM64_RELOC_PAGE21 = 3;
export const ARM64_RELOC_PAGEOFF12 = 4;
export const ARM64_RELOC_GOT_LOAD_PAGE21 = 5;
export const ARM64_RELOC_GOT_LOAD_PAGEOFF12 = 6;
export const ARM64_RELOC_POINTER_TO_GOT = 7;
export const ARM64_RELOC_TLVP_LOAD_PAGE21 = 8;
export const ARM64_RELOC_TLVP_LOAD_PAGEOFF12 = 9;
/** The addend of the relocation behind it; the model has the two as one. */
export const ARM64_RELOC_ADDEND = 10;
export const ARM64_RELOC_AUTHENTICATED_POINTER = 11;

/** Bytes of a field, by its length as entries say it. Looked up: a power costs as much as all else that is read of one. */
export const WIDTHS: readonly number[] = [1, 2, 4, 8];
/** `r_length`: the power of two of the field's bytes. */
export const LENGTH_1 = 0;
export const LENGTH_4 = 2;
export const LENGTH_8 = 3;

/** Added to a SUBTRACTOR's number: the subtracted symbol lies in the section of the place, and is P with an addend. */
export const MINUS_PLACE = 512;
/** Added to a SUBTRACTOR's number: the symbol it is subtracted from lies in the section of the place. */
export const PLACE_MINUS = 1024;
/** Added to a SUBTRACTOR's number: neither does; the subtracted one is `Relocation.minus`. */
export const MINUS_SYMBOL = 2048;
/** Added to an UNSIGNED's number: it stands in a descriptor of a thread-local and is an offset in the template. */
export const IN_TEMPLATE = 4096;
/**
 * Added to an UNSIGNED's number: the word's highest bit is set beside the address. C++ for arm64 says so that a type's name
 * may exist several times.
 */
export const MARKED = 8192;

/** The model's number of a relocation without any of the above. */
export function relocationType(type: number, pcRelative: boolean, length: number): number {
  return type + (pcRelative ? 16 : 0) + 32 * length;
}

/** Bytes of the field that the model's number says. */
export function widthOf(number: number): number {
  return WIDTHS[Math.floor(number / 32) % 4] as number;
}
