/*
 * RAM: the BIOS's memory map put in order (ACPI 6.5, 15.1: entries may come in
 * any order and may overlap).
 */
#include "kernel_lib/memory/memory_map.h"
#include "kernel_lib/cpu/paging.h"
#include <string.h>

#define PAGE 4096ull
#define TYPE_USABLE 1

static struct memory_range region_range(const struct boot_memory_region *region) {
    uint64_t start = region->base < MEMORY_END ? region->base : MEMORY_END;
    uint64_t room = MEMORY_END - start;
    return (struct memory_range){start, start + (region->length < room ? region->length : room)};
}

static uint64_t page_down(uint64_t address) {
    return address & ~(PAGE - 1);
}

static uint64_t page_up(uint64_t address) {
    return page_down(address + PAGE - 1);
}

static void remove_range(struct memory_map *map, size_t index) {
    map->count--;
    memmove(&map->ranges[index], &map->ranges[index + 1],
            (map->count - index) * sizeof map->ranges[0]);
}

static void insert_range(struct memory_map *map, size_t index, struct memory_range range) {
    memmove(&map->ranges[index + 1], &map->ranges[index],
            (map->count - index) * sizeof map->ranges[0]);
    map->ranges[index] = range;
    map->count++;
}

/* Adds a range and merges it with all that it overlaps or touches. */
static void add(struct memory_map *map, struct memory_range range) {
    size_t first = 0;
    while (first < map->count && map->ranges[first].end < range.start)
        first++;
    while (first < map->count && map->ranges[first].start <= range.end) {
        if (map->ranges[first].start < range.start)
            range.start = map->ranges[first].start;
        if (map->ranges[first].end > range.end)
            range.end = map->ranges[first].end;
        remove_range(map, first);
    }
    insert_range(map, first, range);
}

void memory_map_exclude(struct memory_map *map, uint64_t start, uint64_t end) {
    if (start >= end)
        return;
    start = page_down(start);
    end = page_up(end);
    for (size_t i = 0; i < map->count;) {
        struct memory_range range = map->ranges[i];
        if (range.end <= start || range.start >= end) {
            i++;
            continue;
        }
        remove_range(map, i);
        if (range.start < start)
            insert_range(map, i++, (struct memory_range){range.start, start});
        if (end < range.end)
            insert_range(map, i++, (struct memory_range){end, range.end});
    }
}

void memory_map_from_regions(struct memory_map *map, const struct boot_memory_region *regions,
                             size_t count) {
    map->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct memory_range range = region_range(&regions[i]);
        range.start = page_up(range.start);
        range.end = page_down(range.end);
        if (regions[i].type == TYPE_USABLE && range.start < range.end)
            add(map, range);
    }
    for (size_t i = 0; i < count; i++) {
        struct memory_range range = region_range(&regions[i]);
        if (regions[i].type != TYPE_USABLE)
            memory_map_exclude(map, range.start, range.end);
    }
}

uint64_t memory_map_out_of_reach(const struct boot_memory_region *regions, size_t count) {
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        if (regions[i].type == TYPE_USABLE) {
            struct memory_range range = region_range(&regions[i]);
            total += regions[i].length - (range.end - range.start);
        }
    return total;
}

uint64_t memory_map_total(const struct memory_map *map) {
    uint64_t total = 0;
    for (size_t i = 0; i < map->count; i++)
        total += map->ranges[i].end - map->ranges[i].start;
    return total;
}
