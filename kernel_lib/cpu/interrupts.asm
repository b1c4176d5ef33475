; Entry points of the 32 exceptions and 16 IRQs (Intel SDM vol. 3, 6.12 and 6.14).
; All run on interrupt stacks (descriptors.c), so RSP is 16-byte aligned before
; the CPU pushes SS, RSP, RFLAGS, CS and RIP.

bits 64
default rel

EXCEPTIONS equ 32
IRQS equ 16
IRQ_SAVED_REGISTERS equ 9
FXSAVE_SIZE equ 512

extern exception_dispatch
extern irq_dispatch

; Whether the CPU pushes an error code for exception %1.
%define HAS_ERROR_CODE(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21 || (v) == 29 || (v) == 30)

section .text.interrupt_stubs progbits alloc exec nowrite align=16

; One stub every 8 bytes, so that the address of vector v's is interrupt_stubs + 8 * v.
global interrupt_stubs
interrupt_stubs:
%assign vector 0
%rep EXCEPTIONS + IRQS
        align 8, int3
        push vector
%if vector >= EXCEPTIONS
        jmp near irq_entry
%elif HAS_ERROR_CODE(vector)
        jmp near exception_entry
%else
        jmp near exception_entry_without_code
%endif
%assign vector vector + 1
%endrep

exception_entry_without_code:
        push qword [rsp]                ; the vector again, and 0 where the error code would be
        mov qword [rsp + 8], 0
exception_entry:                        ; builds struct exception_frame (exceptions.c)
        push rax
        push rcx
        push rdx
        push rbx
        push rbp
        push rsi
        push rdi
        push r8
        push r9
        push r10
        push r11
        push r12
        push r13
        push r14
        push r15
        cld
        mov rdi, rsp
        call exception_dispatch         ; does not return
        ud2

irq_entry:
        push rax
        push rcx
        push rdx
        push rsi
        push rdi
        push r8
        push r9
        push r10
        push r11
        mov edi, [rsp + 8 * IRQ_SAVED_REGISTERS] ; the vector
        sub rsp, FXSAVE_SIZE + 8        ; FXSAVE and the call want 16-byte alignment
        fxsave64 [rsp]
        cld
        call irq_dispatch
        fxrstor64 [rsp]
        add rsp, FXSAVE_SIZE + 8
        pop r11
        pop r10
        pop r9
        pop r8
        pop rdi
        pop rsi
        pop rdx
        pop rcx
        pop rax
        add rsp, 8                      ; the vector
        iretq
