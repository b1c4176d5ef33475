// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/fat16/fat16_mount.c
// sources: kernel_lib/storage/fat16/fat16_table.c kernel_lib/storage/fat16/fat16_name.c
// sources: kernel_lib/storage/fat16/fat16_directory.c kernel_lib/storage/fat16/fat16_read.c
// sources: kernel_lib/storage/fat16/fat16_space.c kernel_lib/storage/fat16/fat16_write.c
// sources: tests/host/ram_disk.c tests/host/fat16_image.c
/* FAT16: replacing files, with the power cut at every sector written; full and damaged disks. */
#include "check.h"
#include "fat16_image.h"
#include "kernel_lib/storage/fat16/fat16.h"
#include "ram_disk.h"
#include <string.h>

#define CLUSTERS 4085 /* the smallest FAT16 */
#define CLUSTER_SIZE 512
#define DATA_SIZE 20000

static uint8_t old_data[DATA_SIZE], new_data[DATA_SIZE];

/* NOTES.TXT (old_data), KEEP.BIN (new_data) and DIR/, which holds 14 entries besides "." and "..":
 * its cluster is full; DIR/READ.ME is read-only. */
static unsigned make_image(struct fat16_image *image, size_t old_size, unsigned gap) {
    image_format(image, CLUSTERS, 1);
    image_add(image, 0, "NOTES   TXT", "my Notes.text", 0x20, old_data, old_size, 2, gap);
    image_add(image, 0, "KEEP    BIN", NULL, 0x20, new_data, DATA_SIZE, 60, 1);
    unsigned directory = image_add(image, 0, "DIR        ", NULL, 0x10, NULL, 0, 2, 0);
    for (int i = 0; i < 13; i++) {
        char name[] = "FILE-A     ";
        name[5] = (char)('A' + i);
        image_add(image, directory, name, NULL, 0x20, name, 11, 2, 0);
    }
    image_add(image, directory, "READ    ME ", NULL, 0x21, "x", 1, 2, 0);
    CHECK(image_check(image, false) == NULL);
    return directory;
}

static void mount(struct fat16 *fs, struct ram_disk *disk) {
    struct error error = {""};
    if (!fat16_mount(fs, &disk->device, 0, disk->device.sector_count, &error))
        fprintf(stderr, "%s\n", error.text);
    CHECK(error.text[0] == '\0');
}

static bool reads_as(struct fat16 *fs, const char *path, const void *bytes, size_t size) {
    struct error error;
    struct fat16_file file;
    static uint8_t buffer[DATA_SIZE];
    if (!fat16_open(fs, path, &file, &error))
        return false;
    bool equal = file.size == size && fat16_read(fs, &file, 0, buffer, size, &error) &&
                 memcmp(buffer, bytes, size) == 0;
    fat16_close(&file);
    return equal;
}

/* One replacement to test: of an existing file by both of its names, or of a new one. */
struct replacement {
    const char *path;
    unsigned in_directory;     /* 1: in DIR */
    const char *name;          /* as it stands on disk */
    size_t old_size, new_size; /* of NOTES.TXT, of the file written */
    unsigned gap;              /* free clusters between those of NOTES.TXT */
    bool is_new;
};

static const struct replacement replacements[] = {
    {"/notes.txt", 0, "NOTES   TXT", 3000, 9000, 0, false},
    {"/My Notes.TEXT", 0, "NOTES   TXT", 9000, 700, 1, false},
    {"/NOTES.TXT", 0, "NOTES   TXT", 5120, 5120, 3, false},
    {"/notes.txt", 0, "NOTES   TXT", 3000, 900, 299, false}, /* many sectors of the FAT */
    {"/notes.txt", 0, "NOTES   TXT", 5000, 0, 0, false},
    {"/notes.txt", 0, "NOTES   TXT", 0, 5000, 0, false},
    {"/new.txt", 0, "NEW     TXT", 3000, 9000, 2, true},
    {"/dir/file-c", 1, "FILE-C     ", 3000, 1025, 0, false},
    {"/dir/result.f32", 1, "RESULT  F32", 3000, 9000, 0, true}, /* the directory must grow */
    {"/dir/empty", 1, "EMPTY      ", 3000, 0, 0, true},
};
#define REPLACEMENTS (sizeof replacements / sizeof *replacements)

