#include "kernel_lib/debug/backtrace.h"
#include "kernel_lib/debug/code_ranges.h"
#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/runtime.h"
#include <inttypes.h>

#define MAX_LINES 400 /* interpreted calls nest, each of them several frames deep */

void backtrace_print_location(const struct frame *frame) {
    uintptr_t address = frame_address(frame);
    const struct code_range *range = code_range_find(address);
    struct symbol symbol = symbol_find(address);
    if (range)
        range->print(range, frame->instruction, frame->frame_pointer);
    else if (symbol.name)
        console_printf("%s+0x%" PRIxPTR, symbol.name, symbol.offset + frame->is_call);
    else
        console_printf("0x%" PRIxPTR, frame->instruction);
}

static void print_call(const struct frame *frame, unsigned times) {
    console_puts("  ");
    backtrace_print_location(frame);
    if (times > 1)
        console_printf(" (%u times)", times);
    console_puts(frame->is_guess ? " (a guess)\n" : "\n");
}

void backtrace_print(struct frame frame) {
    console_puts("backtrace:\n");
    bool has_caller = unwind(&frame);
    for (unsigned lines = 0; has_caller; lines++) {
        if (lines == MAX_LINES) {
            console_puts("  ...\n");
            return;
        }
        struct frame call = frame;
        unsigned times = 0;
        do {
            times++;
            has_caller = unwind(&frame);
        } while (has_caller && frame.instruction == call.instruction);
        print_call(&call, times);
    }
}
