/*
 * GDT, TSS and IDT of long mode (Intel SDM vol. 3, 3.4.5, 6.14.1, 8.7).
 */
#include "kernel_lib/cpu/descriptors.h"
#include "interrupt_frame.h"
#include "interrupt_stacks.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/cpu/pic.h"
#include "kernel_lib/cpu/vectors.h"
#include <stdalign.h>

#define SELECTOR_DATA 0x10
#define SELECTOR_TSS 0x18

/* Present, ring 0, already marked accessed, so that the CPU has nothing to write back. */
#define DESCRIPTOR_CODE64 0x00AF9B000000FFFFull
#define DESCRIPTOR_DATA 0x00CF93000000FFFFull
#define DESCRIPTOR_TSS 0x0000890000000000ull
#define DESCRIPTOR_TSS_BUSY (1ull << 41)

#define GATE_INTERRUPT 0x8E /* present, ring 0, interrupts off on entry */
#define VECTORS (PIC_VECTOR_BASE + PIC_IRQS)

struct __attribute__((packed)) task_state {
    uint32_t reserved0;
    uint64_t privilege_stacks[3];
    uint64_t reserved1;
    struct interrupt_stack_top interrupt_stacks[7]; /* IST1 is [0] */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map_base; /* at or behind the limit: no I/O permission map */
};
_Static_assert(sizeof(struct task_state) == 104, "size of a 64-bit TSS");

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t stack;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

struct interrupt_stack_memory {
    char guard[PAGE_SIZE];
    char stack[INTERRUPT_STACK_SIZE];
};

extern const char interrupt_stubs[]; /* interrupts.asm: INTERRUPT_STUB_SIZE bytes a vector */

static alignas(PAGE_SIZE) struct interrupt_stack_memory stacks[INTERRUPT_STACKS];
/* For interrupts.asm. */
extern char *const exception_stack_top;
char *const exception_stack_top =
    stacks[INTERRUPT_STACK_EXCEPTION - 1].stack + INTERRUPT_STACK_SIZE;

static struct task_state task_state;
struct interrupt_stack_top *const interrupt_stack_tops = task_state.interrupt_stacks;
static struct gate idt[VECTORS];
static uintptr_t thread_pointer;
static uint64_t gdt[] = {
    [SELECTOR_CODE / 8] = DESCRIPTOR_CODE64,
    [SELECTOR_DATA / 8] = DESCRIPTOR_DATA,
    [SELECTOR_TSS / 8] = 0, /* two entries */
    [SELECTOR_TSS / 8 + 1] = 0,
};

uintptr_t interrupt_stack_guard(unsigned stack) {
    return (uintptr_t)stacks[stack - 1].guard;
}

static enum interrupt_stack stack_of(unsigned vector) {
    if (vector >= PIC_VECTOR_BASE)
        return INTERRUPT_STACK_IRQ;
    if (vector == VECTOR_BREAKPOINT)
        return INTERRUPT_STACK_BREAKPOINT;
    if (vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_MACHINE_CHECK)
        return INTERRUPT_STACK_LAST_RESORT;
    return INTERRUPT_STACK_EXCEPTION;
}

static void fill_task_state(void) {
    for (unsigned i = 0; i < INTERRUPT_STACKS; i++)
        task_state.interrupt_stacks[i].address = (uintptr_t)stacks[i].stack + INTERRUPT_STACK_SIZE;
    task_state.io_map_base = sizeof task_state;

    uint64_t base = (uintptr_t)&task_state;
    gdt[SELECTOR_TSS / 8] = DESCRIPTOR_TSS | (sizeof task_state - 1) | (base & 0xFFFFFF) << 16 |
                            (base >> 24 & 0xFF) << 56;
    gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

static void fill_idt(void) {
    for (unsigned vector = 0; vector < VECTORS; vector++) {
        uint64_t address = (uintptr_t)interrupt_stubs + vector * INTERRUPT_STUB_SIZE;
        idt[vector] = (struct gate){
            .offset_low = (uint16_t)address,
            .selector = SELECTOR_CODE,
            .stack = (uint8_t)stack_of(vector),
            .type = GATE_INTERRUPT,
            .offset_middle = (uint16_t)(address >> 16),
            .offset_high = (uint32_t)(address >> 32),
        };
    }
}

void descriptors_set_thread_pointer(void *block) {
    thread_pointer = (uintptr_t)block;
    cpu_write_msr(MSR_FS_BASE, thread_pointer);
}

void descriptors_load(void) {
    struct table_pointer gdt_pointer = {sizeof gdt - 1, (uintptr_t)gdt};
    struct table_pointer idt_pointer = {sizeof idt - 1, (uintptr_t)idt};
    gdt[SELECTOR_TSS / 8] &= ~DESCRIPTOR_TSS_BUSY; /* LTR refuses a busy TSS */
    uint64_t scratch;
    __asm__ volatile("lgdt %[gdt]\n\t"
                     "lidt %[idt]\n\t"
                     "pushq %[code]\n\t"
                     "leaq 1f(%%rip), %[scratch]\n\t"
                     "pushq %[scratch]\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "movl %[data], %%ds\n\t"
                     "movl %[data], %%es\n\t"
                     "movl %[data], %%ss\n\t"
                     "movl %[null], %%fs\n\t"
                     "movl %[null], %%gs\n\t"
                     "ltr %w[task]\n\t"
                     : [scratch] "=&r"(scratch)
                     : [gdt] "m"(gdt_pointer), [idt] "m"(idt_pointer), [code] "i"(SELECTOR_CODE),
                       [data] "r"(SELECTOR_DATA), [null] "r"(0), [task] "r"(SELECTOR_TSS)
                     : "memory");
    /* Loading FS has set its base to that in the descriptor (Intel SDM vol. 3, 3.4.4). */
    cpu_write_msr(MSR_FS_BASE, thread_pointer);
}

void descriptors_start(void) {
    fill_task_state();
    fill_idt();
    descriptors_load();
}
