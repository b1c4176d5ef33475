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
/* Kernels on a disk, boot after boot: they write snapshots, delete old ones, are chosen by a
 * setting, and do not come up. */
#include "snapshot_machine.h"

static void add_one(void) {
    struct error error;
    snapshots_report_success();
    if (!add_kernel(&error))
        console_puts(error.text);
}

static void only_report(void) {
    snapshots_report_success();
}

static bool said(const char *text) {
    if (!strstr(shared->console, text))
        fprintf(stderr, "not said: %s\nbut:\n%s\n", text, shared->console);
    return strstr(shared->console, text);
}

/* The file NNNN.KRN of the snapshots, as a number of a kernel. */
static unsigned snapshot(unsigned number) {
    char name[12];
    snprintf(name, sizeof name, "%04u    KRN", number);
    return kernel_at("snapshots", name);
}

/* Each boot writes one; all come up. Old ones go, and never what the next boots may need. */
static void test_oldest_goes_first(void) {
    make_disk();
    unsigned last = 0, gone = 0;
    for (int i = 0; i < 40; i++) {
        if (!comes_up(shared->kernels + 1))
            shared->kernels++;
        unsigned self = boot(-1, NULL, add_one);
        CHECK(self == shared->kernels || i == 0 || last == 0 || self == last);
        check_disk();
        last = shared->kernels;
        CHECK(snapshot((unsigned)i + 1) == last);
        for (unsigned number = 1; number <= gone; number++)
            CHECK(snapshot(number) == 0);
        while (gone < (unsigned)i && snapshot(gone + 1) == 0)
            gone++;
        for (unsigned number = gone + 1; number <= (unsigned)i; number++)
            CHECK(snapshot(number) > 0); /* the rest is all there */
    }
    CHECK(gone > 30);
    free_disk();
}

static void test_choice(void) {
    make_disk();
    boot(-1, NULL, add_one); /* 0001.KRN */
    CHECK(boot(-1, NULL, add_one) == 2);
    CHECK(boot(-1, "full", only_report) == 3 && said("boot = full: /boot/BAREFLOW.KRN boots."));
    for (int i = 0; i < 3; i++) /* once there, it stays */
        CHECK(boot(-1, "full", only_report) == 1 && shared->console[0] == '\0');
    CHECK(boot(-1, "0001", only_report) == 1);
    CHECK(boot(-1, "1", only_report) == 2 && shared->console[0] == '\0');
    CHECK(boot(-1, "0007", only_report) == 2);
    CHECK(said("warning: boot = 0007 is not possible: it is not there; there are full, 0001 ("));
    CHECK(boot(-1, "fool", only_report) == 2);
    CHECK(said("warning: boot = fool is not possible: there is no such kernel; there are full, 0"));
    free_disk();
}

/* A kernel that does not come up is chosen: it has three boots, and then the other one stays. */
static void test_choice_that_fails(void) {
    make_disk();
    boot(-1, NULL, add_one); /* 2, which is good */
    CHECK(boot(-1, NULL, add_one) == 2);
    CHECK(boot(-1, NULL, add_one) == 3);
    CHECK(!comes_up(4) && shared->kernels == 4);
    CHECK(boot(-1, "0001", end_boot) == 4);
    CHECK(boot(-1, "0003", only_report) == 2);
    for (int i = 0; i < 3; i++)
        CHECK(boot(-1, "0003", end_boot) == 4);
    CHECK(boot(-1, "0003", only_report) == 2);
    CHECK(said("warning: boot = 0003 is not possible: it did not come up; there are full, 0001"));
    CHECK(said("/boot/snapshots/0003.KRN did not come up; /boot/snapshots/0001.KRN is the kernel"));
    for (int i = 0; i < 3; i++)
        CHECK(boot(-1, "0003", only_report) == 2 && said("it did not work before"));
    free_disk();
}

/* The kernel file on the disk is replaced by another build: that one boots. */
static void test_another_root(void) {
    make_disk();
    boot(-1, NULL, add_one);
    CHECK(boot(-1, NULL, add_one) == 2);
    CHECK(boot(-1, NULL, only_report) == 3);
    unsigned folder = image_entry_cluster(&image, image_entry(&image, 0, "BOOT       "));
    unsigned at = image_entry_cluster(&image, image_entry(&image, folder, "BAREFLOWKRN"));
    uint8_t *kernel = image.bytes + image.data + (at - 2) * SECTOR;
    kernel[offsetof(struct kernel_header, build_id) + 5] ^= 1;
    boot(-1, "0001", only_report); /* chosen by hand: whatever it goes back to */
    CHECK(said("boot = 0001: /boot/snapshots/0001.KRN boots."));
    CHECK(boot(-1, "0001", only_report) == 2 && shared->console[0] == '\0');
    boot(-1, NULL, only_report);
    CHECK(said("0001.KRN was written for another /boot/BAREFLOW.KRN: /boot/BAREFLOW.KRN boots"));
    free_disk();
}

int main(void) {
    start();
    test_choice();
    test_choice_that_fails();
    test_another_root();
    test_oldest_goes_first();
    puts("snapshots: passed");
}