static void test_replacing(void) {
    for (size_t i = 0; i < REPLACEMENTS; i++) {
        const struct replacement *r = &replacements[i];
        struct fat16_image image;
        struct ram_disk disk;
        struct fat16 fs;
        struct error error;
        unsigned directory = make_image(&image, r->old_size, r->gap);
        ram_disk_init(&disk, image.bytes, image.size);
        mount(&fs, &disk);
        /* Twice with other contents in between: the map of clusters stays right. */
        CHECK(fat16_replace(&fs, r->path, new_data, r->new_size, &error));
        CHECK(fat16_replace(&fs, r->path, old_data, 777, &error));
        CHECK(fat16_replace(&fs, r->path, new_data, r->new_size, &error));
        CHECK(image_check(&image, false) == NULL);
        CHECK(image_holds(&image, r->in_directory ? directory : 0, r->name, new_data, r->new_size));
        CHECK(image_holds(&image, 0, "KEEP    BIN", new_data, DATA_SIZE));
        CHECK(reads_as(&fs, r->path, new_data, r->new_size));
        fat16_unmount(&fs);
        image_free(&image);
    }
}

/* ---- The power is cut ---- */

static bool all_survive(void *context, unsigned long n) {
    (void)context, (void)n;
    return true;
}
static bool none_survive(void *context, unsigned long n) {
    (void)context, (void)n;
    return false;
}
static bool some_survive(void *context, unsigned long n) {
    unsigned *state = context;
    *state = *state * 1664525u + 1013904223u + (unsigned)n;
    return *state >> 31;
}

/* Cuts the power after `sectors` written sectors; false when the replacement needs no more. */
static bool cut_once(const struct replacement *r, long sectors,
                     bool (*survives)(void *, unsigned long), unsigned random) {
    struct fat16_image image;
    struct ram_disk disk;
    struct fat16 fs;
    struct error error;
    unsigned directory = make_image(&image, r->old_size, r->gap);
    unsigned parent = r->in_directory ? directory : 0;
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    ram_disk_cut_after(&disk, sectors);
    bool done = fat16_replace(&fs, r->path, new_data, r->new_size, &error);
    CHECK(done == !disk.is_off);
    fat16_unmount(&fs);
    ram_disk_power_on(&disk, survives, &random);

    CHECK(image_check(&image, true) == NULL);
    bool is_new = image_holds(&image, parent, r->name, new_data, r->new_size);
    bool is_old = r->is_new              ? image_entry(&image, parent, r->name) == NULL
                  : r->in_directory == 0 ? image_holds(&image, 0, r->name, old_data, r->old_size)
                                         : image_holds(&image, parent, r->name, r->name, 11);
    CHECK(is_new || is_old);
    CHECK(is_new || !done);

    /* The next replacement puts everything in order: no lost clusters, equal copies of the FAT. */
    mount(&fs, &disk);
    CHECK(fat16_replace(&fs, r->path, old_data, 1234, &error));
    fat16_unmount(&fs);
    CHECK(image_check(&image, false) == NULL);
    CHECK(image_holds(&image, parent, r->name, old_data, 1234));
    CHECK(image_holds(&image, 0, "KEEP    BIN", new_data, DATA_SIZE));
    ram_disk_free(&disk);
    image_free(&image);
    return !done;
}

static void test_power_cuts(void) {
    for (size_t i = 0; i < REPLACEMENTS; i++) {
        long sectors = 0;
        while (cut_once(&replacements[i], sectors, all_survive, 0)) {
            cut_once(&replacements[i], sectors, none_survive, 0);
            for (unsigned random = 0; random < 4; random++)
                cut_once(&replacements[i], sectors, some_survive, random);
            sectors++;
        }
        CHECK(sectors >= 3); /* so there were cuts */
    }
}

/* ---- Refusals: the disk stays as it is ---- */

