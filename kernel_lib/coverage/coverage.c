/*
 * One-shot breakpoints on functions.
 *
 * The kernel's code is mapped readable and executable, never writable. While CR0.WP is clear, ring
 * 0 can write to read-only pages (Intel SDM vol. 3, 2.5). It is clear only during the stores, with
 * interrupts off, on the only CPU.
 */
#include "kernel_lib/coverage/coverage.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/descriptors.h"
#include "kernel_lib/cpu/interrupts.h"
#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/runtime.h"

#define BREAKPOINT 0xCC /* INT3 */

static bool running;
static uint32_t executed; /* entries of kernel_symbol_order */

bool coverage_breakpoint(uintptr_t *return_address);

bool coverage_running(void) {
    return running;
}

const uint32_t *coverage_order(uint32_t *count) {
    *count = executed;
    return kernel_symbol_order;
}

static bool bit(const uint8_t *bits, uint32_t index) {
    return bits[index / 8] >> index % 8 & 1;
}

/*
 * Called by interrupts.asm after an INT3, with interrupts off. If it was a function's breakpoint,
 * *return_address becomes the address of the function and true is returned. It calls nothing, not
 * even an inline function, which the compiler may decide to call: such a function may have a
 * breakpoint, too, and on x86-64 that would overwrite the stack in use, because the CPU begins
 * every breakpoint at the top of the same stack. The vector registers are the program's.
 */
__attribute__((target("general-regs-only"))) bool coverage_breakpoint(uintptr_t *return_address) {
    uintptr_t start = *return_address - 1 - (uintptr_t)__kernel_start;
    uint32_t low = 0, high = kernel_symbols.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (kernel_symbols.starts[middle] < start)
            low = middle + 1;
        else
            high = middle;
    }
    uint8_t mask = (uint8_t)(1 << low % 8);
    if (!running || low == kernel_symbols.count || kernel_symbols.starts[low] != start ||
        (kernel_unsized_symbols[low / 8] & mask) || (kernel_symbol_bits[low / 8] & mask))
        return false; /* an INT3 of the code itself */
    kernel_symbol_bits[low / 8] |= mask;
    kernel_symbol_order[executed++] = low;
    uintptr_t cr0;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 & ~CR0_WRITE_PROTECT) : "memory");
    *(volatile uint8_t *)(*return_address - 1) = kernel_symbol_bytes[low];
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
    --*return_address;
    return true; /* IRET serialises: the changed code is fetched again */
}

/* Places or removes the breakpoints of all functions that have not run. */
static void change_code(bool set) {
    uintptr_t flags = cpu_interrupts_save(), cr0 = cpu_read_cr0();
    cpu_write_cr0(cr0 & ~CR0_WRITE_PROTECT);
    for (uint32_t i = 0; i < kernel_symbols.count; i++) {
        if (bit(kernel_unsized_symbols, i) || bit(kernel_symbol_bits, i))
            continue;
        volatile uint8_t *code =
            (volatile uint8_t *)((uintptr_t)__kernel_start + kernel_symbols.starts[i]);
        if (set)
            kernel_symbol_bytes[i] = *code;
        *code = set ? BREAKPOINT : kernel_symbol_bytes[i];
    }
    cpu_write_cr0(cr0);
    cpu_interrupts_restore(flags);
}

/* Notes the function that holds this address. */
static void mark(uintptr_t address) {
    uintptr_t offset = address - (uintptr_t)__kernel_start;
    uint32_t after = 0;
    while (after < kernel_symbols.count && kernel_symbols.starts[after] <= offset)
        after++;
    if (after == 0 || bit(kernel_unsized_symbols, after - 1) || bit(kernel_symbol_bits, after - 1))
        return;
    kernel_symbol_bits[(after - 1) / 8] |= (uint8_t)(1 << (after - 1) % 8);
    kernel_symbol_order[executed++] = after - 1;
}

/* Notes all functions on the call stack: they have run, and may never be called again. */
static void mark_callers(void) {
    const uintptr_t *frame = __builtin_frame_address(0);
    while (frame && frame[1]) {
        mark(frame[1] - 1);
        const uintptr_t *caller = (const uintptr_t *)frame[0];
        if (caller <= frame)
            break;
        frame = caller;
    }
}

void coverage_start(void) {
    mark((uintptr_t)coverage_breakpoint);
    mark((uintptr_t)coverage_start);
    mark((uintptr_t)exception_dispatch);
    mark_callers();
    running = true;
    change_code(true);
    /* The return from real mode calls this while there are no exception handlers. Its breakpoint
     * must be gone by then. */
    descriptors_load();
}

void coverage_configure(void) {
    const char *value = config_get("coverage");
    bool on = value ? strcmp(value, "on") == 0 : coverage_by_default;
    if (value && !on && strcmp(value, "off") != 0)
        console_printf("warning: coverage = %s is not possible: choose on or off; it is off.\n",
                       value);
    if (on && !running) {
        coverage_start();
    } else if (!on && running) {
        change_code(false);
        running = false;
    }
}
