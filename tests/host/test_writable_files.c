// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/disk_error.c
// sources: kernel_lib/storage/fat/fat_mount.c
// sources: kernel_lib/storage/fat/fat_table.c kernel_lib/storage/fat/fat_name.c
// sources: kernel_lib/storage/fat/fat_cache.c
// sources: kernel_lib/storage/fat/fat_directory.c kernel_lib/storage/fat/fat_read.c
// sources: kernel_lib/storage/fat/fat_space.c kernel_lib/storage/fat/fat_write.c
// sources: kernel_lib/storage/fat/fat_writable.c
// sources: kernel_lib/storage/files.c kernel_lib/storage/writable_files.c
// sources: tests/host/ram_disk.c tests/host/fat_image.c
// sources: kernel_lib/io/format.c
// link: -Wl,--defsym=disk_start=0 -Wl,--defsym=disk_choose_kernel=0
/*
 * A file that is changed in place, next to a model of it in memory, on a disk that loses its power
 * again and again: what a cut leaves is the size of the last flush, and in each sector something
 * that the model had there since.
 */
#include "chance.h"
#include "check.h"
#include "fat_image.h"
#include "kernel_lib/platform/bare/power_session.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/files.h"
#include "ram_disk.h"
#include <string.h>

#define CLUSTERS 4085
#define SEEDS 80
#define BOOTS 8
#define SECTOR 512
#define MAX_SECTORS 400 /* more than the window's */
#define MAX_SIZE (MAX_SECTORS * SECTOR)
#define MAX_STATES 64 /* of a sector, between two flushes */
#define USER_SIZE 20000
#define PATH "/DATA.DB"

uint64_t power_session(void) {
    return 1;
}

bool power_session_is_old(void) {
    return false;
}

static uint32_t chance;

static bool survives(void *context, unsigned long n) {
    (void)context, (void)n;
    return chance_below(&chance, 2);
}

static uint8_t user[USER_SIZE];
static uint8_t random_bytes[2 * MAX_SIZE];

/* The file as the program sees it, and at the last flush; how long it was then, and will be at the
 * next; and what each sector has been in between. */
static uint8_t now[MAX_SIZE], durable[MAX_SIZE];
static size_t size, durable_size, next_size;
static uint8_t states[MAX_SECTORS][MAX_STATES][SECTOR];
static unsigned state_counts[MAX_SECTORS];

static void note_states(size_t offset, size_t count) {
    for (size_t i = offset / SECTOR; i * SECTOR < offset + count; i++) {
        CHECK(state_counts[i] < MAX_STATES);
        memcpy(states[i][state_counts[i]++], now + i * SECTOR, SECTOR);
    }
}

static void note_flush(void) {
    durable_size = next_size = size;
    for (size_t i = 0; i < MAX_SECTORS; i++)
        if (state_counts[i]) {
            memcpy(durable + i * SECTOR, now + i * SECTOR, SECTOR);
            state_counts[i] = 0;
        }
}

/* Takes what is in `now` for the file's contents, whatever they were. */
static void begin_again(void) {
    memset(state_counts, 0, sizeof state_counts);
    memcpy(durable, now, sizeof durable);
    durable_size = next_size = size;
}

static bool sector_was(size_t sector, const uint8_t *bytes, size_t count) {
    for (unsigned i = 0; i < state_counts[sector]; i++)
        if (memcmp(states[sector][i], bytes, count) == 0)
            return true;
    return memcmp(durable + sector * SECTOR, bytes, count) == 0;
}

static void mount(struct ram_disk *disk) {
    struct error error;
    CHECK(files_mount(&disk->device, 0, disk->device.sector_count, &error));
}

static void check_others(const struct fat_image *image) {
    CHECK(image_holds(image, 0, "USER    BIN", user, USER_SIZE));
    CHECK(image_holds(image, 0, "MORE    BIN", user, USER_SIZE));
}

/* Takes what is on the disk for the file's contents, after it is found to be possible. */
static void adopt(struct file *file) {
    static uint8_t found[MAX_SIZE];
    struct error error;
    size_t length = (size_t)file_size(file);
    CHECK(length == durable_size || length == next_size);
    CHECK(file_read(file, 0, found, length, &error));
    for (size_t at = 0; at < length; at += SECTOR)
        CHECK(sector_was(at / SECTOR, found + at, length - at < SECTOR ? length - at : SECTOR));
    memset(now, 0, sizeof now);
    memcpy(now, found, length);
    size = length;
    begin_again();
}

static bool write_some(struct file *file, struct error *error) {
    const uint8_t *bytes = random_bytes + chance_below(&chance, MAX_SIZE);
    size_t offset = chance_below(&chance, 4) ? chance_below(&chance, (uint32_t)size + 1)
                                             : size + chance_below(&chance, 3000);
    size_t count =
        chance_below(&chance, 8) ? chance_below(&chance, 6000) : chance_below(&chance, MAX_SIZE);
    if (offset + count > MAX_SIZE)
        return true;
    memcpy(now + offset, bytes, count);
    size_t begin = count > 0 && offset > size ? size : offset;
    if (count > 0 && offset + count > size)
        size = offset + count;
    note_states(begin, offset + count - begin);
    return file_write(file, offset, bytes, count, error);
}

static bool truncate_some(struct file *file, struct error *error) {
    size = chance_below(&chance, 4) ? chance_below(&chance, (uint32_t)size + 1) : 0;
    next_size = size;
    memset(now + size, 0, MAX_SIZE - size);
    note_states(size, MAX_SIZE - size);
    if (!file_truncate(file, size, error))
        return false;
    note_flush();
    return true;
}

