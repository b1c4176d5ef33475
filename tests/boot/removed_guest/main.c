/*
 * Calls a function of library.cpp, most of which the build has removed, in the way that the key
 * `call` names. A call that comes back ends the guest with code 0; in the untrimmed guest all do.
 */
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/runtime.h"
#include "tests/boot/removed_guest/library.h"

#define STACK_LEFT 8192 /* less than it takes to write a file */

static int call_direct(void) {
    return direct(20);
}

static int call_virtual(void) {
    return wings_of_a_bird();
}

static int call_pointer(void) {
    return by_pointer(7);
}

/* Kept by the coverage, and it calls a function of the same library, which is kept too. */
static int call_kept(void) {
    return kept(5);
}

/* Kept because a list of misses names it. */
static int call_missed(void) {
    return missed(1);
}

/* Reads data that is not there, from an address that is looked up. */
static int call_data(void) {
    return weight(2);
}

/* Kept because a list of misses names it. */
static int call_missed_data(void) {
    return height(2);
}

static int call_part(void) {
    return parted(-5);
}

static int call_part_inside(void) {
    return parted_inside(-6);
}

/* Only what is left of the function runs. */
static int call_other_part(void) {
    return parted(7);
}

/* Kept whole because a list of misses names it. */
static int call_missed_part(void) {
    return parted_too(-8);
}

/* Calls when the stack is nearly full. */
__attribute__((noinline)) static int call_deep(void) {
    volatile char frame[1024];
    frame[0] = 1;
    if ((uintptr_t)frame - (uintptr_t)__stack_bottom > STACK_LEFT)
        return call_deep() + frame[0];
    return direct(20);
}

/* Calls in the middle of a text. */
static int call_in_text(void) {
    console_text_begin();
    console_text("Once", 4);
    int result = direct(20);
    console_text(" upon", 5);
    console_text_end();
    return result;
}

/* An invalid opcode that is no stub. */
static int invalid_opcode(void) {
    __asm__ volatile(".balign 4\n\tud2\n\t.long 0x7fffffff");
    return 0;
}

/* A breakpoint that no part of a function is. */
static int breakpoint(void) {
    __asm__ volatile("int3");
    return 0;
}

static const struct {
    const char *name;
    int (*call)(void);
} calls[] = {
    {"direct", call_direct},
    {"virtual", call_virtual},
    {"pointer", call_pointer},
    {"kept", call_kept},
    {"missed", call_missed},
    {"data", call_data},
    {"missed_data", call_missed_data},
    {"deep", call_deep},
    {"in_text", call_in_text},
    {"invalid_opcode", invalid_opcode},
    {"part", call_part},
    {"part_inside", call_part_inside},
    {"other_part", call_other_part},
    {"missed_part", call_missed_part},
    {"breakpoint", breakpoint},
};

int app_main(void) {
    const char *wanted = config_get("call");
    for (size_t i = 0; wanted && i < sizeof calls / sizeof calls[0]; i++)
        if (strcmp(calls[i].name, wanted) == 0) {
            console_printf("result %d\n", calls[i].call());
            return 0;
        }
    console_printf("error: no call is called \"%s\"\n", wanted ? wanted : "");
    return 3;
}
