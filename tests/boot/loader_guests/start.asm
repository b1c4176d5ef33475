; What entry.asm calls: says in which state it was called.

DEBUG_EXIT equ 0xF4

extern __stack_top
global kernel_start, kernel_symbols

section .text progbits alloc exec nowrite align=16
    bits 64
kernel_start:
    mov esi, bad_stack
    mov rax, __stack_top - 8    ; the return address is on it
    cmp rsp, rax
    jne .print
    mov esi, bad_frame
    test rbp, rbp
    jnz .print
    mov esi, bad_argument
    cmp rdi, 0x1000
    jne .print
    mov esi, bad_data
    cmp dword [data], 0x12345678
    jne .print
    cmp dword [bss], 0
    jne .print
    mov esi, well
.print:
    call print                  ; AL is 0 then
    out DEBUG_EXIT, al
    hlt

%include "tests/boot/loader_guests/print.inc"

section .rodata progbits alloc noexec nowrite align=1
well:         db "kernel_start called", 10, 0
bad_stack:    db "RSP is not __stack_top - 8", 10, 0
bad_frame:    db "RBP is not 0", 10, 0
bad_argument: db "RDI is not the boot information", 10, 0
bad_data:     db "data or bss are not as linked", 10, 0

section .data progbits alloc noexec write align=4
data:         dd 0x12345678

section .bss nobits alloc noexec write align=4
bss:          resb 20000

section .symbols progbits alloc noexec nowrite align=4
kernel_symbols:
              dd 0
