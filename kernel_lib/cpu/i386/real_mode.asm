; A BIOS call: from protected mode to real mode, INT 13h, and back. Intel SDM vol. 3: 10.9.2
; "Switching back to real-address mode", 10.9.1 "Switching to protected mode".
;
; real_mode.c copies this to REAL_MODE_CODE: real mode reaches only the first MiB, and whatever
; turns paging off must lie at the same physical and virtual address. Hence every address in here
; is made by IN_PLACE.

%include "generated/kernel_lib/cpu/control.inc"
%include "generated/kernel_lib/cpu/descriptors.inc"
%include "generated/kernel_lib/cpu/real_mode.inc"

struc saved
    .esp:       resd 1
    .cr0:       resd 1
    .cr3:       resd 1
    .cr4:       resd 1
    .mxcsr:     resd 1
    .x87:       resw 1          ; control word
endstruc

CODE32          equ SELECTOR_CODE ; as in the kernel's own GDT
DATA32          equ 0x10
CODE16          equ 0x18
DATA16          equ 0x20

%define IN_PLACE(label) (REAL_MODE_CODE + (label) - real_mode_code)

section .rodata.real_mode progbits alloc noexec nowrite align=16

global real_mode_code
global real_mode_code_end

; Called as a C function without parameters, interrupts off. Returns with this file's own GDT, an
; IDT that is none and flat segments: the caller loads its own again.
bits 32
real_mode_code:
        push ebx
        push ebp
        push esi
        push edi
        mov ebx, REAL_MODE_SAVED
        mov [ebx + saved.esp], esp
        mov eax, cr3
        mov [ebx + saved.cr3], eax
        mov eax, cr4
        mov [ebx + saved.cr4], eax
        mov eax, cr0
        mov [ebx + saved.cr0], eax
        stmxcsr [ebx + saved.mxcsr]     ; the vector registers themselves are the caller's to save
        fnstcw [ebx + saved.x87]
        and eax, ~CR0_PAGING
        mov cr0, eax
        xor eax, eax
        mov cr3, eax                    ; flushes the TLB, global pages included once CR4 is 0
        mov cr4, eax
        lgdt [IN_PLACE(gdt_pointer)]
        jmp CODE16:IN_PLACE(leave_protected_mode)

bits 16
leave_protected_mode:
        mov ax, DATA16
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov eax, cr0
        and eax, CR0_EXTENSION_TYPE | CR0_CACHES_OFF ; all others 0, as after a reset: real mode
        mov cr0, eax
        jmp 0:IN_PLACE(real_mode)

%include "kernel_lib/cpu/real_mode_int13.inc"
        jmp dword CODE32:IN_PLACE(protected_mode)

bits 32
protected_mode:
        mov ax, DATA32
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov ebx, REAL_MODE_SAVED
        mov eax, [ebx + saved.cr4]
        mov cr4, eax                    ; PAE must be on before paging is
        mov eax, [ebx + saved.cr3]
        mov cr3, eax
        mov eax, [ebx + saved.cr0]
        mov cr0, eax
        mov esp, [ebx + saved.esp]
        fninit                          ; whatever the BIOS has left there
        fldcw [ebx + saved.x87]
        ldmxcsr [ebx + saved.mxcsr]
        pop edi
        pop esi
        pop ebp
        pop ebx
        ret

        align 8, db 0
gdt:
        dq 0
        dq 0x00CF9B000000FFFF           ; 32-bit code
        dq 0x00CF93000000FFFF           ; 32-bit data
        dq 0x00009B000000FFFF           ; 16-bit code, base 0, limit 64 KiB as in real mode
        dq 0x000093000000FFFF           ; data, likewise
gdt_end:

gdt_pointer:
        dw gdt_end - gdt - 1
        dd IN_PLACE(gdt)
real_mode_code_end:
