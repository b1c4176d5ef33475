; A BIOS call: from 64-bit mode to real mode, INT 13h, and back.
; Intel SDM vol. 3: 10.8.5.4 "Switching out of IA-32e mode operation", 10.9.2 "Switching back to
; real-address mode", 10.9.1 "Switching to protected mode", 10.8.5 "Initializing IA-32e mode".
;
; real_mode.c copies this to REAL_MODE_CODE: real mode reaches only the first MiB, and whatever
; turns paging off must lie at the same physical and virtual address. Hence every address in here
; is made by IN_PLACE.

%include "generated/kernel_lib/cpu/descriptors.inc"
%include "generated/kernel_lib/cpu/real_mode.inc"
%include "generated/kernel_lib/cpu/control.inc"

struc saved
    .rsp:       resq 1
    .cr0:       resd 1
    .cr3:       resd 1          ; the top page table lies below 4 GiB
    .cr4:       resd 1
    .efer:      resq 1
    .mxcsr:     resd 1
    .x87:       resw 1          ; control word
endstruc


CODE64          equ SELECTOR_CODE ; as in the kernel's own GDT
CODE16          equ 0x10
DATA16          equ 0x18

%define IN_PLACE(label) (REAL_MODE_CODE + (label) - real_mode_code)

section .rodata.real_mode progbits alloc noexec nowrite align=16

global real_mode_code
global real_mode_code_end

; Called as a C function without parameters, interrupts off. Returns with this file's own GDT, an
; IDT that is none and flat segments: the caller loads its own again.
bits 64
real_mode_code:
        push rbx
        push rbp
        push r12
        push r13
        push r14
        push r15
        mov ebx, REAL_MODE_SAVED
        mov [rbx + saved.rsp], rsp
        mov rax, cr0
        mov [rbx + saved.cr0], eax
        mov rax, cr3
        mov [rbx + saved.cr3], eax
        mov rax, cr4
        mov [rbx + saved.cr4], eax
        mov ecx, MSR_EFER
        rdmsr
        mov [rbx + saved.efer], eax
        mov [rbx + saved.efer + 4], edx
        stmxcsr [rbx + saved.mxcsr]     ; the vector registers themselves are the caller's to save
        fnstcw [rbx + saved.x87]
        mov eax, IN_PLACE(gdt_pointer)
        lgdt [rax]
        push CODE16
        push IN_PLACE(compatibility_mode)
        retfq

bits 16
compatibility_mode:                     ; 16-bit code, still with paging
        mov ax, DATA16
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov eax, cr0
        and eax, ~CR0_PAGING            ; this leaves long mode
        mov cr0, eax
        mov ecx, MSR_EFER
        rdmsr
        and eax, ~EFER_LONG_MODE_ENABLE
        wrmsr
        xor eax, eax
        mov cr3, eax                    ; flushes the TLB, global pages included once CR4 is 0
        mov cr4, eax
        mov eax, cr0
        and eax, CR0_EXTENSION_TYPE | CR0_CACHES_OFF ; all others 0, as after a reset: real mode
        mov cr0, eax
        jmp 0:IN_PLACE(real_mode)

%include "kernel_lib/cpu/real_mode_int13.inc"
        jmp CODE16:IN_PLACE(protected_mode)

protected_mode:
        mov ax, DATA16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov eax, [REAL_MODE_SAVED + saved.cr4]
        mov cr4, eax                    ; PAE must be on before paging is
        mov eax, [REAL_MODE_SAVED + saved.cr3]
        mov cr3, eax
        mov ecx, MSR_EFER
        mov eax, [REAL_MODE_SAVED + saved.efer]
        and eax, ~EFER_LONG_MODE_ACTIVE ; the CPU sets it with paging
        mov edx, [REAL_MODE_SAVED + saved.efer + 4]
        wrmsr
        mov eax, [REAL_MODE_SAVED + saved.cr0]
        mov cr0, eax                    ; paging on: long mode
        jmp CODE64:IN_PLACE(long_mode)

bits 64
long_mode:
        mov ebx, REAL_MODE_SAVED
        mov rsp, [rbx + saved.rsp]
        fninit                          ; whatever the BIOS has left there
        fldcw [rbx + saved.x87]
        ldmxcsr [rbx + saved.mxcsr]
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        ret

        align 8, db 0
gdt:
        dq 0
        dq 0x00AF9B000000FFFF           ; 64-bit code
        dq 0x00009B000000FFFF           ; 16-bit code, base 0, limit 64 KiB as in real mode
        dq 0x000093000000FFFF           ; data, likewise
gdt_end:

gdt_pointer:
        dw gdt_end - gdt - 1
        dq IN_PLACE(gdt)
real_mode_code_end:
