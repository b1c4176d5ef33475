; The second stage: makes the machine ready for the kernel, loads and checks it,
; and enters it in the mode of its architecture. Stage1 has filled in the disk fields of the
; boot-information block. In: DS = ES = SS = 0, stack below STACK_TOP, SI = how many sectors it took
; to read both stages.

%include "boot/boot_info.inc"
%include "generated/boot/boot_slots.inc"
%include "generated/boot/disk_layout.inc"
%include "generated/boot/kernel_header.inc"
%include "generated/boot/memory_map.inc"
%include "generated/kernel_lib/cpu/paging.inc"
%include "generated/kernel_lib/cpu/control.inc"
%include "generated/kernel_lib/io/uart.inc"
; Of the folder of the architecture: cpu.inc, kernel_mode.inc

    org STAGE2_ADDRESS
    bits 16

stage2:
    call note_sector_size
    call require_cpu
    call enable_a20
    call read_memory_map
    call ata_probe
    call fat_mount
    jmp boot_kernel

%include "boot/console.inc"
%include "boot/decimal.inc"
%include "boot/disk.inc"
%include "boot/ata_dma.inc"
%include "cpu.inc"
%include "boot/a20.inc"
%include "boot/e820.inc"
%include "boot/fat.inc"
%include "boot/kernel.inc"
%include "boot/slots.inc"
%include "boot/protected_mode.inc"
%include "boot/crc32.inc"
%include "boot/enter_kernel.inc"
%include "kernel_mode.inc"

%if $ - $$ > UNPACK_ADDRESS - STAGE2_ADDRESS
    %error stage2 does not fit in front of the unpacker
%endif
    times UNPACK_ADDRESS - STAGE2_ADDRESS - ($ - $$) db 0
    incbin "unpack.bin"
%if $ - $$ > STAGE2_SECTORS * SECTOR_SIZE - 2
    %error stage2 does not fit in its sectors
%endif
    times STAGE2_SECTORS * SECTOR_SIZE - 2 - ($ - $$) db 0
    dw STAGE2_SIGNATURE
