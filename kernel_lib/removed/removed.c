#include "kernel_lib/removed/removed.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/power.h"
#include "kernel_lib/cpu/symbols.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/removed/misses.h"
#include "kernel_lib/removed/names.h"
#include "kernel_lib/runtime.h"

#define UD2_LOW 0x0F /* Intel SDM vol. 2, UD2 */
#define UD2_HIGH 0x0B
#define STUB_ALIGNMENT 4
#define STUB_SIZE 6
#define STACK_NEEDED 16384 /* to write a file and then some */

/* Made by the build, last in the image; in one that is not trimmed, empty. */
extern const struct removed_names removed_names;

static char name[REMOVED_NAME_SIZE];
static uint64_t return_address;

static bool find_stub(uint64_t address) {
    if (address % STUB_ALIGNMENT != 0 || address < (uintptr_t)__text_start ||
        address + STUB_SIZE > (uintptr_t)__text_end)
        return false;
    const uint8_t *code = (const uint8_t *)address;
    uint32_t id;
    memcpy(&id, code + 2, sizeof id);
    return code[0] == UD2_LOW && code[1] == UD2_HIGH && removed_name(&removed_names, id, name);
}

static void print_caller(void) {
    /* Look up the call, not what follows it. */
    struct symbol caller = symbol_find(return_address - 1);
    console_puts("\nremoved function ");
    console_puts(name);
    console_puts(" called by ");
    if (caller.name)
        console_puts(caller.name);
    else
        console_printf("0x%lx", return_address);
    console_puts("\n");
    console_event("{\"event\":\"trap\",\"removed\":true,\"name\":\"%.200s\",\"caller\":\"%.100s\","
                  "\"address\":\"0x%lx\"}",
                  name, caller.name ? caller.name : "", return_address);
}

/* Runs on the program's stack, with interrupts on: as if the program had called this. */
static _Noreturn void report(void) {
    struct error error;
    cpu_interrupts_on();
    print_caller();
    if (misses_add(name, &error))
        console_puts("It is noted in " MISSES_PATH ".\n");
    else
        console_printf("It could not be noted: %s\n", error.text);
    if (boot_slots_fall_back(&error)) {
        console_puts("The full image takes over.\n");
        machine_restart();
    }
    console_printf("No other image takes over: %s\n", error.text);
    machine_stop(1);
}

/*
 * The report writes files, which is no work for an exception's small stack with interrupts off. A
 * stub is reached like any function, by a call, so the program's stack is in order; and since no
 * part of kernel_lib is ever removed, no driver, file system or heap is in the middle of anything.
 */
void removed_function_called(uint64_t rip, uint64_t rsp) {
    static bool is_reporting;
    if (is_reporting || !find_stub(rip))
        return;
    is_reporting = true;
    if (rsp % sizeof(uint64_t) != 0 || rsp < (uintptr_t)__stack_bottom + STACK_NEEDED ||
        rsp >= (uintptr_t)__stack_top) {
        print_caller();
        console_puts("It cannot be noted: the stack is nearly full, or another one.\n");
        machine_stop(1);
    }
    return_address = *(const uint64_t *)rsp;
    __asm__ volatile("movq %[stack], %%rsp\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "callq *%[report]"
                     :
                     : [stack] "r"(rsp & ~15ull), [report] "r"(report)
                     : "memory");
    __builtin_unreachable();
}
