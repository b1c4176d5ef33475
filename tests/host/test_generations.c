// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/disk_error.c
// sources: kernel_lib/storage/fat/fat_mount.c
// sources: kernel_lib/storage/fat/fat_table.c kernel_lib/storage/fat/fat_name.c
// sources: kernel_lib/storage/fat/fat_cache.c
// sources: kernel_lib/storage/fat/fat_directory.c kernel_lib/storage/fat/fat_read.c
// sources: kernel_lib/storage/fat/fat_space.c kernel_lib/storage/fat/fat_write.c
// sources: kernel_lib/storage/files.c kernel_lib/storage/generations.c kernel_lib/crc32.c
// sources: tests/host/ram_disk.c tests/host/fat_image.c
// sources: kernel_lib/io/format.c
// link: -Wl,--defsym=disk_start=0 -Wl,--defsym=disk_choose_kernel=0
/*
 * Files in two generations on a disk that loses its power, again and again, in the middle of
 * writing: with a flush that works, and without one, where any of the sectors written since power
 * came on may be lost, also those of boots before a restart.
 */
#include "chance.h"
#include "check.h"
#include "fat_image.h"
#include "kernel_lib/generations.h"
#include "kernel_lib/platform/bare/power_session.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/files.h"
#include "ram_disk.h"
#include <string.h>

#define CLUSTERS 4085
#define SEEDS 60
#define BOOTS 12
#define WRITES 6
#define MAX_SIZE 40000
#define USER_SIZE 20000

/* ---- Power ---- */

static uint64_t session;
static bool session_is_old;

uint64_t power_session(void) {
    return session;
}

bool power_session_is_old(void) {
    return session_is_old;
}

/* ---- Chance ---- */

static uint32_t chance;

static bool survives(void *context, unsigned long n) {
    (void)context, (void)n;
    return chance_below(&chance, 2);
}

/* ---- The files ---- */

static const char *const paths[] = {"/profile/JIT.PRF", "/profile/JIT.OBJ", "/profile/MISSES.TXT"};
#define PATHS (sizeof paths / sizeof *paths)

/* The versions of each: the highest one written, the one to be read while power stays on, and the
 * one that the medium is known to have. */
static unsigned written[PATHS], current[PATHS], durable[PATHS];

static uint8_t contents[MAX_SIZE], user[USER_SIZE];

/* Makes the contents of a version, and returns their size: files grow for a while and shrink. */
static size_t make(size_t path, unsigned version) {
    size_t size = 4 + (version * 7919u + path * 104729u) % (version % 16 * 2000u + 500u);
    for (size_t i = 0; i < size; i++)
        contents[i] = (uint8_t)(version * 31 + path * 7 + i + i / 512);
    memcpy(contents, &version, sizeof version);
    return size;
}

/* The version that is read: 0 when there is none. It must be whole. */
static unsigned read_version(size_t path) {
    size_t size;
    struct error error;
    unsigned version;
    uint8_t *bytes = generation_read(paths[path], MAX_SIZE, &size, &error);
    if (!bytes)
        return 0;
    CHECK(size >= sizeof version);
    memcpy(&version, bytes, sizeof version);
    CHECK(version <= written[path] + 1 && size == make(path, version));
    CHECK(memcmp(bytes, contents, size) == 0);
    free(bytes);
    return version;
}

static void mount(struct ram_disk *disk) {
    struct error error;
    generations_forget();
    CHECK(files_mount(&disk->device, 0, disk->device.sector_count, &error));
}

static void check_others(const struct fat_image *image) {
    CHECK(image_holds(image, 0, "USER    BIN", user, USER_SIZE));
    unsigned boot = image_entry(image, 0, "BOOT       ")[26];
    CHECK(image_holds(image, boot, "BAREFLOWKRN", user, USER_SIZE));
}

