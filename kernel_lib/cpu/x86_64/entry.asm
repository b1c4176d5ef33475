; The kernel file's header (boot/kernel_header.h) and the kernel's first instructions.

%include "generated/boot/kernel_header.inc"
%include "generated/kernel_lib/io/uart.inc"

extern __kernel_start, __kernel_file_size, __kernel_memory_size, __stack_top
extern kernel_start
global kernel_entry

section .header progbits alloc noexec nowrite align=16
header:
    istruc kernel_header
        at .signature,    dd KERNEL_SIGNATURE
        at .version,      dw KERNEL_HEADER_VERSION
        at .header_size,  dw kernel_header_size
        at .flags,        dd 0
        at .crc32,        dd 0  ; the image builder fills in this and build_id, and compresses
        at .file_size,    dq __kernel_file_size
        at .memory_size,  dq __kernel_memory_size
        at .load_address, dq __kernel_start
        at .entry,        dq kernel_entry
        at .image_size,   dq __kernel_file_size
    iend

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
