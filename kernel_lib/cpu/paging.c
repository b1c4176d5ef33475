/*
 * The kernel's page tables: everything identity-mapped, with the largest pages that fit (Intel SDM
 * vol. 3, 4.4 and 4.5). Large pages are split where a smaller range gets other rights.
 */
#include "kernel_lib/cpu/paging.h"
#include "interrupt_stacks.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/descriptors.h"
#include "kernel_lib/cpu/features.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/memory/ram.h"
#include "kernel_lib/runtime.h"
#include <inttypes.h>

#define ENTRIES 512
#define ENTRY_PRESENT (1ull << 0)
#define ENTRY_WRITE (1ull << 1)
/* PWT and PCD: entry 3 of the PAT, which is uncacheable (UC) after reset. */
#define ENTRY_UNCACHED (1ull << 3 | 1ull << 4)
#define ENTRY_LARGE (1ull << 7) /* a page, not a table, at levels 2 and 3 */
#define ENTRY_NO_EXECUTE (1ull << 63)
#define ENTRY_ADDRESS 0x000FFFFFFFFFF000ull

#define LARGE_PAGE (2ull << 20)
#define VIDEO_START 0xA0000ull
#define VIDEO_END 0xC0000ull

static uint64_t *top;
static uint64_t no_execute; /* ENTRY_NO_EXECUTE, or 0 without NX: the bit would be reserved */
static int largest_level;   /* 3 with 1 GiB pages, else 2 */

/* Bytes that one entry of a table at this level covers; level 1 holds 4 KiB pages. */
static uint64_t entry_span(int level) {
    return PAGE_SIZE << 9 * (level - 1);
}

static uint64_t *entry_of(uint64_t *table, uint64_t address, int level) {
    return &table[address / entry_span(level) % ENTRIES];
}

/* A cleared page for a table; NULL when memory is out. */
static uint64_t *new_table(void) {
    uint64_t *table = ram_page_allocate();
    return table ? memset(table, 0, PAGE_SIZE) : NULL;
}

/* The table below *entry, made if there is none; a large page becomes 512 smaller ones. */
static uint64_t *descend(uint64_t *entry, int level) {
    if ((*entry & ENTRY_PRESENT) && !(*entry & ENTRY_LARGE))
        return (uint64_t *)(uintptr_t)(*entry & ENTRY_ADDRESS);
    uint64_t *table = new_table();
    if (!table)
        return NULL;
    if (*entry & ENTRY_PRESENT) {
        uint64_t span = entry_span(level - 1);
        uint64_t page = level - 1 == 1 ? *entry & ~ENTRY_LARGE : *entry;
        for (unsigned i = 0; i < ENTRIES; i++)
            table[i] = page + i * span;
    }
    *entry = (uintptr_t)table |
             (level == PAGING_LEVELS ? PAGING_TOP_ENTRY_FLAGS : ENTRY_PRESENT | ENTRY_WRITE);
    return table;
}

/* Fills the part [start, end) of a table at this level, page multiples, with the flags; flags 0
 * unmaps. Uses the largest pages that fit but keeps tables that exist. False when memory is out. */
static bool map_in(uint64_t *table, int level, uint64_t start, uint64_t end, uint64_t flags) {
    uint64_t span = entry_span(level);
    while (start < end) {
        uint64_t next = (start & ~(span - 1)) + span;
        if (next > end)
            next = end;
        uint64_t *entry = entry_of(table, start, level);
        bool has_table = level > 1 && (*entry & ENTRY_PRESENT) && !(*entry & ENTRY_LARGE);
        if (next - start == span && level <= largest_level && !has_table) {
            *entry = flags ? start | flags | (level > 1 ? ENTRY_LARGE : 0) : 0;
        } else {
            uint64_t *below = descend(entry, level);
            if (!below || !map_in(below, level - 1, start, next, flags))
                return false;
        }
        start = next;
    }
    return true;
}

static bool map(uint64_t start, uint64_t end, uint64_t flags) {
    return map_in(top, PAGING_LEVELS, start, end, flags);
}

