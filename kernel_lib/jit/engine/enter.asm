; Between the System V calling convention and the interpreter (enter.h).

        bits 64
        default rel

        global jit_enter
        global __jit_enter_called
        global jit_call
        extern jit_entered

; struct jit_registers
INTEGERS        equ 0
SAVED_RAX       equ 48
STACK           equ 56
VECTORS         equ 64
INTEGER_RESULT  equ 192
FLOAT_RESULT    equ 200
REGISTERS_SIZE  equ 208
INDEX_SIZE      equ 16                  ; above them in jit_enter's frame; rounded up

; Loads the argument registers and RAX from struct jit_registers at %1.
%macro LOAD_ARGUMENTS 1
        mov     rdi, [%1 + INTEGERS]
        mov     rsi, [%1 + INTEGERS + 8]
        mov     rdx, [%1 + INTEGERS + 16]
        mov     rcx, [%1 + INTEGERS + 24]
        mov     r8, [%1 + INTEGERS + 32]
        mov     r9, [%1 + INTEGERS + 40]
        mov     rax, [%1 + SAVED_RAX]
%assign i 0
%rep 8
        movaps  xmm %+ i, [%1 + VECTORS + 16 * i]
%assign i i + 1
%endrep
%endmacro

        section .text.jit_enter progbits alloc exec nowrite align=16

; r11d = index of the function; everything else as its caller left it. Nothing that runs before the
; registers are restored uses AVX, so that the upper parts of wider vector arguments survive.
jit_enter:
        push    rbp
        mov     rbp, rsp
        sub     rsp, REGISTERS_SIZE + INDEX_SIZE
        mov     [rbp - 8], r11          ; for backtraces
        mov     [rsp + INTEGERS], rdi
        mov     [rsp + INTEGERS + 8], rsi
        mov     [rsp + INTEGERS + 16], rdx
        mov     [rsp + INTEGERS + 24], rcx
        mov     [rsp + INTEGERS + 32], r8
        mov     [rsp + INTEGERS + 40], r9
        mov     [rsp + SAVED_RAX], rax
        lea     rax, [rbp + 16]         ; above the saved rbp and the return address
        mov     [rsp + STACK], rax
%assign i 0
%rep 8
        movaps  [rsp + VECTORS + 16 * i], xmm %+ i
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
        mov     rax, [rsp + INTEGER_RESULT]
        movsd   xmm0, [rsp + FLOAT_RESULT]
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
        mov     rsi, [rbx + STACK]
        mov     rdi, rsp
        rep movsq
        LOAD_ARGUMENTS rbx
        call    r11
        mov     [rbx + INTEGER_RESULT], rax
        movsd   [rbx + FLOAT_RESULT], xmm0
        mov     rbx, [rbp - 8]
        leave
        ret

        section .note.GNU-stack noalloc noexec nowrite progbits
