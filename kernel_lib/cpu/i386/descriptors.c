/*
 * GDT, task-state segments and IDT of protected mode (Intel SDM vol. 3, 3.4.5, 6.11, 7.2).
 */
#include "kernel_lib/cpu/descriptors.h"
#include "frames.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/interrupts.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/cpu/pic.h"
#include "kernel_lib/cpu/vectors.h"
#include <stdalign.h>

#define SELECTOR_DATA 0x10
#define SELECTOR_THREAD 0x18 /* data, from the thread pointer on */
#define SELECTOR_TSS(task) (0x20 + 8 * (task))

/* Present, ring 0, already marked accessed, so that the CPU has nothing to write back. */
#define DESCRIPTOR_CODE32 0x00CF9B000000FFFFull
#define DESCRIPTOR_DATA 0x00CF93000000FFFFull
#define DESCRIPTOR_TSS 0x0000890000000000ull
#define DESCRIPTOR_TSS_BUSY (1ull << 41)

#define GATE_INTERRUPT 0x8E /* present, ring 0, interrupts off on entry */
#define GATE_TASK 0x85
#define VECTORS (PIC_VECTOR_BASE + PIC_IRQS)
#define FLAGS_ALWAYS_SET 0x02

/* The program, and a task for each of enum interrupt_stack. */
#define TASK_PROGRAM 0
#define TASKS (1 + INTERRUPT_STACKS)

struct task_state {
    uint32_t link; /* the selector of the task that was interrupted */
    uint32_t privilege_stacks[6];
    uint32_t cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap;
    uint16_t io_map_base; /* at or behind the limit: no I/O permission map */
};
_Static_assert(sizeof(struct task_state) == 104, "size of a 32-bit TSS");

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t reserved;
    uint8_t type;
    uint16_t offset_high;
};

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint32_t base;
};

struct interrupt_stack_memory {
    char guard[PAGE_SIZE];
    char stack[INTERRUPT_STACK_SIZE];
};

/* interrupts.asm: INTERRUPT_STUB_SIZE bytes a vector, and where the tasks begin. */
extern const char interrupt_stubs[], page_fault_task[], double_fault_task[];

static alignas(PAGE_SIZE) struct interrupt_stack_memory stacks[INTERRUPT_STACKS];
static struct task_state tasks[TASKS];
static struct gate idt[VECTORS];
static uint64_t gdt[SELECTOR_TSS(TASKS) / 8] = {
    [SELECTOR_CODE / 8] = DESCRIPTOR_CODE32,
    [SELECTOR_DATA / 8] = DESCRIPTOR_DATA,
    [SELECTOR_THREAD / 8] = DESCRIPTOR_DATA,
};

uintptr_t interrupt_stack_guard(unsigned stack) {
    return (uintptr_t)stacks[stack - 1].guard;
}

static uint64_t base_in_descriptor(uintptr_t base) {
    return (uint64_t)(base & 0xFFFFFF) << 16 | (uint64_t)(base >> 24) << 56;
}

static void fill_task(unsigned task) {
    gdt[SELECTOR_TSS(task) / 8] =
        DESCRIPTOR_TSS | (sizeof *tasks - 1) | base_in_descriptor((uintptr_t)&tasks[task]);
    tasks[task].io_map_base = sizeof *tasks;
}

/* What runs on an interrupt stack: from `entry` on, with the error code on the stack, and 12 bytes
 * above the address that the ABI wants to be a multiple of 16 at a call with two parameters. */
static void fill_fault_task(enum interrupt_stack stack, const char *entry) {
    struct task_state *task = &tasks[stack];
    fill_task(stack);
    task->eip = (uintptr_t)entry;
    task->eflags = FLAGS_ALWAYS_SET;
    task->esp = (uintptr_t)stacks[stack - 1].stack + INTERRUPT_STACK_SIZE - 8;
    task->cs = SELECTOR_CODE;
    task->ds = task->es = task->ss = task->fs = SELECTOR_DATA;
    task->gs = SELECTOR_THREAD;
}

