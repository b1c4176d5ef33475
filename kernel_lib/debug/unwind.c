/*
 * Code of the kernel and of the JIT keeps frame pointers (System V ABI AMD64, 3.2.2) from its first
 * instruction on: the compilers are told not to shrink-wrap. Libraries have a table instead. Where
 * a function was interrupted, the code around that instruction says which part of its frame exists.
 */
#include "kernel_lib/debug/unwind.h"
#include "frames.h"
#include "kernel_lib/cpu/descriptors.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/cpu/vectors.h"
#include "kernel_lib/debug/code_ranges.h"
#include "kernel_lib/debug/eh_frame/unwind_table.h"
#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/memory/layout.h"
#include <string.h>

/* Only in images with libraries that have no frame pointers. */
#pragma weak unwind_table_find

#define WORD sizeof(uintptr_t)

/* Instructions (Intel SDM vol. 2). */
#define PUSH_FRAME_POINTER 0x55
#define POP_FRAME_POINTER 0x5D
#define POP 0x58 /* and a register, of 8 */
#define RET 0xC3
#define LEAVE 0xC9
#define INT3 0xCC
#define JMP_REL32 0xE9
#define JMP_REL8 0xEB
#define VZEROUPPER 0x77F8C5
#define GROUP5 0xFF /* JMP is /4 */

/* interrupts.asm */
extern const char interrupt_stubs[], __interrupt_stubs_end[];

uintptr_t frame_address(const struct frame *frame) {
    return frame->instruction - frame->is_call;
}

/* The end of the stack that holds the word at this address, 0 when there is none. */
static uintptr_t stack_end(uintptr_t address) {
    if (address % WORD != 0)
        return 0;
    if (address >= (uintptr_t)__stack_bottom && address < (uintptr_t)__stack_top)
        return (uintptr_t)__stack_top;
    for (unsigned stack = 1; stack <= INTERRUPT_STACKS; stack++) {
        uintptr_t bottom = interrupt_stack_guard(stack) + PAGE_SIZE;
        if (address >= bottom && address < bottom + INTERRUPT_STACK_SIZE)
            return bottom + INTERRUPT_STACK_SIZE;
    }
    return 0;
}

static uintptr_t word_at(uintptr_t address) {
    return *(const uintptr_t *)address;
}

static bool in_text(uintptr_t address) {
    return address >= (uintptr_t)__text_start && address < (uintptr_t)__text_end;
}

static bool is_code(uintptr_t address) {
    return in_text(address) || code_range_find(address);
}

/* The return address is the word below end_of_frame, if that is on a stack. (The stack pointer may
 * have left its stack.) */
static bool return_from(struct frame *frame, uintptr_t end_of_frame, uintptr_t frame_pointer) {
    if (end_of_frame <= frame->stack_pointer || !stack_end(end_of_frame - WORD))
        return false;
    uintptr_t return_address = word_at(end_of_frame - WORD);
    if (!is_code(return_address - 1))
        return false;
    *frame = (struct frame){return_address, end_of_frame, frame_pointer, true, frame->is_guess};
    return true;
}

/* ---- Interrupts ---- */

/* The breakpoint of a first call (coverage.c) is its function's first byte. */
static bool is_behind_breakpoint(uintptr_t address) {
    uint32_t function = symbol_index(address);
    return function != SYMBOL_NONE &&
           address - (uintptr_t)__kernel_start - kernel_symbols.starts[function] == 1;
}

static bool return_from_interrupt(struct frame *frame) {
    uintptr_t end = stack_end(frame->stack_pointer);
    if (!end)
        return false;
    const struct interrupt_frame *saved = interrupt_frame_of(frame->stack_pointer, end);
    frame->instruction = interrupt_return_address(saved);
    if (saved->vector == VECTOR_BREAKPOINT && is_behind_breakpoint(frame->instruction))
        frame->instruction--;
    frame->stack_pointer = interrupt_stack_pointer(saved);
    frame->is_call = false;
    return is_code(frame->instruction);
}

/* ---- By the code ---- */

static bool is_jump(const uint8_t *code) {
    code += is_rex_b(*code);
    return *code == JMP_REL32 || *code == JMP_REL8 || (*code == GROUP5 && (code[1] >> 3 & 7) == 4);
}