static bool flush(struct file *file, struct error *error) {
    next_size = size;
    if (!file_flush(file, error))
        return false;
    note_flush();
    return true;
}

static bool read_some(struct file *file, struct error *error) {
    static uint8_t found[MAX_SIZE];
    size_t offset = chance_below(&chance, (uint32_t)size + 1);
    size_t count = chance_below(&chance, (uint32_t)(size - offset) + 1);
    CHECK(file_size(file) == size);
    if (!file_read(file, offset, found, count, error))
        return false;
    CHECK(memcmp(found, now + offset, count) == 0);
    return true;
}

static bool change(struct file *file, struct error *error) {
    switch (chance_below(&chance, 8)) {
    case 0:
        return truncate_some(file, error);
    case 1:
        return flush(file, error);
    case 2:
    case 3:
        return read_some(file, error);
    case 4:
        return file_replace("/OTHER.BIN", user, chance_below(&chance, 9000), error);
    default:
        return write_some(file, error);
    }
}

/* One disk through many boots. Without flush a cut may leave anything of the file, but the file can
 * be written again, and the others are whole. */
static void live(struct ram_disk *disk, struct fat_image *image, bool can_flush) {
    struct error error;
    for (unsigned boot = 0; boot < BOOTS; boot++) {
        mount(disk);
        struct file *file = file_open_writable(PATH, &error);
        CHECK(file);
        if (can_flush) {
            CHECK(image_check(image, false) == NULL);
            adopt(file);
        } else {
            size = (size_t)file_size(file);
            CHECK(file_read(file, 0, now, size, &error));
            memset(now + size, 0, MAX_SIZE - size);
            begin_again();
        }
        check_others(image);
        ram_disk_cut_after(disk, (long)chance_below(&chance, 2000));
        for (unsigned n = 0; n < MAX_STATES - 4 && !disk->is_off; n++)
            if (!change(file, &error)) {
                CHECK(disk->is_off || strstr(error.text, "disk is full"));
                break;
            }
        next_size = size; /* to be closed means to be flushed */
        file_close(file);
        if (!disk->is_off)
            note_flush();
        ram_disk_power_on(disk, survives, NULL);
        check_others(image);
    }
}

static void test_power_cuts(bool can_flush, unsigned bits) {
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct fat_image image;
        struct ram_disk disk;
        chance = seed;
        image_format(&image, bits, CLUSTERS, 1 + seed % 2);
        image_add(&image, 0, "USER    BIN", NULL, 0x20, user, USER_SIZE, 2, 1);
        size = seed % 3 * 1000;
        memset(now + size, 0, MAX_SIZE - size);
        image_add(&image, 0, "DATA    DB ", NULL, 0x20, now, size, 30, seed % 2);
        image_add(&image, 0, "MORE    BIN", NULL, 0x20, user, USER_SIZE, 40, 2);
        begin_again();
        ram_disk_init(&disk, image.bytes, image.size);
        disk.device.can_flush = can_flush;
        live(&disk, &image, can_flush);
        const struct error gone = {"The test has ended."};
        files_unmount(&gone);
        ram_disk_free(&disk);
        image_free(&image);
    }
}

static void test_refusals(void) {
    struct fat_image image;
    struct ram_disk disk;
    struct error error;
    image_format(&image, 16, CLUSTERS, 1);
    image_add(&image, 0, "USER    BIN", NULL, 0x21, user, USER_SIZE, 2, 1);
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&disk);
    CHECK(!file_open_writable("/USER.BIN", &error) && strstr(error.text, "read-only"));
    CHECK(!file_open_writable("/none/X.BIN", &error) && strstr(error.text, "does not exist"));
    struct file *file = file_open("/USER.BIN", &error);
    CHECK(file && !file_write(file, 0, "x", 1, &error) && !file_truncate(file, 0, &error));
    file_close(file);
    file = file_open_writable("/NEW.BIN", &error);
    CHECK(file && file_size(file) == 0 && !file_truncate(file, 1, &error));
    CHECK(!file_write(file, UINT32_MAX, "xy", 2, &error) && strstr(error.text, "4 GiB"));
    /* More than there is room for: what was written before stays. */
    size_t written = 0;
    while (file_write(file, written, user, sizeof user, &error))
        written += sizeof user;
    CHECK(strstr(error.text, "full"));
    file_close(file);
    /* A disk that has failed in between. */
    file = file_open_writable("/NEW.BIN", &error);
    ram_disk_cut_after(&disk, 0);
    CHECK(file && file_write(file, 0, "x", 1, &error) && !file_flush(file, &error));
    ram_disk_power_on(&disk, survives, NULL);
    files_resume();
    CHECK(!file_flush(file, &error) && strstr(error.text, "has failed since"));
    file_close(file);
    ram_disk_free(&disk);
    image_free(&image);
}

int main(void) {
    for (size_t i = 0; i < USER_SIZE; i++)
        user[i] = (uint8_t)(i * 7 + i / 512);
    for (size_t i = 0; i < sizeof random_bytes; i++)
        random_bytes[i] = (uint8_t)(chance_next(&chance) >> 24);
    for (unsigned bits = 16; bits <= 32; bits += 16) {
        test_power_cuts(true, bits);
        test_power_cuts(false, bits);
    }
    test_refusals();
    puts("writable_files: passed");
}
