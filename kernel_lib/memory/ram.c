/* RAM as this machine has it: from the boot information to page tables and heap. */
#include "kernel_lib/memory/ram.h"
#include "kernel_lib/memory/heap.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/runtime.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#define PAGE 4096ull
#define LOW_MEMORY_END 0x100000ull

static struct memory_map map;
static uint64_t next_page, last_page; /* taken and still free behind the kernel */
static bool heap_has_it;

void ram_start(const struct boot_info *boot) {
    memory_map_from_regions(&map, boot->regions, boot->region_count);
    uint64_t rest = memory_map_out_of_reach(boot->regions, boot->region_count);
    if (rest >> 20)
        console_printf("%" PRIu64 " MiB of memory above 4 GiB are left alone.\n", rest >> 20);
    next_page = last_page = (uintptr_t)__kernel_end;
    for (size_t i = 0; i < map.count; i++)
        if (map.ranges[i].start <= next_page && next_page < map.ranges[i].end)
            last_page = map.ranges[i].end;
}

const struct memory_map *ram_map(void) {
    return &map;
}

void *ram_page_allocate(void) {
    if (heap_has_it)
        return aligned_alloc(PAGE, PAGE);
    if (next_page == last_page)
        return NULL;
    void *page = (void *)(uintptr_t)next_page;
    next_page += PAGE;
    return page;
}

void ram_give_to_heap(void) {
    struct memory_map free_ram = map;
    memory_map_exclude(&free_ram, 0, LOW_MEMORY_END);
    memory_map_exclude(&free_ram, (uintptr_t)__kernel_start, next_page);
    for (size_t i = 0; i < free_ram.count; i++)
        heap_add_region((void *)(uintptr_t)free_ram.ranges[i].start,
                        (void *)(uintptr_t)free_ram.ranges[i].end);
    heap_has_it = true;
}
