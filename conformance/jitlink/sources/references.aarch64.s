// Relocations that compilers seldom make, of fields that a value fills to the last bit, and halves of addresses on both
// sides of pages and of half pages. What is not defined lies just below 0x10000000 (compare-object.ts): the addends bring
// it into the fields, above and below zero.
        .macro  halves target
        adrp    x0, \target
        add     x1, x0, :lo12:\target
        ldr     b1, [x0, :lo12:\target]
        ldr     h1, [x0, :lo12:\target]
        ldr     s1, [x0, :lo12:\target]
        ldr     d1, [x0, :lo12:\target]
        ldr     q1, [x0, :lo12:\target]
        .endm

        .text
        .globl  entry
        .type   entry, @function
entry:
        halves  table
        halves  table+0x7f0
        halves  table+0x800
        halves  table+0xff0
        halves  table+0x1000
        halves  table+0x1810
        movz    x2, #:abs_g3:near+0x7000000000000
        movk    x2, #:abs_g2_nc:near+0x7abc00000000
        movk    x2, #:abs_g1_nc:near+0xabc
        movk    x2, #:abs_g0_nc:near+0xabc
        movz    x3, #:abs_g0:near-0x0fff0000+0xfabc
        movz    x3, #:abs_g1:near
        ldr     x4, entry
        adr     x4, entry
        tbz     x4, #7, last
        cbz     x4, last
        b.ne    last
        // Every third name is out of reach (compare-object.ts).
        bl      one
        bl      two
        bl      three
        b       code
        adrp    x5, :got:far
        ldr     x5, [x5, :got_lo12:far]
last:
        ret
        .size   entry, . - entry

        .data
        .balign 16
        .globl  table
table:
        .zero   0x2000
        .globl  words
words:
        .reloc  ., R_AARCH64_ABS64, near + 0x123456789abc
        .zero   8
        .reloc  ., R_AARCH64_PREL64, near + 0x123456789abc
        .zero   8
        .reloc  ., R_AARCH64_PREL64, near - 0x123456789abc
        .zero   8
        .reloc  ., R_AARCH64_PREL32, near + 0x6fff0000
        .zero   4
        .reloc  ., R_AARCH64_PREL32, near - 0x6fff0000
        .zero   4
        .reloc  ., R_AARCH64_ABS32, near + 0xe0000000
        .zero   4
        .reloc  ., R_AARCH64_ABS16, near - 0x0fff0000 + 0x7abc
        .zero   2
        .reloc  ., R_AARCH64_PREL16, words + 0x1234
        .zero   2
        .size   words, . - words