/* Writes at random until the power goes, or a number of times. */
static void write_some(struct ram_disk *disk) {
    struct error error = {""};
    for (unsigned n = 0; n < WRITES && !disk->is_off; n++) {
        size_t path = chance_below(&chance, PATHS + 1);
        if (path == PATHS) { /* an output file outside of /profile */
            size_t size = chance_below(&chance, 9000);
            if (!file_replace("/IDS.TXT", user, size, &error))
                CHECK(disk->is_off || strstr(error.text, "disk is full"));
            continue;
        }
        size_t size = make(path, written[path] + 1);
        if (generation_write(paths[path], contents, size, &error)) {
            current[path] = ++written[path];
            if (disk->device.can_flush)
                durable[path] = written[path];
        } else {
            if (!disk->is_off)
                fprintf(stderr, "%s\n", error.text);
            CHECK(disk->is_off);
        }
    }
}

static void begin(struct fat_image *image) {
    image_format(image, 16, CLUSTERS, 2);
    image_add(image, 0, "USER    BIN", NULL, 0x20, user, USER_SIZE, 2, 1);
    unsigned boot = image_add(image, 0, "BOOT       ", NULL, 0x10, NULL, 0, 2, 0);
    image_add(image, boot, "BAREFLOWKRN", NULL, 0x20, user, USER_SIZE, 2, 0);
    image_add(image, 0, "PROFILE    ", NULL, 0x10, NULL, 0, 2, 0);
    memset(written, 0, sizeof written);
    memset(durable, 0, sizeof durable);
}

/* One disk through many boots. */
static void live(bool can_flush, uint32_t seed) {
    struct fat_image image;
    struct ram_disk disk;
    unsigned kept = 0;
    begin(&image);
    ram_disk_init(&disk, image.bytes, image.size);
    disk.device.can_flush = can_flush;
    chance = seed;
    bool restarted = false;
    for (int boot = 0; boot < BOOTS; boot++) {
        bool cut = chance_below(&chance, 3) > 0;
        if (!restarted) {
            session++;
            session_is_old = false;
            ram_disk_cut_after(&disk, -1); /* all of it is on the medium */
        } else {
            session_is_old = true;
        }
        if (cut)
            disk.writes_left = chance_below(&chance, 300);
        mount(&disk);
        for (size_t i = 0; i < PATHS; i++) {
            unsigned version = read_version(i);
            CHECK(version >= durable[i]);
            if (restarted)
                CHECK(version == current[i]);
            else
                durable[i] = version;
            current[i] = version;
            written[i] = version > written[i] ? version : written[i];
            kept += version > 0;
        }
        write_some(&disk);
        restarted = !disk.is_off && chance_below(&chance, 3) == 0;
        if (restarted)
            continue;
        if (disk.is_off || cut)
            ram_disk_power_on(&disk, survives, NULL);
        else
            memset(disk.is_pending, 0, disk.device.sector_count); /* shut down in order */
        disk.is_off = false;
        disk.writes_left = -1;
        check_others(&image);
    }
    /* Whatever has happened, it goes on: every file can be written, and the tree is whole. */
    disk.writes_left = -1;
    session++;
    session_is_old = false;
    for (size_t i = 0; i < PATHS; i++) {
        struct error error;
        mount(&disk);
        CHECK(read_version(i) >= durable[i]);
        size_t size = make(i, written[i] + 1);
        CHECK(generation_write(paths[i], contents, size, &error));
        CHECK(read_version(i) == written[i] + 1);
    }
    CHECK(image_check(&image, true) == NULL);
    check_others(&image);
    CHECK(kept > 0);
    files_unmount(&(struct error){"The test is over."});
    generations_forget();
    ram_disk_free(&disk);
    image_free(&image);
}

/* ---- Particular cases ---- */

static struct ram_disk disk;
static struct fat_image image;

static void start(bool can_flush) {
    begin(&image);
    ram_disk_init(&disk, image.bytes, image.size);
    disk.device.can_flush = can_flush;
    session++;
    session_is_old = false;
    mount(&disk);
}

static void end(void) {
    files_unmount(&(struct error){"The test is over."});
    generations_forget();
    image_free(&image);
}

static void write_text(const char *text) {
    struct error error;
    CHECK(generation_write(paths[0], text, strlen(text), &error));
}

