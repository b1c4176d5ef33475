#include "unwind_table.h"
#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/leb128.h"
#include "kernel_lib/memory/layout.h"

/*
 * Behind the names: for every UNWIND_BLOCK functions of kernel_symbols, where in kernel_unwind
 * their rows begin. A function has the number of its rows, then the rows. All are LEB128
 * numbers. A row has:
 *   the distance from where the row before it begins
 *   bit 0: saved_pointer follows; bit 1: by_frame_pointer; bit 2: the sign of, and from bit 3 on,
 *   the difference from the words of the row before it
 *   saved_pointer, if it follows
 */
#define UNWIND_BLOCK 64
extern const uint32_t kernel_unwind_blocks[];
extern const uint8_t kernel_unwind[];

/* Reads one row; returns where it begins. */
static uint32_t read_row(const uint8_t **at, uint32_t last, struct unwind_row *row) {
    uint32_t begin = last + leb128_read(at), change = leb128_read(at);
    uint32_t words = change >> 3;
    row->words += change & 4 ? -words : words;
    row->by_frame_pointer = change & 2;
    if (change & 1)
        row->saved_pointer = leb128_read(at);
    return begin;
}

static void skip(const uint8_t **at) {
    struct unwind_row ignored = {0};
    for (uint32_t rows = leb128_read(at); rows > 0; rows--)
        read_row(at, 0, &ignored);
}

bool unwind_table_find(uint64_t address, struct unwind_row *row) {
    uint32_t function = symbol_index(address);
    if (function == SYMBOL_NONE)
        return false;
    const uint8_t *at = kernel_unwind + kernel_unwind_blocks[function / UNWIND_BLOCK];
    for (uint32_t before = function % UNWIND_BLOCK; before > 0; before--)
        skip(&at);
    uint64_t offset = address - (uintptr_t)__kernel_start - kernel_symbols.starts[function];
    struct unwind_row next = {0};
    uint32_t begin = 0, rows = leb128_read(&at);
    *row = next;
    for (uint32_t i = 0; i < rows; i++) {
        begin = read_row(&at, begin, &next);
        if (begin > offset)
            break;
        *row = next;
    }
    return row->words > 0;
}
