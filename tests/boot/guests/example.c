/*
 * A program for BareFlow. It measures a function, lets the JIT compile what has turned out to be
 * hot, and shows on the screen and on the serial line what became of it.
 */
#include "kernel_lib/jit_runtime.h"
#include "kernel_lib/runtime.h"
#include <inttypes.h>

#define CALLS 1000

__attribute__((noinline)) static uint64_t sum_of_squares(uint64_t end) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < end; i++)
        sum += i * i;
    return sum;
}

static uint64_t sum_of_sums(void) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < CALLS; i++) {
        jit_profile_begin("squares");
        sum += sum_of_squares(i);
        jit_profile_end("squares");
    }
    return sum;
}

int app_main(void) {
    vga_init();
    vga_puts("Squares are summed up.\n");
    if (!jit_set_threshold(10, 100, 500))
        return 1;
    uint64_t before = sum_of_sums();
    size_t compiled = jit_optimize_hot_functions();
    uint64_t after = sum_of_sums();
    console_printf("%" PRIu64 " and %" PRIu64 ", the same sum.\n", before, after);
    console_printf("%" PRIu64 " calls, %" PRIu64 " cycles each, between %" PRIu64 " and %" PRIu64
                   ".\n",
                   jit_get_call_count("squares"), jit_get_avg_cycles("squares"),
                   jit_get_min_cycles("squares"), jit_get_max_cycles("squares"));
    console_printf("%zu functions compiled; sum_of_squares runs on level %s.\n", compiled,
                   jit_get_optimization_level("sum_of_squares"));
    serial_puts("A key ends the program.\n");
    vga_puts("Press a key.\n");
    keyboard_getchar();
    return before == after ? 0 : 1;
}
