// sources: kernel_lib/memory/memory_map.c
/* The BIOS's memory map put in order. */
#include "check.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/memory/memory_map.h"
#include <stdbool.h>

#define RAM 1
#define RESERVED 2
#define PAGE 4096ull

/* Whether the map is exactly these ranges. */
static bool map_is(const struct memory_map *map, size_t count, const struct memory_range *ranges) {
    if (map->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (map->ranges[i].start != ranges[i].start || map->ranges[i].end != ranges[i].end)
            return false;
    return true;
}

#define MAP_IS(map, ...)                                                                           \
    map_is(map, sizeof((struct memory_range[]){__VA_ARGS__}) / sizeof(struct memory_range),        \
           (struct memory_range[]){__VA_ARGS__})

/* What SeaBIOS reports with 8 GiB, in another order. */
static void orders_a_real_map(void) {
    const struct boot_memory_region regions[] = {
        {0x100000000, 0x140000000, RAM, 1}, {0xFFFC0000, 0x40000, RESERVED, 1},
        {0xFEFFC000, 0x4000, RESERVED, 1},  {0, 0x9FC00, RAM, 1},
        {0xBFFE0000, 0x20000, RESERVED, 1}, {0x9FC00, 0x400, RESERVED, 1},
        {0x100000, 0xBFEE0000, RAM, 1},     {0xF0000, 0x10000, RESERVED, 1},
    };
    struct memory_map map;
    memory_map_from_regions(&map, regions, sizeof regions / sizeof regions[0]);
    CHECK(MAP_IS(&map, {0, 0x9F000}, {0x100000, 0xBFFE0000}, {0x100000000, 0x240000000}));
    CHECK(memory_map_total(&map) == 0x9F000 + 0xBFEE0000 + 0x140000000);
}

static void melts_overlapping_and_touching_ram(void) {
    const struct boot_memory_region regions[] = {
        {0x500000, 0x100000, RAM, 1}, {0x100000, 0x100000, RAM, 1}, {0x200000, 0x100000, RAM, 1},
        {0x580000, 0x200000, RAM, 1}, {0x510000, 0x1000, RAM, 1},   {0x100000, 0x100000, RAM, 1},
    };
    struct memory_map map;
    memory_map_from_regions(&map, regions, sizeof regions / sizeof regions[0]);
    CHECK(MAP_IS(&map, {0x100000, 0x300000}, {0x500000, 0x780000}));
}

static void reserved_wins_over_ram(void) {
    const struct boot_memory_region regions[] = {
        {0x200800, 0x10, RESERVED, 1},
        {0x100000, 0x300000, RAM, 1},
        {0x300000, 0x1000, 5, 1}, /* defective RAM */
    };
    struct memory_map map;
    memory_map_from_regions(&map, regions, sizeof regions / sizeof regions[0]);
    CHECK(MAP_IS(&map, {0x100000, 0x200000}, {0x201000, 0x300000}, {0x301000, 0x400000}));
}

static void drops_what_is_no_whole_page(void) {
    const struct boot_memory_region regions[] = {
        {0x1001, 0xFFE, RAM, 1},  /* inside one page */
        {0x2FFF, 0x2002, RAM, 1}, /* 3000h to 5000h, and a byte at either end */
        {0x8000, 0, RAM, 1},
    };
    struct memory_map map;
    memory_map_from_regions(&map, regions, sizeof regions / sizeof regions[0]);
    CHECK(MAP_IS(&map, {0x3000, 0x5000}));
}

static void survives_lengths_beyond_the_address_space(void) {
    const struct boot_memory_region regions[] = {
        {0x100000, UINT64_MAX, RAM, 1},
        {UINT64_MAX - PAGE, PAGE, RAM, 1},
        {0x200000, UINT64_MAX - 1, RESERVED, 1},
    };
    struct memory_map map;
    memory_map_from_regions(&map, regions, sizeof regions / sizeof regions[0]);
    CHECK(MAP_IS(&map, {0x100000, 0x200000}));
}

static void counts_what_is_out_of_reach(void) {
    const struct boot_memory_region regions[] = {
        {0x100000, 0x100000, RAM, 1},
        {MEMORY_END - PAGE, 3 * PAGE, RAM, 1},
        {MEMORY_END + (1ull << 30), PAGE, RAM, 1},
        {MEMORY_END + (1ull << 31), PAGE, RESERVED, 1},
    };
    CHECK(memory_map_out_of_reach(regions, sizeof regions / sizeof regions[0]) == 3 * PAGE);
}

/* The most entries there can be, each of which splits a range. */
static void has_room_for_the_worst_case(void) {
    struct boot_memory_region regions[BOOT_INFO_MAX_REGIONS];
    regions[0] = (struct boot_memory_region){0, 1ull << 30, RAM, 1};
    for (size_t i = 1; i < BOOT_INFO_MAX_REGIONS; i++)
        regions[i] = (struct boot_memory_region){2 * i * PAGE, 1, RESERVED, 1};
    struct memory_map map;
    memory_map_from_regions(&map, regions, BOOT_INFO_MAX_REGIONS);
    CHECK(map.count == BOOT_INFO_MAX_REGIONS);
    CHECK(memory_map_total(&map) == (1ull << 30) - (BOOT_INFO_MAX_REGIONS - 1) * PAGE);
    memory_map_exclude(&map, PAGE / 2, PAGE / 2 + 1);
    memory_map_exclude(&map, 1ull << 29, (1ull << 29) + PAGE);
    CHECK(map.count == BOOT_INFO_MAX_REGIONS + 1);
}

static void excludes_over_several_ranges(void) {
    struct memory_map map = {3, {{0x1000, 0x3000}, {0x4000, 0x6000}, {0x8000, 0xA000}}};
    memory_map_exclude(&map, 0x2001, 0x8FFF);
    CHECK(MAP_IS(&map, {0x1000, 0x2000}, {0x9000, 0xA000}));
    memory_map_exclude(&map, 0x9000, 0x9000); /* nothing */
    CHECK(map.count == 2);
    memory_map_exclude(&map, 0, UINT64_MAX - PAGE);
    CHECK(map.count == 0 && memory_map_total(&map) == 0);
}

int main(void) {
    orders_a_real_map();
    melts_overlapping_and_touching_ram();
    reserved_wins_over_ram();
    drops_what_is_no_whole_page();
    survives_lengths_beyond_the_address_space();
    counts_what_is_out_of_reach();
    has_room_for_the_worst_case();
    excludes_over_several_ranges();
    return 0;
}
