; The kernel file's header (boot/kernel_header.h) and the kernel's first instructions.

%include "generated/boot/kernel_header.inc"
%include "generated/kernel_lib/io/uart.inc"

extern kernel_start, __stack_top
global kernel_entry

KERNEL_FLAGS equ 0
%include "kernel_lib/cpu/kernel_header.inc"

section .text.entry progbits alloc exec nowrite align=16

; In: RDI = boot information, machine state as boot/boot_info.h says. Does not return.
kernel_entry:
; Is this 64-bit mode? The code below runs in either, and "48 FF C0" is INC RAX in 64-bit mode but
; DEC EAX, INC EAX in 32-bit mode. 64-bit code that runs in 32-bit mode does not crash at once, it
; computes nonsense: so look before anything else.
    bits 32
    xor eax, eax
    db 0x48, 0xFF, 0xC0
    test eax, eax
    jz not_64_bit

    bits 64
    mov esp, __stack_top
    xor ebp, ebp                ; ends every backtrace
    call kernel_start           ; does not return

    bits 32
not_64_bit:
    mov esi, .message
.next:
    mov dx, COM1 + UART_LINE_STATUS
.wait:
    in al, dx
    test al, UART_STATUS_TRANSMIT_EMPTY
    jz .wait
    lodsb
    test al, al
    jz .stop
    mov dx, COM1
    out dx, al
    jmp .next
.stop:
    cli
    hlt
    jmp .stop

section .rodata.entry progbits alloc noexec nowrite align=1
not_64_bit.message:
    db "error: the CPU is in 32-bit mode; the kernel must be entered in 64-bit mode", 13, 10, 0
