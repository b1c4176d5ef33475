/*
 * What interrupts.asm and C share: the size of an entry stub, and what an interrupt leaves on the
 * stack.
 */
#pragma once
#include <stdint.h>

#define INTERRUPT_STUB_SIZE 8 /* bytes from one vector's entry point to the next */

/* What the CPU pushes without an error code, and the entry stub below it. The interrupted program's
 * stack goes on behind it: there is no change of privilege, so neither ESP nor SS is pushed. */
struct interrupt_frame {
    uint32_t vector;
    uint32_t eip, cs, eflags;
};

/* What exception_dispatch gets: the registers as they were (in PUSHAD's order, but with the
 * program's ESP), and what the CPU pushes, with an error code always. */
struct exception_frame {
    uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
    uint32_t vector, error_code;
    uint32_t eip, cs, eflags;
};
