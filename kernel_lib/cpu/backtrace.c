/*
 * Backtraces by frame pointers (System V ABI AMD64, 3.2.2): everything is
 * compiled with -fno-omit-frame-pointer, and entry.asm ends the chain with 0.
 */
#include "kernel_lib/cpu/backtrace.h"
#include "kernel_lib/cpu/descriptors.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/cpu/symbols.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/runtime.h"

#define MAX_LINES 20

struct frame {
    uint64_t caller_frame;
    uint64_t return_address;
};

/* Whether a whole frame at this address lies on the stack [bottom, bottom + size). */
static bool within(uint64_t frame, uintptr_t bottom, size_t size) {
    return frame >= bottom && frame <= bottom + size - sizeof(struct frame);
}

static bool on_a_stack(uint64_t frame) {
    if (within(frame, (uintptr_t)__stack_bottom, (size_t)(__stack_top - __stack_bottom)))
        return true;
    for (int stack = 1; stack <= INTERRUPT_STACKS; stack++)
        if (within(frame, interrupt_stack_guard(stack) + PAGE_SIZE, INTERRUPT_STACK_SIZE))
            return true;
    return false;
}

void backtrace_print_location(uint64_t address) {
    struct symbol symbol = symbol_find(address);
    if (symbol.name)
        console_printf("%s+0x%lx", symbol.name, symbol.offset);
    else
        console_printf("0x%lx", address);
}

static void print_call(uint64_t return_address, unsigned times) {
    /* Look up the call, not what follows it: behind a call that never returns may be another
     * function. */
    struct symbol symbol = symbol_find(return_address - 1);
    if (symbol.name)
        console_printf("  %s+0x%lx", symbol.name, symbol.offset + 1);
    else
        console_printf("  0x%lx", return_address);
    if (times > 1)
        console_printf(" (%u times)", times);
    console_puts("\n");
}

/* The frame at this address, NULL where none can be. */
static const struct frame *frame_at(uint64_t address) {
    if (address % 8 != 0 || !on_a_stack(address))
        return NULL;
    const struct frame *frame = (const struct frame *)address;
    return frame->return_address ? frame : NULL;
}

/* The frame that called this one's function: stacks grow downwards, so it lies above. */
static const struct frame *caller_of(const struct frame *frame) {
    return frame->caller_frame > (uintptr_t)frame ? frame_at(frame->caller_frame) : NULL;
}

void backtrace_print(uint64_t instruction, uint64_t frame_pointer, uint64_t stack_pointer) {
    console_puts("backtrace:\n");
    if (!symbol_find(instruction).name && stack_pointer % 8 == 0 && on_a_stack(stack_pointer))
        print_call(*(const uint64_t *)stack_pointer, 1);
    const struct frame *frame = frame_at(frame_pointer);
    for (unsigned lines = 0; frame; lines++) {
        if (lines == MAX_LINES) {
            console_puts("  ...\n");
            return;
        }
        uint64_t return_address = frame->return_address;
        unsigned times = 0;
        do {
            times++;
            frame = caller_of(frame);
        } while (frame && frame->return_address == return_address);
        print_call(return_address, times);
    }
}
