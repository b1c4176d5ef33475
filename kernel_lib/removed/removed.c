#include "kernel_lib/removed/removed.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/platform/bare/power.h"
#include "kernel_lib/removed/misses.h"
#include "kernel_lib/removed/names.h"
#include "kernel_lib/removed/removed_functions.h"
#include "kernel_lib/removed/trap_stub.h"
#include "kernel_lib/runtime.h"

#define UD2_LOW 0x0F /* Intel SDM vol. 2, UD2 */
#define UD2_HIGH 0x0B
#define INT3 0xCC
#define STACK_NEEDED 16384 /* bytes: more than writing a file takes */

/* Made by the build, last in the image; in one that is not trimmed, empty. */
extern const struct removed_names removed_names;

/* What the program has used. */
static struct {
    const char *kind, *name, *use;
    uint64_t return_address; /* 0: not known */
} missing;
static bool is_reporting;
static void (*way_out)(const struct removed_call *call);

/* The name of the function whose trap stub is at address; NULL when there is no stub. */
static const char *stub_name(uint64_t address) {
    if (address % TRAP_STUB_ALIGNMENT != 0 || address < (uintptr_t)__text_start ||
        address + TRAP_STUB_SIZE > (uintptr_t)__text_end)
        return NULL;
    const uint8_t *code = (const uint8_t *)address;
    uint32_t id;
    memcpy(&id, code + 2, sizeof id);
    return code[0] == UD2_LOW && code[1] == UD2_HIGH ? removed_name(&removed_names, id) : NULL;
}

/* Whether the INT3 at address is one of at least REMOVED_PART_SIZE in a row: only removed parts of
 * functions have that many. */
static bool is_in_part(uint64_t address) {
    const uint8_t *first = (const uint8_t *)address, *end = first;
    if (address < (uintptr_t)__text_start || address >= (uintptr_t)__text_end)
        return false;
    while (end < (const uint8_t *)__text_end && *end == INT3 && end - first < REMOVED_PART_SIZE)
        end++;
    while (first > (const uint8_t *)__text_start && first[-1] == INT3 &&
           end - first < REMOVED_PART_SIZE)
        first--;
    return end - first >= REMOVED_PART_SIZE;
}

static const char *find_caller(void) {
    static char number[20];
    /* Look up the call, not what follows it. */
    struct symbol caller = symbol_find(missing.return_address - 1);
    if (caller.name)
        return caller.name;
    snprintf(number, sizeof number, "0x%lx", missing.return_address);
    return number;
}

static void print_call(const char *caller) {
    console_printf("\nremoved %s ", missing.kind);
    console_puts(missing.name);
    console_printf(" %s by ", missing.use);
    console_puts(caller);
    console_puts("\n");
    console_event("{\"event\":\"trap\",\"removed\":true,\"name\":\"%.200s\",\"caller\":\"%.100s\","
                  "\"address\":\"0x%lx\"}",
                  missing.name, caller, missing.return_address);
}

void removed_set_way_out(void (*function)(const struct removed_call *call)) {
    way_out = function;
}

_Noreturn void removed_take_over(void) {
    struct error error;
    if (boot_slots_fall_back(&error)) {
        console_puts("The full image takes over.\n");
        machine_restart();
    }
    console_printf("No other image takes over: %s\n", error.text);
    machine_stop(1);
}

/* Runs on the program's stack, with interrupts on: as if the program had called this. */
static _Noreturn void report(void) {
    static struct removed_call call;
    cpu_interrupts_on();
    call.name = missing.name;
    call.caller = find_caller();
    if (way_out) {
        call.noted = misses_add(call.name, &call.error);
        is_reporting = false;
        way_out(&call);
    }
    print_call(call.caller);
    if (misses_add(call.name, &call.error))
        console_puts("It is noted in " MISSES_PATH ".\n");
    else
        console_printf("It could not be noted: %s\n", call.error.text);
    removed_take_over();
}

/*
 * The report writes files. An exception's stack is too small for that, and interrupts are off
 * there; so the report runs on the program's stack. That stack is in order, because a trap stub is
 * called like any function. No driver, file system or heap is in the middle of an operation,
 * because no part of kernel_lib is ever removed. Both hold for removed data and for removed parts
 * of functions, too: only the libraries have any. (A function may keep values below the stack
 * pointer. They are overwritten, but the function does not continue.)
 */
static _Noreturn void leave_program(uint64_t rsp) {
    __asm__ volatile("movq %[stack], %%rsp\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "callq *%[report]"
                     :
                     : [stack] "r"(rsp & ~15ull), [report] "r"(report)
                     : "memory");
    __builtin_unreachable();
}

static bool has_stack(uint64_t rsp) {
    return rsp % sizeof(uint64_t) == 0 && rsp >= (uintptr_t)__stack_bottom + STACK_NEEDED &&
           rsp < (uintptr_t)__stack_top;
}

/* Reports the use of what is missing and does not return; returns if nothing of a name is missing,
 * or if the exception happened in the report itself. */
static void report_use(const char *kind, const char *name, const char *use, uint64_t return_address,
                       uint64_t rsp) {
    if (is_reporting || !name)
        return;
    is_reporting = true;
    missing.kind = kind;
    missing.name = name;
    missing.use = use;
    missing.return_address = return_address;
    if (has_stack(rsp))
        leave_program(rsp);
    print_call(find_caller());
    console_puts("It cannot be noted: the stack is nearly full, or another one.\n");
    machine_stop(1);
}

void trap_stub_called(uint64_t rip, uint64_t rsp) {
    uint64_t return_address = has_stack(rsp) ? *(const uint64_t *)rsp : 0;
    report_use("function", stub_name(rip), "called", return_address, rsp);
}

/* Of a function that was removed from a copy of the kernel: its first byte is reached by a call. */
static void removed_body_reached(uint64_t address, uint64_t rsp) {
    struct symbol function = symbol_find(address);
    uint64_t return_address = has_stack(rsp) ? *(const uint64_t *)rsp : 0;
    if (function.offset == 0)
        report_use("function", function.name, "called", return_address, rsp);
    report_use("part of", function.name, "reached", address + 1, rsp);
}

void removed_part_reached(uint64_t rip, uint64_t rsp) {
    uint64_t address = rip - 1;
    if (removed_names.count > 0 && is_in_part(address))
        report_use("part of", symbol_find(address).name, "reached", rip, rsp);
    if (function_is_removed(symbol_index(address)))
        removed_body_reached(address, rsp);
}

void removed_page_reached(uint64_t rip, uint64_t rsp) {
    if (function_is_removed(symbol_index(rip)))
        removed_body_reached(rip, rsp);
}

void removed_data_used(uint64_t address, uint64_t rip, uint64_t rsp) {
    if (address < REMOVED_DATA_START)
        return;
    uint64_t number = (address - REMOVED_DATA_START) / REMOVED_DATA_DISTANCE;
    const char *name = removed_name(&removed_names, REMOVED_DATA_ID + (uint32_t)number);
    report_use("data", name, "used", rip + 1, rsp);
}
