// sources: kernel_lib/debug/unwind.c
/* A function of a library, interrupted before each instruction of its epilogue: the rows of the
 * table and the code lead to its caller. */
#include "check.h"
#include "kernel_lib/cpu/descriptors.h"
#include "kernel_lib/debug/code_ranges.h"
#include "kernel_lib/debug/eh_frame/unwind_table.h"
#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/debug/unwind.h"
#include "kernel_lib/memory/layout.h"
#include <string.h>

/* The kernel's text and its stack; interrupts.asm and the interrupts' stacks are elsewhere. */
__asm__(".data\n"
        ".globl __text_start, __text_end, __stack_bottom, __stack_top\n"
        ".globl interrupt_stubs, __interrupt_stubs_end, __kernel_start, kernel_symbols\n"
        ".balign 16\n"
        "__text_start:\n"
        "code: .skip 64\n"
        "__text_end:\n"
        ".balign 16\n"
        "__stack_bottom:\n"
        "stack_words: .skip 256\n"
        "__stack_top:\n"
        "interrupt_stubs:\n"
        "__interrupt_stubs_end: .quad 0\n"
        "__kernel_start:\n"
        "kernel_symbols: .quad 0\n");

/* The same memory: layout.h's names are of constants. */
extern uint8_t code[64], stack_words[256];

uintptr_t interrupt_stack_guard(unsigned stack) {
    (void)stack;
    return 0;
}

const struct code_range *code_range_find(uintptr_t address) {
    (void)address;
    return NULL;
}

uint32_t symbol_index(uint64_t address) {
    (void)address;
    return SYMBOL_NONE;
}

/* ADD RSP, 8; POP RBX; POP R12; POP RBP; and its end. The instruction before them is a NOP. */
static const uint8_t epilogue[] = {0x90, 0x48, 0x83, 0xC4, 0x08, 0x5B, 0x41, 0x5C, 0x5D};
static const uint8_t jump[] = {0xE9, 1, 2, 3, 4}, ret[] = {0xC3};
static const struct moment {
    unsigned offset; /* in epilogue */
    uint32_t words;  /* up to the caller's RSP */
    bool stays;      /* in the table when a RET follows the pops */
} moments[] = {{1, 5, true}, {5, 4, false}, {6, 3, false}, {8, 2, false}, {9, 1, false}};
#define MOMENTS (sizeof moments / sizeof *moments)

#define CALLERS_RBP 0x1122334455667788
#define POPPED 0x99
static bool has_short_form;

/* As DWARF's rows: the place of a saved register stays said after it is popped. */
bool unwind_table_find(uint64_t address, struct unwind_row *row) {
    if (address < (uintptr_t)code || address >= (uintptr_t)code + 32)
        return false;
    *row = (struct unwind_row){false, 0, 2};
    for (size_t i = 0; i < MOMENTS; i++)
        if ((uintptr_t)code + moments[i].offset <= address && (moments[i].stays || !has_short_form))
            row->words = moments[i].words;
    return true;
}

static void check_epilogue(const uint8_t *end, size_t size, bool short_form) {
    memset(code, 0x90, sizeof code);
    memcpy(code, epilogue, sizeof epilogue);
    memcpy(code + sizeof epilogue, end, size);
    has_short_form = short_form;
    uint64_t *top = (uint64_t *)(stack_words + sizeof stack_words) - 4; /* the caller's RSP */
    uint64_t return_address = (uintptr_t)code + 48;
    for (size_t i = 0; i < MOMENTS; i++) {
        memset(stack_words, 0, sizeof stack_words);
        top[-1] = return_address;
        top[-2] = CALLERS_RBP;
        bool has_popped = moments[i].words == 1;
        if (has_popped) /* what an interrupt has pushed since */
            top[-2] = POPPED;
        struct frame frame = {
            .instruction = (uintptr_t)code + moments[i].offset,
            .stack_pointer = (uintptr_t)(top - moments[i].words),
            .frame_pointer = has_popped ? CALLERS_RBP : 0,
        };
        CHECK(unwind(&frame));
        CHECK(frame.instruction == return_address && frame.is_call && !frame.is_guess);
        CHECK(frame.stack_pointer == (uintptr_t)top && frame.frame_pointer == CALLERS_RBP);
    }
}

int main(void) {
    check_epilogue(ret, sizeof ret, true);
    check_epilogue(ret, sizeof ret, false);
    check_epilogue(jump, sizeof jump, false);
    return 0;
}
