; Entry points of the 32 exceptions and 16 IRQs (Intel SDM vol. 3, 6.12 and 6.14).
; All run on interrupt stacks (descriptors.c), so RSP is 16-byte aligned before
; the CPU pushes SS, RSP, RFLAGS, CS and RIP.

bits 64
default rel

EXCEPTIONS equ 32
IRQS equ 16
VECTOR_BREAKPOINT equ 3
SAVED_REGISTERS equ 9
FRAME_SIZE equ 8 * 6                    ; vector, RIP, CS, RFLAGS, RSP, SS
FXSAVE_SIZE equ 512

extern coverage_breakpoint
extern exception_dispatch
extern exception_stack_top
extern irq_dispatch

; Whether the CPU pushes an error code for exception %1.
%define HAS_ERROR_CODE(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21 || (v) == 29 || (v) == 30)

; The registers that a C function may change.
%macro SAVE_REGISTERS 0
        push rax
        push rcx
        push rdx
        push rsi
        push rdi
        push r8
        push r9
        push r10
        push r11
%endmacro
%macro RESTORE_REGISTERS 0
        pop r11
        pop r10
        pop r9
        pop r8
        pop rdi
        pop rsi
        pop rdx
        pop rcx
        pop rax
%endmacro

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
%elif vector == VECTOR_BREAKPOINT
        jmp near breakpoint_entry
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

breakpoint_entry:                       ; a function's first call (coverage.c), or an exception
        SAVE_REGISTERS                  ; no vector registers: coverage_breakpoint uses none
        lea rdi, [rsp + 8 * (SAVED_REGISTERS + 1)] ; where RIP is, behind the vector
        sub rsp, 8                      ; the call wants 16-byte alignment
        cld
        call coverage_breakpoint
        add rsp, 8
        test al, al
        jz .exception
        RESTORE_REGISTERS
        add rsp, 8                      ; the vector
        iretq
.exception:                             ; to their stack: the functions that report may have breakpoints
        mov rdi, [exception_stack_top]
        sub rdi, FRAME_SIZE
        lea rsi, [rsp + 8 * SAVED_REGISTERS]
        mov ecx, FRAME_SIZE / 8
        rep movsq
        RESTORE_REGISTERS
        mov rsp, [exception_stack_top]
        lea rsp, [rsp - FRAME_SIZE]
        jmp near exception_entry_without_code

irq_entry:
        SAVE_REGISTERS
        mov edi, [rsp + 8 * SAVED_REGISTERS] ; the vector
        sub rsp, FXSAVE_SIZE + 8        ; FXSAVE and the call want 16-byte alignment
        fxsave64 [rsp]
        cld
        call irq_dispatch
        fxrstor64 [rsp]
        add rsp, FXSAVE_SIZE + 8
        RESTORE_REGISTERS
        add rsp, 8                      ; the vector
        iretq
