# Relocations that compilers seldom make, of fields that a value fills to the last bit. What is not defined lies just
# below 0x10000000 (compare-object.ts): the addends bring it into the fields, above and below zero.
        .text
        .globl  entry
        .type   entry, @function
entry:
        leaq    near+0x1234(%rip), %rax
        movl    $1, near-0x7ffff(%rip)
        # Every third name is out of reach (compare-object.ts).
        call    one@PLT
        call    two@PLT
        call    three@PLT
        ret
        .size   entry, . - entry

        .data
        .balign 8
        .globl  words
words:
        .reloc  ., R_X86_64_64, near + 0x123456789abc
        .zero   8
        .reloc  ., R_X86_64_PC64, near + 0x123456789abc
        .zero   8
        .reloc  ., R_X86_64_PC64, near - 0x123456789abc
        .zero   8
        .reloc  ., R_X86_64_PC32, near + 0x7fff0000
        .zero   4
        .reloc  ., R_X86_64_PC32, near - 0x6fff0000
        .zero   4
        .reloc  ., R_X86_64_32, near + 0x10
        .zero   4
        .reloc  ., R_X86_64_32, near + 0xe0000000
        .zero   4
        .reloc  ., R_X86_64_32S, near + 0x6fff0000
        .zero   4
        .reloc  ., R_X86_64_32S, near - 0x7fff0000
        .zero   4
        .reloc  ., R_X86_64_16, near - 0x0fff0000 + 0x7abc
        .zero   2
        .reloc  ., R_X86_64_16, near - 0x0fff0000 + 0xfabc
        .zero   2
        .reloc  ., R_X86_64_8, near - 0x0fff0000 + 0x7f
        .zero   1
        .reloc  ., R_X86_64_PC16, words + 0x123
        .zero   2
        .reloc  ., R_X86_64_PC8, words + 0x44
        .zero   1
        .balign 8
        .reloc  ., R_X86_64_GOTOFF64, near + 0x123456789abc
        .zero   8
        .reloc  ., R_X86_64_GOTOFF64, near - 0x123456789abc
        .zero   8
        .reloc  ., R_X86_64_GOTPC64, _GLOBAL_OFFSET_TABLE_ + 0x123456789abc
        .zero   8
        .reloc  ., R_X86_64_GOTPC32, _GLOBAL_OFFSET_TABLE_ + 0x12345678
        .zero   4
        .reloc  ., R_X86_64_PLT32, code
        .zero   4
        .reloc  ., R_X86_64_GOT64, far
        .zero   8
        .reloc  ., R_X86_64_GOTPCREL64, far
        .zero   8
        .reloc  ., R_X86_64_GOTPCREL, far
        .zero   4
        .size   words, . - words
