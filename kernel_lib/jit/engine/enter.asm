; Between the System V calling convention and the interpreter (enter.h).

        bits 64
        default rel

        global jit_enter
        global __jit_enter_called
        global jit_call
        extern jit_entered

%include "generated/kernel_lib/jit/engine/enter.inc"

INDEX_SIZE      equ 16                  ; above the registers in jit_enter's frame; rounded up

; Loads the argument registers and RAX from struct jit_registers at %1.
%macro LOAD_ARGUMENTS 1
        mov     rdi, [%1 + jit_registers.integers]
        mov     rsi, [%1 + jit_registers.integers + 8]
        mov     rdx, [%1 + jit_registers.integers + 16]
        mov     rcx, [%1 + jit_registers.integers + 24]
        mov     r8, [%1 + jit_registers.integers + 32]
        mov     r9, [%1 + jit_registers.integers + 40]
        mov     rax, [%1 + jit_registers.rax]
%assign i 0
%rep 8
        movaps  xmm %+ i, [%1 + jit_registers.vectors + 16 * i]
%assign i i + 1
%endrep
%endmacro

        section .text.jit_enter progbits alloc exec nowrite align=16

; r11d = index of the function; everything else as its caller left it. Nothing that runs before the
; registers are restored uses AVX, so that the upper parts of wider vector arguments survive.
jit_enter:
        push    rbp
        mov     rbp, rsp
        sub     rsp, jit_registers_size + INDEX_SIZE
        mov     [rbp - 8], r11          ; for backtraces
        mov     [rsp + jit_registers.integers], rdi
        mov     [rsp + jit_registers.integers + 8], rsi
        mov     [rsp + jit_registers.integers + 16], rdx
        mov     [rsp + jit_registers.integers + 24], rcx
        mov     [rsp + jit_registers.integers + 32], r8
        mov     [rsp + jit_registers.integers + 40], r9
        mov     [rsp + jit_registers.rax], rax
        lea     rax, [rbp + 16]         ; above the saved rbp and the return address
        mov     [rsp + jit_registers.stack], rax
%assign i 0
%rep 8
        movaps  [rsp + jit_registers.vectors + 16 * i], xmm %+ i
%assign i i + 1
%endrep
        mov     edi, r11d
        mov     rsi, rsp
        call    jit_entered
__jit_enter_called:
        test    rax, rax
        jz      near jit_enter.returned
        mov     r11, rax
        LOAD_ARGUMENTS rsp
        leave
        jmp     r11
jit_enter.returned:
        mov     rax, [rsp + jit_registers.integer_result]
        movsd   xmm0, [rsp + jit_registers.float_result]
        leave
        ret

        section .text.jit_call progbits alloc exec nowrite align=16

; rdi = struct jit_registers, rsi = target, rdx = words on the stack
jit_call:
        push    rbp
        mov     rbp, rsp
        push    rbx
        mov     rbx, rdi
        mov     r11, rsi
        lea     rax, [rdx * 8 + 8]      ; with rbx a multiple of 16, if rounded up to 8 more
        or      rax, 8
        sub     rsp, rax
        mov     rcx, rdx
        mov     rsi, [rbx + jit_registers.stack]
        mov     rdi, rsp
        rep movsq
        LOAD_ARGUMENTS rbx
        call    r11
        mov     [rbx + jit_registers.integer_result], rax
        movsd   [rbx + jit_registers.float_result], xmm0
        mov     rbx, [rbp - 8]
        leave
        ret

        section .note.GNU-stack noalloc noexec nowrite progbits
