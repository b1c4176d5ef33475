; The kernel of the loader's tests: checks how it was entered, says so on the serial line and
; leaves with code 0 (all is well), 1 (see what it printed), or stays (STAY) so that the test can
; look at memory. FALLBACK makes the kernel of the other boot slot, ROOT the one that no slot has.
; The test appends a payload to the file and fills in the header's sizes and CRC. I386 makes a 32-bit
; one of the same code.

%include "boot/boot_info.inc"
%include "generated/boot/boot_slots.inc"
%include "generated/boot/kernel_header.inc"
%include "generated/kernel_lib/cpu/control.inc"

DEBUG_EXIT equ 0xF4
EFLAGS_IF  equ 0x200
EFLAGS_DF  equ 0x400
EFER_LMA   equ 10
RESET_CODE equ 0xFFFFFFF0       ; the BIOS's first instruction, below 4 GiB: a far jump
FAR_JUMP   equ 0xEA
%ifdef FALLBACK
SLOT       equ BOOT_SLOT_FALLBACK
%elifdef ROOT
SLOT       equ BOOT_SLOT_ROOT
%else
SLOT       equ BOOT_SLOT_NEWEST
%endif

%ifdef I386
FLAGS      equ KERNEL_I386
%define rax eax
%define rbx ebx
%define rcx ecx
%define rdx edx
%define rdi edi
    bits 32
%else
FLAGS      equ 0
    bits 64
%endif
    org 0x100000

header:
    istruc kernel_header
        at .signature,    dd KERNEL_SIGNATURE
        at .version,      dw KERNEL_HEADER_VERSION
        at .header_size,  dw kernel_header_size
        at .flags,        dd FLAGS
        at .load_address, dq header
        at .entry,        dq entry
    iend

entry:
    mov rbx, rdi
    mov esi, bad_block
    cmp dword [rdi + boot_info.magic], BOOT_INFO_MAGIC & 0xFFFFFFFF
    jne fail
    cmp dword [rdi + boot_info.magic + 4], BOOT_INFO_MAGIC >> 32
    jne fail
    mov esi, bad_slot
    cmp byte [rdi + boot_info.boot_slot], SLOT
    jne fail
    mov esi, bad_flags
    pushf
    pop rax
    test eax, EFLAGS_IF | EFLAGS_DF
    jnz fail
    mov esi, bad_mode
%ifdef I386
    mov eax, cr0
    test eax, CR0_PAGING
    jnz fail
%else
    mov ecx, MSR_EFER
    rdmsr
    bt eax, EFER_LMA
    jnc fail
%endif
    mov esi, bad_map
    mov eax, RESET_CODE
    cmp byte [rax], FAR_JUMP
    jne fail

; Everything behind the file is zero.
    mov esi, bad_bss
    mov rdi, [rbx + boot_info.kernel_base]
    mov rcx, [rbx + boot_info.kernel_memory_size]
    mov rdx, [rbx + boot_info.kernel_image_size]
    add rdi, rdx
    sub rcx, rdx
    xor eax, eax
    test eax, eax               ; zero flag, should there be nothing to scan
    repe scasb
    jne fail

    mov esi, well
    call print
    xor eax, eax
%ifndef STAY
    out DEBUG_EXIT, al
%endif
stay:
    hlt
    jmp stay

fail:
    call print
    mov al, 1
    out DEBUG_EXIT, al
    jmp stay

%include "tests/boot/loader_guests/print.inc"

%if SLOT = BOOT_SLOT_FALLBACK
well:      db "fallback runs", 10, 0
%elif SLOT = BOOT_SLOT_ROOT
well:      db "root runs", 10, 0
%else
well:      db "kernel runs", 10, 0
%endif
bad_block: db "no boot information at RDI, or EDI", 10, 0
bad_slot:  db "the boot information names the other slot", 10, 0
bad_flags: db "interrupts or direction flag set", 10, 0
bad_mode:  db "not in long mode, or with paging if in 32-bit mode", 10, 0
bad_map:   db "no identity map below 4 GiB", 10, 0
bad_bss:   db "bss is not zero", 10, 0