static void expect_refusal(struct fat16_image *image, const char *path, size_t size,
                           const char *part_of_message) {
    struct ram_disk disk;
    struct fat16 fs;
    struct error error = {""};
    uint8_t *before = malloc(image->size);
    static uint8_t content[CLUSTERS * CLUSTER_SIZE + 1];
    CHECK(before && size <= sizeof content);
    memcpy(before, image->bytes, image->size);
    ram_disk_init(&disk, image->bytes, image->size);
    mount(&fs, &disk);
    CHECK(!fat16_replace(&fs, path, content, size, &error));
    if (!strstr(error.text, part_of_message))
        fprintf(stderr, "%s: \"%s\", wanted \"%s\"\n", path, error.text, part_of_message);
    CHECK(strstr(error.text, part_of_message));
    CHECK(memcmp(before, image->bytes, image->size) == 0);
    fat16_unmount(&fs);
    free(before);
}

static void test_refusals(void) {
    struct fat16_image image;
    make_image(&image, 3000, 0);
    expect_refusal(&image, "/dir", 1, "is a directory and cannot be replaced");
    expect_refusal(&image, "/dir/read.me", 1, "is read-only and cannot be replaced");
    expect_refusal(&image, "/none/x.txt", 1, "directory of /none/x.txt does not exist");
    expect_refusal(&image, "/a long name.txt", 1, "must be of the form 8.3");
    expect_refusal(&image, "/123456789", 1, "must be of the form 8.3");
    expect_refusal(&image, "/a.1234", 1, "must be of the form 8.3");
    expect_refusal(&image, "/a.b.c", 1, "must be of the form 8.3");
    expect_refusal(&image, "/a.", 1, "must be of the form 8.3");
    expect_refusal(&image, "/.a", 1, "must be of the form 8.3");
    expect_refusal(&image, "/a b", 1, "must be of the form 8.3");
    expect_refusal(&image, "/..", 1, "must be of the form 8.3");
    image_free(&image);
}

static void test_full_disk(void) {
    struct fat16_image image;
    struct ram_disk disk;
    struct fat16 fs;
    struct error error;
    make_image(&image, 3000, 1);
    unsigned available = image_free_clusters(&image);
    expect_refusal(&image, "/notes.txt", (size_t)available * CLUSTER_SIZE + 1, "disk is full");
    expect_refusal(&image, "/new.txt", (size_t)available * CLUSTER_SIZE, "disk is full");

    /* To the last cluster it works; then the old file stays whole. */
    static uint8_t filler[CLUSTERS * CLUSTER_SIZE];
    memset(filler, 0x5A, sizeof filler);
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    size_t size = (size_t)available * CLUSTER_SIZE;
    CHECK(fat16_replace(&fs, "/keep.bin", filler, size, &error));
    CHECK(image_check(&image, false) == NULL);
    CHECK(image_holds(&image, 0, "KEEP    BIN", filler, size));
    CHECK(!fat16_replace(&fs, "/keep.bin", filler, size, &error));
    CHECK(image_holds(&image, 0, "KEEP    BIN", filler, size));
    CHECK(image_check(&image, false) == NULL);
    fat16_unmount(&fs);
    image_free(&image);
}

/* The root has 64 entries, of which four are taken (one by a long name). */
static void test_full_root_directory(void) {
    struct fat16_image image;
    struct ram_disk disk;
    struct fat16 fs;
    struct error error;
    char path[] = "/N00";
    make_image(&image, 3000, 0);
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    int made = 0;
    for (; made < 64; made++) {
        path[2] = (char)('0' + made / 10);
        path[3] = (char)('0' + made % 10);
        if (!fat16_replace(&fs, path, path, 4, &error))
            break;
    }
    CHECK(made == 64 - 4);
    CHECK(strstr(error.text, "root directory is full"));
    CHECK(image_check(&image, false) == NULL);
    image_entry(&image, 0, "N30        ")[0] = 0xE5; /* deleted, its cluster lost */
    fat16_unmount(&fs);
    mount(&fs, &disk);
    CHECK(fat16_replace(&fs, "/reused", "again", 5, &error)); /* the entry is used again */
    CHECK(image_check(&image, false) == NULL);
    CHECK(image_holds(&image, 0, "REUSED     ", "again", 5));
    fat16_unmount(&fs);
    image_free(&image);
}

