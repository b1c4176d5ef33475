; Entry points of the 32 exceptions and 16 IRQs (Intel SDM vol. 3, 6.12 and 6.14).
; All run on interrupt stacks (descriptors.c), so RSP is 16-byte aligned before
; the CPU pushes SS, RSP, RFLAGS, CS and RIP.

bits 64
default rel

%include "generated/kernel_lib/cpu/pic.inc"
%include "generated/kernel_lib/cpu/vectors.inc"
%include "generated/kernel_lib/cpu/x86_64/interrupt_frame.inc"

FXSAVE_SIZE equ 512

extern coverage_breakpoint:weak         ; exception_report.c has another one
extern exception_dispatch
extern exception_stack_top
extern irq_dispatch

; The registers that a C function may change, and those that it may not.
%define CALLER_SAVED rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
%define CALLEE_SAVED rbx, rbp, r12, r13, r14, r15

%macro PUSH_REGISTERS 1-*
    %rep %0
        push %1
        %rotate 1
    %endrep
%endmacro
%macro POP_REGISTERS 1-*                ; the last one first
    %rep %0
        %rotate -1
        pop %1
    %endrep
%endmacro

; Stops the assembly unless registers that are pushed in this order become struct exception_frame.
%macro CHECK_ORDER 1-*
    %assign place exception_frame.vector
    %rep %0
        %assign place place - 8
        %if place != exception_frame.%1
            %error struct exception_frame has %1 elsewhere
        %endif
        %rotate 1
    %endrep
    %if place != 0
        %error struct exception_frame has more registers
    %endif
%endmacro
CHECK_ORDER CALLER_SAVED, CALLEE_SAVED
SAVED_SIZE equ exception_frame.vector - exception_frame.r11 ; bytes of CALLER_SAVED

%include "kernel_lib/cpu/interrupt_stubs.inc"

exception_entry_without_code:
        push qword [rsp]                ; the vector again, and 0 where the error code would be
        mov qword [rsp + 8], 0
exception_entry:                        ; builds struct exception_frame
        PUSH_REGISTERS CALLER_SAVED, CALLEE_SAVED
        cld
        mov rdi, rsp
        call exception_dispatch         ; does not return
        ud2

breakpoint_entry:                       ; a function's first call (coverage.c), or an exception
        PUSH_REGISTERS CALLER_SAVED     ; no vector registers: coverage_breakpoint uses none
        lea rdi, [rsp + SAVED_SIZE + interrupt_frame.rip]
        sub rsp, 8                      ; the call wants 16-byte alignment
        cld
        call coverage_breakpoint
        add rsp, 8
        test al, al
        jnz return_from_interrupt
        ; To the exceptions' stack: the functions that report one may have breakpoints.
        mov rdi, [exception_stack_top]
        sub rdi, interrupt_frame_size
        lea rsi, [rsp + SAVED_SIZE]
        mov ecx, interrupt_frame_size / 8
        rep movsq
        POP_REGISTERS CALLER_SAVED
        mov rsp, [exception_stack_top]
        lea rsp, [rsp - interrupt_frame_size]
        jmp near exception_entry_without_code

irq_entry:
        PUSH_REGISTERS CALLER_SAVED
        mov edi, [rsp + SAVED_SIZE + interrupt_frame.vector]
        sub rsp, FXSAVE_SIZE + 8        ; FXSAVE and the call want 16-byte alignment
        fxsave64 [rsp]
        cld
        call irq_dispatch
        fxrstor64 [rsp]
        add rsp, FXSAVE_SIZE + 8
return_from_interrupt:
        POP_REGISTERS CALLER_SAVED
        add rsp, 8                      ; the vector
        iretq

global __interrupt_stubs_end              ; of all that runs on the interrupted program's RBP
__interrupt_stubs_end:
