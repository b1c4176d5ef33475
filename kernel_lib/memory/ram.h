/* RAM as this machine has it: from the boot information to page tables and heap. */
#pragma once
#include "boot/boot_info.h"
#include "kernel_lib/memory/memory_map.h"

/* Takes the memory map from the boot information. */
void ram_start(const struct boot_info *boot);

/* All usable RAM, whoever uses it. */
const struct memory_map *ram_map(void);

/* Allocates a page below 4 GiB, with any content, for a page table. It is never freed. It comes
 * from the RAM behind the kernel, and later from the heap. NULL when there is none. */
void *ram_page_allocate(void);

/* Gives the heap all RAM but the low 1 MiB (BIOS data, boot information, real-mode trampoline), the
 * kernel and the pages taken so far. */
void ram_give_to_heap(void);
