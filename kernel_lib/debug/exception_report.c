/*
 * Exceptions (Intel SDM vol. 3, 6.15). Each is reported on serial line and screen, and ends the
 * program with code 1.
 */
#include "frames.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/descriptors.h"
#include "kernel_lib/cpu/interrupts.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/cpu/vectors.h"
#include "kernel_lib/debug/backtrace.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/platform/bare/power.h"
#include "kernel_lib/removed/removed.h"
#include "kernel_lib/runtime.h"
#include <inttypes.h>

#define PAGE_FAULT_PRESENT 0x01 /* the page is there but forbids the access */
#define PAGE_FAULT_WRITE 0x02
#define PAGE_FAULT_RESERVED 0x08 /* a reserved bit is set in a page table */
#define PAGE_FAULT_EXECUTE 0x10

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

static bool is_stack_guard(uintptr_t address) {
    uintptr_t page = address & ~(PAGE_SIZE - 1);
    if (page == (uintptr_t)__stack_guard)
        return true;
    for (unsigned stack = 1; stack <= INTERRUPT_STACKS; stack++)
        if (page == interrupt_stack_guard(stack))
            return true;
    return false;
}

/* The cause of a page fault, as far as address and error code tell it. */
static const char *page_fault_cause(uintptr_t address, uintptr_t error_code) {
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

static void print_page_fault(uintptr_t error_code) {
    uintptr_t address = cpu_read_cr2();
    const char *access = error_code & PAGE_FAULT_EXECUTE ? "execution"
                         : error_code & PAGE_FAULT_WRITE ? "write"
                                                         : "read";
    console_printf("  %s at 0x%0*" PRIxPTR ": %s\n", access, 2 * (int)sizeof address, address,
                   page_fault_cause(address, error_code));
}

/* The error code of #TS, #NP, #SS and #GP (Intel SDM vol. 3, 6.13). */
static void print_selector_error(uintptr_t error_code) {
    if (error_code == 0)
        return;
    console_printf("  because of %s entry %" PRIuPTR "%s\n",
                   error_code & SELECTOR_ERROR_IDT ? "IDT" : "descriptor table", error_code >> 3,
                   error_code & SELECTOR_ERROR_EXTERNAL ? ", from outside the program" : "");
}

/* Only in images from which functions may be removed (variants/). */
#pragma weak trap_stub_called
#pragma weak removed_part_reached
#pragma weak removed_data_used
#pragma weak removed_page_reached

/* Without coverage.c, which has another one, every INT3 is an exception. */
bool coverage_breakpoint(uintptr_t *return_address);
__attribute__((weak, target("general-regs-only"))) bool
coverage_breakpoint(uintptr_t *return_address) {
    (void)return_address;
    return false;
}

_Noreturn void exception_dispatch(const struct exception_frame *frame) {
    static unsigned depth;
    struct frame where = exception_place(frame);
    keep_breakpoint_stack(where.stack_pointer);
    if (frame->vector == VECTOR_INVALID_OPCODE && trap_stub_called)
        trap_stub_called(where.instruction, where.stack_pointer);
    if (frame->vector == VECTOR_BREAKPOINT && removed_part_reached)
        removed_part_reached(where.instruction, where.stack_pointer);
    if (frame->vector == VECTOR_PAGE_FAULT && removed_data_used)
        removed_data_used(cpu_read_cr2(), where.instruction, where.stack_pointer);
    if (frame->vector == VECTOR_PAGE_FAULT && removed_page_reached)
        removed_page_reached(where.instruction, where.stack_pointer);
    if (depth++ > 0) {
        /* Something that the report needs is broken. Say that, once. */
        if (depth == 2)
            serial_puts("\nanother exception while reporting this one\n");
        machine_stop(1);
    }
    console_printf("\nexception: %s, vector %u, error code 0x%" PRIxPTR "\n  in ",
                   frame->vector < NAMES ? names[frame->vector] : "reserved",
                   (unsigned)frame->vector, (uintptr_t)frame->error_code);
    backtrace_print_location(&where);
    console_puts("\n");
    if (frame->vector == VECTOR_PAGE_FAULT)
        print_page_fault(frame->error_code);
    else
        print_selector_error(frame->error_code);
    exception_print_registers(frame);
    backtrace_print(where);
    machine_stop(1);
}
