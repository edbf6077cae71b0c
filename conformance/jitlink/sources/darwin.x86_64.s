// Pairs of relocations, operands with immediates of every size behind them, and fields of data.
        .text
        .globl  _entry
_entry:
        leaq    _table+0x123456(%rip), %rax
        cmpb    $3, _table+5(%rip)
        movw    $0x1234, _table-6(%rip)
        movl    $0x12345678, _table+7(%rip)
        movq    $-2, _here(%rip)
        addq    $1, Lown(%rip)
        cmpb    $3, Lown(%rip)
        movl    $5, Lown+4(%rip)
        leaq    Lown(%rip), %rdx
        movq    _far@GOTPCREL(%rip), %rcx
        movq    _here@GOTPCREL(%rip), %rcx
        cmpq    _far@GOTPCREL(%rip), %rcx
        pushq   _far@GOTPCREL(%rip)
        callq   *_here@GOTPCREL(%rip)
        call    _one
        call    _two
        call    _three
        jmp     _code+1
        je      _code
        ret
        .globl  _code
_code:
        nop
        ret

        .data
        .p2align 4
        .globl  _table
_table:
        .space  0x200
        .globl  _here
_here:
        .quad   _entry + 0x123456789
        .quad   _far
        .quad   _here - _table + 5
        .quad   _code - .
        .long   _code - _here
        .long   _code - .
        .long   _here - _code
        .long   _far@GOTPCREL + 4
        .quad   Lown

// Without a symbol of the table: references go by section.
        .section __DATA,__own
        .p2align 4
        .quad   6
Lown:   .quad   7
        .subsections_via_symbols
