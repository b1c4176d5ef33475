# Functions of a library, written by hand so that it is known where their parts are: for a negative
# argument they take a way of which coverage.txt says that it never ran. It begins 16 bytes behind
# the start and has 32 bytes; parted_inside enters it further on.

.macro two_ways name, entry
.section .text.\name, "ax"
.globl \name
.type \name, @function
\name:
    testl %edi, %edi
    js \entry
    leal 1(%rdi), %eax
    ret
    .balign 16, 0x90
1:  .fill 8, 1, 0x90
2:  negl %edi
    call _Z8kept_tooi
    ret
    .balign 32, 0x90
    .fill 16, 1, 0x90
.size \name, . - \name
.endm

    two_ways parted, 1f
    two_ways parted_inside, 2f
    two_ways parted_too, 1f
.section .note.GNU-stack, "", @progbits
