; A boot sector that enters a kernel, which QEMU has put at 1 MiB, in 32-bit mode: the mistake that
; entry.asm looks for.

%include "generated/boot/kernel_header.inc"

KERNEL_BASE equ 0x100000
CR0_PE      equ 1

    org 0x7C00
    bits 16
    cli
    xor ax, ax
    mov ds, ax
    lgdt [gdt_pointer]
    mov eax, cr0
    or al, CR0_PE
    mov cr0, eax
    jmp 8:.protected
    bits 32
.protected:
    mov ax, 16
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov edi, 0x1000
    jmp [KERNEL_BASE + kernel_header.entry]

    align 8, db 0
gdt:
    dq 0
    dq 0x00CF9A000000FFFF       ; code, base 0, limit 4 GiB
    dq 0x00CF92000000FFFF       ; data
gdt_pointer:
    dw $ - gdt - 1
    dd gdt

    times 510 - ($ - $$) db 0
    dw 0xAA55