static bool map_memory(void) {
    uint64_t data = ENTRY_PRESENT | ENTRY_WRITE | no_execute;
    const struct memory_map *ram = ram_map();
    for (size_t i = 0; i < ram->count; i++) {
        /* Rounded outwards: a hole at the end of RAM is not worth a table, and on real machines the
         * MTRRs keep devices uncached whatever stands here. */
        uint64_t start = ram->ranges[i].start & ~(LARGE_PAGE - 1);
        uint64_t end = (ram->ranges[i].end + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
        if (!map(start, end, data))
            return false;
    }
    return map(VIDEO_START, VIDEO_END, data | ENTRY_UNCACHED);
}

static bool protect_kernel(void) {
    bool done =
        map(0, PAGE_SIZE, 0) &&
        map((uintptr_t)__text_start, (uintptr_t)__text_end, ENTRY_PRESENT) &&
        map((uintptr_t)__rodata_start, (uintptr_t)__rodata_end, ENTRY_PRESENT | no_execute) &&
        map((uintptr_t)__stack_guard, (uintptr_t)__stack_guard + PAGE_SIZE, 0);
    for (unsigned stack = 1; stack <= INTERRUPT_STACKS; stack++) {
        uintptr_t guard = interrupt_stack_guard(stack);
        done = done && map(guard, guard + PAGE_SIZE, 0);
    }
    return done;
}

void paging_start(void) {
    if (cpu_has_no_execute()) {
        no_execute = ENTRY_NO_EXECUTE;
        cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_NO_EXECUTE_ENABLE);
    } else {
        console_puts("This CPU has no NX: what can be read can be executed.\n");
    }
    largest_level = PAGING_LEVELS > 3 && cpu_has_gigabyte_pages() ? 3 : 2;
    top = new_table();
    if (!top || !map_memory() || !protect_kernel())
        panic("too little memory behind the kernel for its page tables");
    /* In 64-bit mode PAE and paging are on already. */
    cpu_write_cr4(cpu_read_cr4() | CR4_PAE);
    cpu_write_cr3((uintptr_t)top);
    cpu_write_cr0(cpu_read_cr0() | CR0_PAGING | CR0_WRITE_PROTECT);
    descriptors_load(); /* on i386 the tasks get CR3 */
}

/* The kernel's code can be executed as it is. What has been made data there, must never be code
 * again: another function's calls may lead there (kernel_lib/removed/removed_pages.c). */
static bool is_kernel_code(uintptr_t address, size_t size) {
    return address < (uintptr_t)__text_end && address + size > (uintptr_t)__text_start;
}

/* Maps whole pages while the tables are in use. */
static bool remap(uint64_t start, uint64_t end, uint64_t flags, struct error *error) {
    if (!map(start, end, flags))
        return error_set(error, "no memory left for a page table");
    cpu_write_cr3((uintptr_t)top); /* forget the old translations */
    return true;
}

bool memory_protect(uintptr_t address, size_t size, enum memory_access access,
                    struct error *error) {
    uint64_t flags[] = {
        [MEMORY_NONE] = 0,
        [MEMORY_READ] = ENTRY_PRESENT | no_execute,
        [MEMORY_READ_WRITE] = ENTRY_PRESENT | ENTRY_WRITE | no_execute,
        [MEMORY_READ_EXECUTE] = ENTRY_PRESENT,
    };
    if (address % PAGE_SIZE != 0 || size % PAGE_SIZE != 0)
        return error_set(error, "memory_protect: %#" PRIxPTR " and %zu bytes are not whole pages",
                         address, size);
    if (access == MEMORY_READ_EXECUTE && is_kernel_code(address, size))
        return error_set(error, "memory_protect: %#" PRIxPTR " is the kernel's", address);
    return remap(address, address + size, flags[access], error);
}

bool memory_map_device(uint64_t address, uint64_t size, struct error *error) {
    uint64_t end = (address + size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    return remap(address & ~(PAGE_SIZE - 1), end,
                 ENTRY_PRESENT | ENTRY_WRITE | ENTRY_UNCACHED | no_execute, error);
}