/* Entries behind the end mark may hold anything (fatgen103): a new entry moves the mark on. */
static void test_dirt_behind_the_end_mark(void) {
    for (unsigned used = 4; used < 63; used++) {
        struct fat16_image image;
        struct ram_disk disk;
        struct fat16 fs;
        struct error error;
        image_format(&image, CLUSTERS, 1);
        memset(image.bytes + image.root, 0xE5, (size_t)used * 32);
        memset(image.bytes + image.root + (used + 1) * 32, 'A', (size_t)(64 - used - 1) * 32);
        for (unsigned i = 0; i < used; i++)
            memcpy(image.bytes + image.root + i * 32, "LABEL      \x08", 12);
        ram_disk_init(&disk, image.bytes, image.size);
        mount(&fs, &disk);
        CHECK(fat16_replace(&fs, "/x", "x", 1, &error));
        CHECK(image_holds(&image, 0, "X          ", "x", 1));
        CHECK(image.bytes[image.root + (used + 1) * 32] == 0);
        fat16_unmount(&fs);
        image_free(&image);
    }
}

/* A tree that is damaged anywhere is not written to. */
static void test_damaged_tree_is_not_written(void) {
    struct fat16_image image;
    unsigned directory = make_image(&image, 3000, 0);
    uint8_t *file = image_entry(&image, directory, "FILE-B     ");
    file[26]++; /* now the cluster of FILE-C */
    expect_refusal(&image, "/notes.txt", 10, "shares clusters");
    file[26]--;
    file[29] = 8; /* 2 KiB in one cluster */
    expect_refusal(&image, "/notes.txt", 10, "does not fit its size");
    file[29] = 0;
    file[27] = 0xFF;
    expect_refusal(&image, "/notes.txt", 10, "begins at a cluster that does not exist");
    file[27] = 0;
    image_set(&image, file[26], 0xFFF0);
    expect_refusal(&image, "/notes.txt", 10, "which is no cluster");
    image_set(&image, file[26], file[26]);
    expect_refusal(&image, "/notes.txt", 10, "shares clusters");
    image_set(&image, file[26], 0xFFFF);
    CHECK(image_check(&image, false) == NULL);
    image_free(&image);
}

/* Clusters marked as bad are never used, and lost chains are. */
static void test_bad_and_lost_clusters(void) {
    struct fat16_image image;
    struct ram_disk disk;
    struct fat16 fs;
    struct error error;
    make_image(&image, 3000, 0);
    unsigned available = image_free_clusters(&image);
    for (unsigned i = 0; i < 100; i++) {
        image_set(&image, 200 + 2 * i, 0xFFF7);
        image_set(&image, 500 + i, i == 99 ? 0xFFFF : 501 + i); /* a lost chain */
    }
    available -= 100; /* the bad ones; the lost ones come back */
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    static uint8_t filler[CLUSTERS * CLUSTER_SIZE];
    CHECK(fat16_replace(&fs, "/keep.bin", filler, (size_t)available * CLUSTER_SIZE, &error));
    CHECK(image_check(&image, false) == NULL);
    for (unsigned i = 0; i < 100; i++)
        CHECK(image_get(&image, 200 + 2 * i) == 0xFFF7);
    fat16_unmount(&fs);
    image_free(&image);
}