static void fill_idt(void) {
    for (unsigned vector = 0; vector < VECTORS; vector++) {
        uint32_t address = (uintptr_t)interrupt_stubs + vector * INTERRUPT_STUB_SIZE;
        idt[vector] = (struct gate){
            .offset_low = (uint16_t)address,
            .selector = SELECTOR_CODE,
            .type = GATE_INTERRUPT,
            .offset_high = (uint16_t)(address >> 16),
        };
    }
    idt[VECTOR_PAGE_FAULT] =
        (struct gate){.selector = SELECTOR_TSS(INTERRUPT_STACK_PAGE_FAULT), .type = GATE_TASK};
    idt[VECTOR_DOUBLE_FAULT] =
        (struct gate){.selector = SELECTOR_TSS(INTERRUPT_STACK_DOUBLE_FAULT), .type = GATE_TASK};
}

void descriptors_set_thread_pointer(void *block) {
    gdt[SELECTOR_THREAD / 8] = DESCRIPTOR_DATA | base_in_descriptor((uintptr_t)block);
    __asm__ volatile("movl %0, %%gs" : : "r"(SELECTOR_THREAD) : "memory");
}

void descriptors_load(void) {
    struct table_pointer gdt_pointer = {sizeof gdt - 1, (uintptr_t)gdt};
    struct table_pointer idt_pointer = {sizeof idt - 1, (uintptr_t)idt};
    gdt[SELECTOR_TSS(TASK_PROGRAM) / 8] &= ~DESCRIPTOR_TSS_BUSY; /* LTR refuses a busy TSS */
    for (unsigned task = 1; task < TASKS; task++)
        tasks[task].cr3 = cpu_read_cr3(); /* a task switch loads it, and saves none */
    __asm__ volatile("lgdt %[gdt]\n\t"
                     "lidt %[idt]\n\t"
                     "ljmp %[code], $1f\n"
                     "1:\n\t"
                     "movl %[data], %%ds\n\t"
                     "movl %[data], %%es\n\t"
                     "movl %[data], %%ss\n\t"
                     "movl %[data], %%fs\n\t"
                     "movl %[thread], %%gs\n\t"
                     "ltr %w[task]\n\t"
                     :
                     : [gdt] "m"(gdt_pointer), [idt] "m"(idt_pointer), [code] "i"(SELECTOR_CODE),
                       [data] "r"(SELECTOR_DATA), [thread] "r"(SELECTOR_THREAD),
                       [task] "r"(SELECTOR_TSS(TASK_PROGRAM))
                     : "memory");
}

void descriptors_start(void) {
    fill_task(TASK_PROGRAM);
    fill_fault_task(INTERRUPT_STACK_PAGE_FAULT, page_fault_task);
    fill_fault_task(INTERRUPT_STACK_DOUBLE_FAULT, double_fault_task);
    fill_idt();
    descriptors_load();
}

/* Called by the tasks of interrupts.asm: reports what happened to the task that they interrupted,
 * whose registers the CPU has saved. */
_Noreturn void task_exception(uint32_t vector, uint32_t error_code);
_Noreturn void task_exception(uint32_t vector, uint32_t error_code) {
    unsigned current =
        vector == VECTOR_PAGE_FAULT ? INTERRUPT_STACK_PAGE_FAULT : INTERRUPT_STACK_DOUBLE_FAULT;
    const struct task_state *saved = &tasks[((tasks[current].link & 0xFFFF) - SELECTOR_TSS(0)) / 8];
    struct exception_frame frame = {
        .edi = saved->edi,
        .esi = saved->esi,
        .ebp = saved->ebp,
        .esp = saved->esp,
        .ebx = saved->ebx,
        .edx = saved->edx,
        .ecx = saved->ecx,
        .eax = saved->eax,
        .vector = vector,
        .error_code = error_code,
        .eip = saved->eip,
        .cs = saved->cs,
        .eflags = saved->eflags,
    };
    exception_dispatch(&frame);
}