static bool reads_text(const char *text) {
    size_t size = 0;
    struct error error = {""};
    uint8_t *bytes = generation_read(paths[0], 100, &size, &error);
    bool equal = bytes && size == strlen(text) && memcmp(bytes, text, size) == 0;
    free(bytes);
    return equal;
}

static uint8_t *file_entry(const char *name) {
    return image_entry(&image, image_entry(&image, 0, "PROFILE    ")[26], name);
}

static uint8_t *file_bytes(const char *name) {
    unsigned cluster = file_entry(name)[26] | (unsigned)file_entry(name)[27] << 8;
    return image.bytes + image.data + (size_t)(cluster - 2) * image.cluster_sectors * 512;
}

/* Both files take turns with flush; without, only one is written until the next boot. */
static void test_turns(void) {
    start(true);
    write_text("one");
    write_text("two");
    CHECK(memcmp(file_bytes("JIT     PRF"), "one", 3) == 0);
    CHECK(memcmp(file_bytes("JIT     PR~"), "two", 3) == 0);
    end();
    start(false);
    write_text("one");
    write_text("two");
    CHECK(memcmp(file_bytes("JIT     PRF"), "two", 3) == 0 && !file_entry("JIT     PR~"));
    session++; /* power was off */
    mount(&disk);
    CHECK(reads_text("two"));
    write_text("three");
    write_text("four");
    CHECK(memcmp(file_bytes("JIT     PRF"), "two", 3) == 0);
    session_is_old = true; /* a restart */
    mount(&disk);
    CHECK(reads_text("four"));
    write_text("five");
    CHECK(memcmp(file_bytes("JIT     PRF"), "two", 3) == 0);
    CHECK(memcmp(file_bytes("JIT     PR~"), "five", 4) == 0);
    end();
}

/* In place: neither the FAT nor a directory is written. */
static void test_in_place(void) {
    start(false);
    write_text("one");
    uint8_t *before = malloc(image.size);
    CHECK(before);
    memcpy(before, image.bytes, image.size);
    write_text("another one");
    CHECK(memcmp(before, image.bytes, image.data) == 0);
    CHECK(reads_text("another one"));
    free(before);
    end();
}

/* A damaged newest generation gives way to the one before; a file put there by hand is read. */
static void test_damage(void) {
    start(true);
    write_text("one");
    write_text("two");
    file_bytes("JIT     PR~")[0] ^= 1;
    mount(&disk);
    CHECK(reads_text("one"));
    write_text("three"); /* in place of the damaged one */
    mount(&disk);
    CHECK(reads_text("three"));
    file_entry("JIT     PR~")[0] = 0xE5;
    file_entry("JIT     PRF")[22] = 0; /* another time of writing */
    file_entry("JIT     PRF")[28] = 3; /* as long as its contents: no footer */
    file_entry("JIT     PRF")[29] = 0;
    image_set(&image, file_entry("JIT     PRF")[26], 0xFFFF);
    mount(&disk);
    CHECK(reads_text("one"));
    end();
}

/* A disk that fails is not asked again, until it is to be. */
static void test_failing_disk(void) {
    struct error error;
    start(true);
    write_text("one");
    CHECK(!file_replace("/none/x", "x", 1, &error) && !files_stopped()); /* not the disk's fault */
    disk.is_off = true;
    CHECK(!generation_write(paths[0], "two", 3, &error) && files_stopped());
    unsigned long commands = disk.commands;
    CHECK(!generation_write(paths[0], "two", 3, &error) && !file_replace("/x", "x", 1, &error));
    CHECK(disk.commands == commands);
    disk.is_off = false;
    CHECK(!generation_write(paths[0], "two", 3, &error));
    files_resume();
    CHECK(!files_stopped());
    write_text("two");
    CHECK(reads_text("two"));
    end();
}

int main(void) {
    for (size_t i = 0; i < USER_SIZE; i++)
        user[i] = (uint8_t)(i * 13 + i / 512);
    test_turns();
    test_in_place();
    test_damage();
    test_failing_disk();
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        live(true, seed);
        live(false, seed);
    }
    puts("generations: passed");
}
