// Pairs of relocations, addends in entries of their own, halves of addresses on both sides of pages, and fields of data.
        .macro  halves target
        adrp    x0, \target@PAGE
        add     x1, x0, \target@PAGEOFF
        ldr     b1, [x0, \target@PAGEOFF]
        ldr     h1, [x0, \target@PAGEOFF]
        ldr     s1, [x0, \target@PAGEOFF]
        ldr     d1, [x0, \target@PAGEOFF]
        ldr     q1, [x0, \target@PAGEOFF]
        str     q1, [x0, \target@PAGEOFF]
        ldrsb   x1, [x0, \target@PAGEOFF]
        ldrsw   x1, [x0, \target@PAGEOFF]
        .endm

        .text
        .globl  _entry
        .p2align 2
_entry:
        halves  _table
        halves  _table+0x7f0
        halves  _table+0xff0
        halves  _table+0x1000
        halves  _table+0x1810
        halves  _here
        bl      _one
        bl      _two
        bl      _three
        b       _code+8
        adrp    x5, _far@GOTPAGE
        ldr     x5, [x5, _far@GOTPAGEOFF]
        adrp    x6, _here@GOTPAGE
        ldr     w6, [x6]
        ret
        .globl  _code
_code:
        ret
        ret
        ret

        .data
        .p2align 4
        .globl  _table
_table:
        .space  0x2000
        .globl  _here
        .p2align 4
_here:
        .quad   _entry + 0x123456789
        .quad   _far
        .quad   _here - _table + 5
        .quad   _code - .
        .long   _code - _here
        .long   _code - .
        .long   _here - _code
        .long   _far@GOT - .
        .quad   Lown

// Without a symbol of the table: references go by section.
        .section __DATA,__own
        .p2align 4
        .quad   6
Lown:   .quad   7
        .subsections_via_symbols
