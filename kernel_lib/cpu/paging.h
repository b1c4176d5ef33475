/*
 * The kernel's page tables (Intel SDM vol. 3, chapter 4): everything identity-mapped.
 */
#pragma once
#include "kernel_lib/error.h"
#include "page_tables.h" /* of the architecture */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096ull

enum memory_access {
    MEMORY_NONE, /* every access is a page fault */
    MEMORY_READ,
    MEMORY_READ_WRITE,
    MEMORY_READ_EXECUTE,
};

/* Builds the tables and switches to them: all RAM and the video memory readable and writable but
 * not executable; the kernel's sections with W^X; page 0 and the guard pages below the stacks
 * unmapped, and so is what is no RAM. Needs ram_start(). */
void paging_start(void);

/* Gives [address, address + size) the access, mapping it if it was not. Both are multiples of
 * PAGE_SIZE. Without NX in the CPU all that can be read can be executed. False and *error when
 * memory for a page table is lacking. */
bool memory_protect(uintptr_t address, size_t size, enum memory_access access, struct error *error);

/* Maps the pages of [address, address + size), which are a device's registers, readable and
 * writable and without caching. The range ends below MEMORY_END. False and *error when memory for a
 * page table is lacking. */
bool memory_map_device(uint64_t address, uint64_t size, struct error *error);
