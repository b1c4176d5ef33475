; The kernel file's header (boot/kernel_header.h) and the kernel's first instructions.

%include "generated/boot/kernel_header.inc"

extern kernel_start, __stack_top
global kernel_entry

KERNEL_FLAGS equ KERNEL_I386
%include "kernel_lib/cpu/kernel_header.inc"

section .text.entry progbits alloc exec nowrite align=16
    bits 32

; In: EDI = boot information, machine state as boot/boot_info.h says. Does not return.
kernel_entry:
    mov esp, __stack_top - 12   ; a multiple of 16 with the parameter
    xor ebp, ebp                ; ends every backtrace
    push edi
    call kernel_start           ; does not return
