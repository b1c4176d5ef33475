/*
 * Exceptions (Intel SDM vol. 3, 6.15). Each is reported on serial line and screen, and ends the
 * program with code 1.
 */
#include "kernel_lib/cpu/descriptors.h"
#include "kernel_lib/cpu/interrupts.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/cpu/x86_64/control.h"
#include "kernel_lib/cpu/x86_64/interrupt_frame.h"
#include "kernel_lib/debug/backtrace.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/platform/bare/power.h"
#include "kernel_lib/removed/removed.h"
#include "kernel_lib/runtime.h"

#define PAGE_FAULT_PRESENT 0x01 /* the page is there but forbids the access */
#define PAGE_FAULT_WRITE 0x02
#define PAGE_FAULT_RESERVED 0x08 /* a reserved bit is set in a page table */
#define PAGE_FAULT_EXECUTE 0x10

#define RED_ZONE 128 /* below the stack pointer; functions may use it (System V ABI, 3.2.2) */

#define SELECTOR_ERROR_EXTERNAL 0x01
#define SELECTOR_ERROR_IDT 0x02

static const char *const names[] = {
    "#DE divide error",
    "#DB debug",
    "NMI non-maskable interrupt",
    "#BP breakpoint",
    "#OF overflow",
    "#BR bound range exceeded",
    "#UD invalid opcode",
    "#NM device not available",
    "#DF double fault",
    "coprocessor segment overrun",
    "#TS invalid TSS",
    "#NP segment not present",
    "#SS stack-segment fault",
    "#GP general protection",
    "#PF page fault",
    "reserved",
    "#MF x87 floating-point error",
    "#AC alignment check",
    "#MC machine check",
    "#XM SIMD floating-point error",
    "#VE virtualisation exception",
    "#CP control protection",
};
#define NAMES (sizeof names / sizeof names[0])

static bool is_stack_guard(uint64_t address) {
    uint64_t page = address & ~(PAGE_SIZE - 1);
    if (page == (uintptr_t)__stack_guard)
        return true;
    for (int stack = 1; stack <= INTERRUPT_STACKS; stack++)
        if (page == interrupt_stack_guard(stack))
            return true;
    return false;
}

/* The cause of a page fault, as far as address and error code tell it. */
static const char *page_fault_cause(uint64_t address, uint64_t error_code) {
    if (is_stack_guard(address))
        return "stack overflow";
    if (address < PAGE_SIZE)
        return "null pointer";
    if (error_code & PAGE_FAULT_RESERVED)
        return "reserved bit set in a page table";
    if (!(error_code & PAGE_FAULT_PRESENT))
        return "no memory there";
    if (error_code & PAGE_FAULT_EXECUTE)
        return "not executable";
    return "read-only";
}

static void print_page_fault(uint64_t error_code) {
    uint64_t address = cpu_read_cr2();
    const char *access = error_code & PAGE_FAULT_EXECUTE ? "execution"
                         : error_code & PAGE_FAULT_WRITE ? "write"
                                                         : "read";
    console_printf("  %s at 0x%016lx: %s\n", access, address,
                   page_fault_cause(address, error_code));
}

/* The error code of #TS, #NP, #SS and #GP (Intel SDM vol. 3, 6.13). */
static void print_selector_error(uint64_t error_code) {
    if (error_code == 0)
        return;
    console_printf("  because of %s entry %lu%s\n",
                   error_code & SELECTOR_ERROR_IDT ? "IDT" : "descriptor table", error_code >> 3,
                   error_code & SELECTOR_ERROR_EXTERNAL ? ", from outside the program" : "");
}

static void print_registers(const struct exception_frame *f) {
    console_printf("  rax %016lx rbx %016lx rcx %016lx\n"
                   "  rdx %016lx rsi %016lx rdi %016lx\n"
                   "  rbp %016lx rsp %016lx r8  %016lx\n",
                   f->rax, f->rbx, f->rcx, f->rdx, f->rsi, f->rdi, f->rbp, f->rsp, f->r8);
    console_printf("  r9  %016lx r10 %016lx r11 %016lx\n"
                   "  r12 %016lx r13 %016lx r14 %016lx\n"
                   "  r15 %016lx rip %016lx rflags %08lx\n",
                   f->r9, f->r10, f->r11, f->r12, f->r13, f->r14, f->r15, f->rip, f->rflags);
    console_printf("  cr0 %08lx cr2 %016lx cr3 %lx cr4 %lx cs %lx ss %lx\n", cpu_read_cr0(),
                   cpu_read_cr2(), cpu_read_cr3(), cpu_read_cr4(), f->cs, f->ss);
}

/* Only in images from which functions may be removed (variants/). */
#pragma weak trap_stub_called
#pragma weak removed_part_reached
#pragma weak removed_data_used

/* If the exception interrupted a breakpoint's handler, what is on the breakpoints' stack is kept:
 * the functions that report may have breakpoints (coverage.h), which begin below it from here on.
 * Inline, because a function may have a breakpoint itself. */
static inline void keep_breakpoint_stack(uint64_t stack_pointer) {
    struct interrupt_stack_top *top = &interrupt_stack_tops[INTERRUPT_STACK_BREAKPOINT - 1];
    if (stack_pointer < top->address && stack_pointer >= top->address - INTERRUPT_STACK_SIZE)
        top->address = (stack_pointer - RED_ZONE) & ~15ull;
}

_Noreturn void exception_dispatch(const struct exception_frame *frame) {
    static unsigned depth;
    keep_breakpoint_stack(frame->rsp);
    if (frame->vector == VECTOR_INVALID_OPCODE && trap_stub_called)
        trap_stub_called(frame->rip, frame->rsp);
    if (frame->vector == VECTOR_BREAKPOINT && removed_part_reached)
        removed_part_reached(frame->rip, frame->rsp);
    if (frame->vector == VECTOR_PAGE_FAULT && removed_data_used)
        removed_data_used(cpu_read_cr2(), frame->rip, frame->rsp);
    if (depth++ > 0) {
        /* Something that the report needs is broken. Say that, once. */
        if (depth == 2)
            serial_puts("\nanother exception while reporting this one\n");
        machine_stop(1);
    }
    console_printf("\nexception: %s, vector %lu, error code 0x%lx\n  in ",
                   frame->vector < NAMES ? names[frame->vector] : "reserved", frame->vector,
                   frame->error_code);
    struct frame where = {frame->rip, frame->rsp, frame->rbp, false, false};
    backtrace_print_location(&where);
    console_puts("\n");
    if (frame->vector == VECTOR_PAGE_FAULT)
        print_page_fault(frame->error_code);
    else
        print_selector_error(frame->error_code);
    print_registers(frame);
    backtrace_print(where);
    machine_stop(1);
}
