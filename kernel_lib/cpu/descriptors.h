/*
 * GDT, TSS, IDT and the stacks that interrupts run on (Intel SDM vol. 3, 3.5, 8.7 and 6.14).
 */
#pragma once
#include <stdint.h>

#define SELECTOR_CODE 0x08 /* of the kernel's code */

/* An exception report needs up to 8 KiB, most of it printf. */
#define INTERRUPT_STACK_SIZE 16384

/* Address of the guard page of stack 1 to INTERRUPT_STACKS (interrupt_stacks.h of the
 * architecture); the stack is the INTERRUPT_STACK_SIZE bytes that follow the page. */
uintptr_t interrupt_stack_guard(unsigned stack);

/* Fills the tables and loads them. */
void descriptors_start(void);

/* What FS (x86-64) or GS (i386) points to from now on. */
void descriptors_set_thread_pointer(void *block);

/* Loads GDT, segment registers, task register and IDT again, for code that has been in another
 * mode. The thread pointer stays. Interrupts must be off. */
void descriptors_load(void);
