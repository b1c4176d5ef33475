// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/disk_error.c
// sources: kernel_lib/storage/fat/fat_mount.c kernel_lib/storage/fat/fat_table.c
// sources: kernel_lib/storage/fat/fat_name.c kernel_lib/storage/fat/fat_cache.c
// sources: kernel_lib/storage/fat/fat_directory.c kernel_lib/storage/fat/fat_read.c
// sources: kernel_lib/storage/fat/fat_space.c kernel_lib/storage/fat/fat_write.c
// sources: kernel_lib/storage/files.c kernel_lib/storage/generations.c kernel_lib/crc32.c
// sources: kernel_lib/storage/boot_slots.c kernel_lib/life/snapshots.c
// sources: kernel_lib/life/snapshots_old.c kernel_lib/life/snapshots_choice.c
// sources: kernel_lib/life/snapshot_index.c
// sources: tests/host/ram_disk.c tests/host/fat_image.c tests/host/console.c
// sources: kernel_lib/io/format.c
// link: -Wl,--defsym=disk_start=0 -Wl,--defsym=disk_choose_kernel=0
/* Lives of disks of chance: kernels write snapshots, delete old ones, are chosen by a setting, do
 * not come up, lack a function; and the power is cut in the middle. */
#include "snapshot_machine.h"

#define LIVES 12 /* with a flush, and without */
#define BOOTS 25
#define MOST_SECTORS 1200 /* that a boot writes before the power goes */
#define MOST_KERNELS 250

static void live_boot(void) {
    struct error error;
    if (!comes_up(running))
        end_boot();
    snapshots_report_success();
    for (uint32_t more = chance_below(&chance, 4); more > 0 && shared->kernels < MOST_KERNELS;
         more--)
        if (!add_kernel(&error) && !disk.is_off)
            CHECK(strstr(error.text, "The disk is full"));
    if (chance_below(&chance, 6) == 0)
        boot_slots_fall_back(&error);
    end_boot();
}

static const char *const settings[] = {NULL, NULL, NULL, "full", "trimmed", "native", "0003", "x"};

static unsigned long deleted, cut_boots, others;

/* A life of boots, most of which end by a power cut. */
static void live(uint32_t seed) {
    make_disk();
    chance = seed;
    for (int i = 0; i < BOOTS; i++) {
        long sectors = chance_below(&chance, 4) ? (long)chance_below(&chance, MOST_SECTORS) : -1;
        const char *name = settings[chance_below(&chance, sizeof settings / sizeof *settings)];
        unsigned self = boot(sectors, name, live_boot);
        others += self > 1;
        CHECK(kernel_at(booted_folder, booted_name) == self); /* it is still there */
        cut_boots += !shared->has_ended;
        deleted += strstr(shared->console, "is deleted") != NULL;
        check_disk();
    }
    free_disk();
}

int main(void) {
    start();
    for (uint32_t seed = 0; seed < 2 * LIVES; seed++) {
        can_flush = seed % 2;
        live(seed);
    }
    CHECK(deleted > LIVES && cut_boots > 5 * LIVES && others > 5 * LIVES);
    puts("snapshot lives: passed");
}
