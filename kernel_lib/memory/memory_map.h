/*
 * RAM: the BIOS's memory map put in order.
 */
#pragma once
#include "boot/boot_info.h"
#include <stddef.h>
#include <stdint.h>

struct memory_range {
    uint64_t start, end; /* end is the first byte behind */
};

/* Ranges of usable RAM, ascending, disjoint, not touching each other, on page boundaries. */
struct memory_map {
    size_t count;
    struct memory_range ranges[2 * BOOT_INFO_MAX_REGIONS];
};

/* Makes the map from E820 entries in any order and with overlaps. A page is usable if an entry says
 * so for all of it, and no entry says otherwise for a part of it. */
void memory_map_from_regions(struct memory_map *map, const struct boot_memory_region *regions,
                             size_t count);

/* Takes [start, end), rounded outwards to pages, out of the map. */
void memory_map_exclude(struct memory_map *map, uint64_t start, uint64_t end);

/* Bytes of RAM that no map has, because they are at MEMORY_END or above. */
uint64_t memory_map_out_of_reach(const struct boot_memory_region *regions, size_t count);

/* Bytes in all ranges. */
uint64_t memory_map_total(const struct memory_map *map);
