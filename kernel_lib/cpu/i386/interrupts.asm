; Entry points of the 32 exceptions and 16 IRQs (Intel SDM vol. 3, 6.12 and 6.13). All but two run
; on the stack of what they interrupt. Page faults and double faults are tasks (descriptors.c).

bits 32

%include "generated/kernel_lib/cpu/i386/interrupt_frame.inc"
%include "generated/kernel_lib/cpu/pic.inc"
%include "generated/kernel_lib/cpu/vectors.inc"

FXSAVE_SIZE equ 512
PUSHAD_SIZE equ 32

extern coverage_breakpoint:weak         ; exception_report.c has another one
extern exception_dispatch
extern irq_dispatch
extern task_exception

%if exception_frame.vector != PUSHAD_SIZE || exception_frame.eax != PUSHAD_SIZE - 4
    %error struct exception_frame does not begin with what PUSHAD pushes
%endif

%include "kernel_lib/cpu/interrupt_stubs.inc"

exception_entry_without_code:
        push dword [esp]                ; the vector again, and 0 where the error code would be
        mov dword [esp + 4], 0
exception_entry:                        ; builds struct exception_frame
        pushad
        lea eax, [esp + exception_frame_size]
        mov [esp + exception_frame.esp], eax
        mov ebx, esp
        and esp, -16                    ; the call wants that, with its parameter
        sub esp, 12
        push ebx
        cld
        call exception_dispatch         ; does not return
        ud2

; To a C function with one parameter, which is to be pushed, with room for ROOM bytes above it (a
; multiple of 16, as is their address, ESP + 12). The second parameter, which no such function has,
; is for unwinding (frames.h): struct interrupt_frame. ESI becomes the stack pointer to come back to.
%macro PREPARE_CALL 1                   ; ROOM
        pushad
        mov esi, esp
        cld
        and esp, -16
        sub esp, %1 + 8
        lea eax, [esi + PUSHAD_SIZE]
        push eax
%endmacro

breakpoint_entry:                       ; a function's first call (coverage.c), or an exception
        PREPARE_CALL 0                  ; no vector registers: coverage_breakpoint uses none
        lea eax, [esi + PUSHAD_SIZE + interrupt_frame.eip]
        push eax
        call coverage_breakpoint
        mov esp, esi
        test al, al
        popad
        jz exception_entry_without_code
        jmp return_from_interrupt

irq_entry:
        PREPARE_CALL FXSAVE_SIZE
        fxsave [esp + 12]
        push dword [esi + PUSHAD_SIZE + interrupt_frame.vector]
        call irq_dispatch
        fxrstor [esp + 16]
        mov esp, esi
        popad
return_from_interrupt:
        add esp, 4                      ; the vector
        iretd

global page_fault_task, double_fault_task
page_fault_task:
        mov eax, VECTOR_PAGE_FAULT
        jmp report
double_fault_task:
        mov eax, VECTOR_DOUBLE_FAULT
report:
        clts                            ; the switch has set TS: SSE would be an exception
        push eax                        ; and above it, the error code
        call task_exception             ; does not return
        ud2

global __interrupt_stubs_end              ; of all that runs on the interrupted program's EBP
__interrupt_stubs_end:
