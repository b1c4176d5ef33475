; The master boot record: finds out how to talk to the disk that the BIOS booted
; from and loads stage2, which lies behind this sector.
; In: DL = BIOS drive. Needs a CPU with a time-stamp counter (Pentium or later).
;
; Some BIOSes write into the sector that they have loaded, where a BIOS parameter block is on a
; diskette: nothing that stage1 needs is there. Some read that block.

%include "boot/boot_info.inc"
%include "generated/boot/disk_layout.inc"
%include "generated/boot/memory_map.inc"
%include "generated/kernel_lib/io/uart.inc"

BPB_END           equ 0x3E
MBR_CODE_SIZE     equ 440       ; disk signature and partition table follow
MEDIA_FIXED       equ 0xF8

STAGES_ADDRESS    equ STAGE2_ADDRESS - STAGE2_LBA * SECTOR_SIZE ; of a second copy of this one
STAGE2_END        equ STAGE2_ADDRESS + STAGE2_SECTORS * SECTOR_SIZE

    org STAGE1_ADDRESS
    bits 16

    jmp short stage1
    nop

; The BIOS parameter block of a disk with this geometry. It has no FATs, so that nobody takes the
; whole disk for one FAT file system: Linux, libblkid and Windows then read the partition table.
    db "BAREFLOW"
    dw SECTOR_SIZE
    db 1                        ; sectors in a cluster
    dw 1                        ; reserved sectors
    db 0                        ; FATs
    dw 0                        ; entries of the root directory
    dw 0                        ; sectors, if they are below 65536
    db MEDIA_FIXED
    dw 0                        ; sectors in a FAT
    dw IMAGE_SECTORS_PER_TRACK
    dw IMAGE_HEADS
    dd 0                        ; sectors in front
    dd 0                        ; sectors: the image builder fills this in
    db 0x80, 0, 0x29            ; drive; 29h = the following are there
    dd 0                        ; serial number
    db "BAREFLOW   "            ; label
    db "        "               ; file system
%if $ - $$ != BPB_END
    %error the BIOS parameter block ends elsewhere
%endif

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
    mov al, UART_LINE_DIVISOR_LATCH ; the next two writes set the divisor
    out dx, al
    mov dl, COM1 & 0xFF
    mov al, UART_DIVISOR_115200
    out dx, al
    inc dx
    dec ax
    out dx, al
    mov dl, (COM1 + UART_LINE_CONTROL) & 0xFF
    mov al, UART_LINE_8N1
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

; Read both stages: by one call with the extensions, else sector by sector. With the extensions every
; other attempt reads as many sectors as it takes where they have 4096 bytes: whether stage2 is there
; afterwards tells more than what the BIOS says about sectors.
; This is shorter than disk.inc, which finds any sector, and leaves room for the block above.
.load:
    mov dx, bp
    mov dh, 0                   ; head
    mov cx, 1                   ; cylinder 0; sectors count from 1
    mov bx, STAGES_ADDRESS
    mov si, STAGES_LARGE_SECTORS
    mov di, 2 * DISK_ATTEMPTS
.attempt:
    mov [STAGE2_END - 2], si    ; what the last boot has left there is no signature
    pusha
    test byte [BOOT_INFO(disk_flags)], BOOT_DISK_LBA
    jz .read_sector
    push dword 0                ; disk address packet: LBA 63..32
    push dword 0                ; LBA 31..0
    push es
    push bx
    push si
    push word 16                ; size of the packet
    mov si, sp
    mov ah, 0x42
    int 0x13
    lea sp, [si + 16]           ; keeps the carry flag
    jmp .have_read
.read_sector:
    mov ax, 0x0201              ; one sector
    int 0x13
.have_read:
    mov [disk_status], ah
    popa                        ; some BIOSes lose DX
    jc .failed
    test byte [BOOT_INFO(disk_flags)], BOOT_DISK_LBA
    jnz .loaded
    inc cx
    cmp cl, [BOOT_INFO(sectors_per_track)]
    jbe .next
    mov cl, 1
    inc dh
    cmp dh, [BOOT_INFO(heads)]  ; the low byte: of 256 heads both are 0 behind the last
    jne .next
    mov dh, 0
    inc ch
.next:
    add bh, SECTOR_SIZE >> 8
    cmp bx, STAGE2_END
    jb .attempt
.loaded:
    cmp word [STAGE2_END - 2], STAGE2_SIGNATURE
    jne .again                  ; read, but something else
    jmp 0:STAGE2_ADDRESS        ; SI = sectors of the last attempt
.failed:
    xor ah, ah                  ; reset the drive
    int 0x13
.again:
    xor si, STAGES_LARGE_SECTORS ^ STAGES_SECTORS
    dec di
    jnz .attempt

disk_give_up equ stop

%include "boot/disk_failed.inc"
%include "boot/console.inc"

%if $ - $$ > MBR_CODE_SIZE
    %error stage1 does not fit in front of the partition table
%endif
    times 510 - ($ - $$) db 0   ; the image builder writes the partition table
    dw 0xAA55