/* Names that begin with a dot own their clusters; "." and ".." of a directory do not. */
static void test_names_with_dots(void) {
    static const char *const names[] = {".PROFILE   ", ".       TXT", "..A        ",
                                        "...        ", ".          ", "..         "};
    struct fat16_image image;
    struct ram_disk disk;
    struct fat16 fs;
    struct error error;
    make_image(&image, 3000, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        image_add(&image, 0, names[i], NULL, 0x20, old_data, 5000, 2, 0);
    unsigned inner = image_add(&image, 0, ".CACHE     ", NULL, 0x10, NULL, 0, 2, 0);
    image_add(&image, inner, ".KEY    BIN", NULL, 0x20, old_data, 2000, 2, 0);
    CHECK(image_check(&image, false) == NULL);
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    CHECK(fat16_replace(&fs, "/notes.txt", new_data, DATA_SIZE, &error));
    CHECK(image_check(&image, false) == NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK(image_holds(&image, 0, names[i], old_data, 5000));
    CHECK(image_holds(&image, inner, ".KEY    BIN", old_data, 2000));
    fat16_unmount(&fs);

    /* A ".." that names clusters which nobody else owns keeps them. */
    unsigned lost = image_add(&image, 0, "LOST       ", NULL, 0x10, NULL, 0, 2, 0);
    image_entry(&image, 0, "LOST       ")[0] = 0xE5;
    uint8_t *parent = image_entry(&image, inner, "..         ");
    parent[26] = (uint8_t)lost;
    parent[27] = (uint8_t)(lost >> 8);
    mount(&fs, &disk);
    CHECK(fat16_replace(&fs, "/notes.txt", new_data, 10, &error));
    CHECK(image_get(&image, lost) == 0xFFFF);
    fat16_unmount(&fs);
    image_free(&image);
}

/* What a power cut has damaged in the guest's own files is repaired: the file becomes empty, and
 * who shared clusters with it keeps them. Its clusters are free after the next mount. */
static void test_repair(bool in_directory, unsigned kind) {
    struct fat16_image image;
    struct ram_disk disk;
    struct fat16 fs;
    struct error error = {""};
    image_format(&image, CLUSTERS, 1);
    unsigned directory = image_add(&image, 0, "PROFILE    ", NULL, 0x10, NULL, 0, 2, 0);
    image_add(&image, in_directory ? directory : 0, "JIT     PRF", NULL, 0x20, new_data, 3000, 2,
              0);
    image_add(&image, 0, "USER    BIN", NULL, 0x20, old_data, 3000, 2, 0);
    uint8_t *entry = image_entry(&image, in_directory ? directory : 0, "JIT     PRF");
    unsigned first = entry[26];
    if (!in_directory)
        memcpy(entry + 22, (uint8_t[]){0xCB, 0xB2, 0x21, 0x00}, 4); /* 1980-01-01 22:22:22 */
    switch (kind) {
    case 0:
        image_set(&image, first + 2, 0); /* too short */
        break;
    case 1:
        image_set(&image, first + 2, 0xFFFF);
        break;
    case 2:
        entry[29] = 1; /* too long */
        break;
    case 3:
        image_set(&image, first + 2, first); /* a loop */
        break;
    case 4:
        image_set(&image, first + 2, image_entry(&image, 0, "USER    BIN")[26] + 1u);
        break;
    case 5:
        entry[27] = 0xFF;
        break;
    }
    for (int boot = 0; boot < 2; boot++) {
        ram_disk_init(&disk, image.bytes, image.size);
        mount(&fs, &disk);
        CHECK(fat16_replace(&fs, "/new.txt", new_data, 600, &error));
        fat16_unmount(&fs);
        CHECK(image_check(&image, boot == 0) == NULL);
        CHECK(image_holds(&image, in_directory ? directory : 0, "JIT     PRF", "", 0));
        CHECK(image_holds(&image, 0, "USER    BIN", old_data, 3000));
        CHECK(image_holds(&image, 0, "NEW     TXT", new_data, 600));
    }
    image_free(&image);
}

int main(void) {
    for (size_t i = 0; i < DATA_SIZE; i++) {
        old_data[i] = (uint8_t)(i * 7 + i / 512);
        new_data[i] = (uint8_t)(i * 13 + 100 + i / 512);
    }
    test_replacing();
    test_power_cuts();
    test_refusals();
    test_full_disk();
    test_full_root_directory();
    test_dirt_behind_the_end_mark();
    test_damaged_tree_is_not_written();
    test_bad_and_lost_clusters();
    test_names_with_dots();
    for (unsigned kind = 0; kind < 6; kind++) {
        test_repair(true, kind);
        test_repair(false, kind);
    }
    puts("fat16_write: passed");
}