/* The first bytes of code, the first one lowest. */
static uint32_t bytes_of(const uint8_t *code, unsigned count) {
    uint32_t bytes;
    memcpy(&bytes, code, sizeof bytes);
    return bytes << (32 - 8 * count) >> (32 - 8 * count);
}

/* Whether the frame's function is in its epilogue: from here on it only pops registers, and then
 * returns, or jumps to another function. If so, the frame becomes its caller's. */
static bool return_by_epilogue(struct frame *frame, bool jumps) {
    uintptr_t stack_pointer = frame->stack_pointer, frame_pointer = frame->frame_pointer;
    const uint8_t *code = (const uint8_t *)frame->instruction;
    bool has_popped = code[-1] == POP_FRAME_POINTER || (code[-1] == LEAVE && is_rex_b(*code));
    for (; (*code & 0xF8) == POP || (is_rex_b(*code) && (code[1] & 0xF8) == POP); code++) {
        if (!stack_end(stack_pointer))
            return false;
        has_popped = *code == POP_FRAME_POINTER;
        if (has_popped)
            frame_pointer = word_at(stack_pointer);
        code += is_rex_b(*code);
        stack_pointer += WORD;
    }
    if (bytes_of(code, 3) == VZEROUPPER)
        code += 3;
    return (*code == RET || (jumps && has_popped && is_jump(code))) &&
           return_from(frame, stack_pointer + WORD, frame_pointer);
}

/* PUSH RBP, of which coverage.c may have made a breakpoint, and MOV RBP, RSP (or EBP and ESP). */
static bool is_begin(const uint8_t *code) {
    return (*code == PUSH_FRAME_POINTER || *code == INT3) &&
           bytes_of(code + 1, MOV_FRAME_POINTER_SIZE) == MOV_FRAME_POINTER;
}

static bool is_frameless(const struct frame *frame) {
    const struct code_range *range = code_range_find(frame->instruction);
    return range && frame->instruction >= range->frameless_begin &&
           frame->instruction < range->frameless_end;
}

/* The frame's function was interrupted. */
static bool return_by_code(struct frame *frame) {
    uintptr_t stack_pointer = frame->stack_pointer;
    const uint8_t *code = (const uint8_t *)frame->instruction;
    if (!stack_end(stack_pointer))
        return false;
    if (is_begin(code - 1))
        return return_from(frame, stack_pointer + 2 * WORD, word_at(stack_pointer));
    if (is_begin(code) || is_frameless(frame))
        return return_from(frame, stack_pointer + WORD, frame->frame_pointer);
    return return_by_epilogue(frame, true);
}

/* ---- */

static bool return_by_row(struct frame *frame, const struct unwind_row *row) {
    /* The table leaves out the pops before a return. */
    if (!frame->is_call && return_by_epilogue(frame, false))
        return true;
    uintptr_t frame_pointer = frame->frame_pointer;
    uintptr_t end =
        (row->by_frame_pointer ? frame_pointer : frame->stack_pointer) + row->words * WORD;
    uintptr_t saved = end - row->saved_pointer * WORD;
    /* Below RSP it has been popped. */
    if (row->saved_pointer > 0 && saved >= frame->stack_pointer && stack_end(saved))
        frame_pointer = word_at(saved);
    return return_from(frame, end, frame_pointer);
}

static bool return_by_frame_pointer(struct frame *frame) {
    uintptr_t saved = frame->frame_pointer;
    return stack_end(saved) && return_from(frame, saved + 2 * WORD, word_at(saved));
}

/* The frame is in no code: a call or a jump went astray. If it was a call, the return address is
 * the lowest word of the stack. */
static bool return_from_nowhere(struct frame *frame) {
    frame->is_guess = true;
    return stack_end(frame->stack_pointer) &&
           return_from(frame, frame->stack_pointer + WORD, frame->frame_pointer);
}

bool unwind(struct frame *frame) {
    uintptr_t address = frame_address(frame);
    struct unwind_row row;
    frame->is_guess = false;
    if (address >= (uintptr_t)interrupt_stubs && address < (uintptr_t)__interrupt_stubs_end)
        return return_from_interrupt(frame);
    if (!is_code(address))
        return return_from_nowhere(frame);
    if (unwind_table_find && unwind_table_find(address, &row))
        return return_by_row(frame, &row);
    return (!frame->is_call && return_by_code(frame)) || return_by_frame_pointer(frame);
}
