; The master boot record: finds out how to talk to the disk that the BIOS booted
; from and loads stage2 from the sectors behind this one.
; In: DL = BIOS drive. Needs a CPU with a time-stamp counter (Pentium or later).

%include "boot/boot_info.inc"
%include "boot/memory_map.inc"

MBR_CODE_SIZE     equ 440       ; disk signature and partition table follow
UART_LINE_CONTROL equ 3

    org STAGE1_ADDRESS
    bits 16

stage1:
    mov bp, dx                  ; RDTSC overwrites the drive number
    rdtsc
    xor bx, bx                  ; some BIOSes start us at 07C0:0000: CS is set by the last jump
    mov ds, bx
    mov es, bx
    mov ss, bx
    mov sp, STACK_TOP
    cld
    sti
    mov [BOOT_INFO(stage1_tsc)], eax
    mov [BOOT_INFO(stage1_tsc) + 4], edx

; COM1: 115200 baud, 8 data bits, no parity, 1 stop bit.
    mov dx, COM1 + UART_LINE_CONTROL
    mov al, 0x80                ; the next two writes set the divisor
    out dx, al
    mov dl, COM1 & 0xFF
    mov al, 1
    out dx, al
    inc dx
    dec ax
    out dx, al
    mov dl, (COM1 + UART_LINE_CONTROL) & 0xFF
    mov al, 3
    out dx, al

; Has the drive the extensions?
    mov dx, bp
    mov dh, BOOT_DISK_LBA
    mov [BOOT_INFO(boot_drive)], dx ; and disk_flags
    mov [BOOT_INFO(sectors_per_track)], ebx ; 0, and heads
    mov ah, 0x41
    mov bx, 0x55AA
    int 0x13
    jc .chs
    cmp bx, 0xAA55
    jne .chs
    test cl, 1                  ; AH=42h is there
    jnz .load

; No: ask for the geometry.
.chs:
    mov byte [BOOT_INFO(disk_flags)], 0
    mov dx, bp
    mov ah, 0x08
    xor di, di                  ; ES:DI = 0: some BIOSes want it so
    int 0x13
    mov [disk_status], ah
    jc disk_failed
    and cx, 0x3F                ; the rest is the cylinder
    jz disk_failed
    mov [BOOT_INFO(sectors_per_track)], cx
    mov cl, dh
    inc cx                      ; DH is the last head's number
    mov [BOOT_INFO(heads)], cx
    push ds
    pop es                      ; the call returned a table's address in ES:DI

.load:
    xor eax, eax
    inc ax
    mov cx, STAGE2_SECTORS
    mov bx, STAGE2_ADDRESS
    call disk_read
    cmp word [STAGE2_ADDRESS + STAGE2_SECTORS * SECTOR_SIZE - 2], STAGE2_SIGNATURE
    jne disk_failed             ; read, but something else
    jmp 0:STAGE2_ADDRESS

disk_give_up equ stop

%include "boot/disk.inc"
%include "boot/console.inc"

%if $ - $$ > MBR_CODE_SIZE
    %error stage1 does not fit in front of the partition table
%endif
    times 510 - ($ - $$) db 0   ; the image builder writes the partition table
    dw 0xAA55
