// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/disk_error.c
// sources: kernel_lib/storage/fat/fat_mount.c
// sources: kernel_lib/storage/fat/fat_table.c kernel_lib/storage/fat/fat_name.c
// sources: kernel_lib/storage/fat/fat_cache.c
// sources: kernel_lib/storage/fat/fat_directory.c kernel_lib/storage/fat/fat_read.c
// sources: kernel_lib/storage/fat/fat_space.c kernel_lib/storage/fat/fat_write.c
// sources: tests/host/ram_disk.c tests/host/fat_image.c
// sources: kernel_lib/io/format.c
/* Writing to full and damaged disks, and beside what is easily taken for something else. */
#include "fat_writing.h"

/* ---- Refusals: the disk stays as it is ---- */

static void expect_refusal(struct fat_image *image, const char *path, size_t size,
                           const char *part_of_message) {
    struct ram_disk disk;
    struct fat fs;
    struct error error = {""};
    uint8_t *before = malloc(image->size);
    static uint8_t content[CLUSTERS * CLUSTER_SIZE + 1];
    CHECK(before && size <= sizeof content);
    memcpy(before, image->bytes, image->size);
    ram_disk_init(&disk, image->bytes, image->size);
    mount(&fs, &disk);
    CHECK(!fat_replace(&fs, path, content, size, &error));
    if (!strstr(error.text, part_of_message))
        fprintf(stderr, "%s: \"%s\", wanted \"%s\"\n", path, error.text, part_of_message);
    CHECK(strstr(error.text, part_of_message));
    CHECK(memcmp(before, image->bytes, image->size) == 0);
    fat_unmount(&fs);
    free(before);
}

static void test_refusals(void) {
    struct fat_image image;
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
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
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
    CHECK(fat_replace(&fs, "/keep.bin", filler, size, &error));
    CHECK(image_check(&image, false) == NULL);
    CHECK(image_holds(&image, 0, "KEEP    BIN", filler, size));
    CHECK(!fat_replace(&fs, "/keep.bin", filler, size, &error));
    CHECK(image_holds(&image, 0, "KEEP    BIN", filler, size));
    CHECK(image_check(&image, false) == NULL);
    fat_unmount(&fs);
    image_free(&image);
}

/* The root of FAT16 has 64 entries, of which four are taken (one by a long name). */
static void test_full_root_directory(void) {
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    struct error error;
    char path[] = "/N00";
    make_image(&image, 3000, 0);
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    int made = 0;
    for (; made < 64; made++) {
        path[2] = (char)('0' + made / 10);
        path[3] = (char)('0' + made % 10);
        if (!fat_replace(&fs, path, path, 4, &error))
            break;
    }
    CHECK(made == 64 - 4);
    CHECK(strstr(error.text, "root directory is full"));
    CHECK(image_check(&image, false) == NULL);
    image_entry(&image, 0, "N30        ")[0] = 0xE5; /* deleted, its cluster lost */
    fat_unmount(&fs);
    mount(&fs, &disk);
    CHECK(fat_replace(&fs, "/reused", "again", 5, &error)); /* the entry is used again */
    CHECK(image_check(&image, false) == NULL);
    CHECK(image_holds(&image, 0, "REUSED     ", "again", 5));
    fat_unmount(&fs);
    image_free(&image);
}

/* FAT16's root has room for 64. Entries behind the end mark may hold anything (fatgen103): a new
 * entry moves the mark on. */
static void test_dirt_behind_the_end_mark(void) {
    for (unsigned used = 4; used < 63; used++) {
        struct fat_image image;
        struct ram_disk disk;
        struct fat fs;
        struct error error;
        image_format(&image, 16, CLUSTERS, 1);
        memset(image.bytes + image.root, 0xE5, (size_t)used * 32);
        memset(image.bytes + image.root + (used + 1) * 32, 'A', (size_t)(64 - used - 1) * 32);
        for (unsigned i = 0; i < used; i++)
            memcpy(image.bytes + image.root + i * 32, "LABEL      \x08", 12);
        ram_disk_init(&disk, image.bytes, image.size);
        mount(&fs, &disk);
        CHECK(fat_replace(&fs, "/x", "x", 1, &error));
        CHECK(image_holds(&image, 0, "X          ", "x", 1));
        CHECK(image.bytes[image.root + (used + 1) * 32] == 0);
        fat_unmount(&fs);
        image_free(&image);
    }
}

/* A tree that is damaged anywhere is not written to. */
static void test_damaged_tree_is_not_written(void) {
    struct fat_image image;
    unsigned directory = make_image(&image, 3000, 0);
    uint8_t *file = image_entry(&image, directory, "FILE-B     ");
    unsigned cluster = image_entry_cluster(&image, file);
    file[26]++; /* now the cluster of FILE-C */
    expect_refusal(&image, "/notes.txt", 10, "shares clusters");
    file[26]--;
    file[29] = 8; /* 2 KiB in one cluster */
    expect_refusal(&image, "/notes.txt", 10, "does not fit its size");
    file[29] = 0;
    file[27] = 0xFF;
    expect_refusal(&image, "/notes.txt", 10, "begins at a cluster that does not exist");
    file[27] = 0;
    image_set(&image, cluster, image.end - 0xF);
    expect_refusal(&image, "/notes.txt", 10, "which is no cluster");
    image_set(&image, cluster, cluster);
    expect_refusal(&image, "/notes.txt", 10, "shares clusters");
    image_set(&image, cluster, image.end);
    CHECK(image_check(&image, false) == NULL);
    image_free(&image);
}

/* Clusters marked as bad are never used, and lost chains are. */
static void test_bad_and_lost_clusters(void) {
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    struct error error;
    make_image(&image, 3000, 0);
    unsigned available = image_free_clusters(&image);
    for (unsigned i = 0; i < 100; i++) {
        image_set(&image, 200 + 2 * i, image.end - 8);
        image_set(&image, 500 + i, i == 99 ? image.end : 501 + i); /* a lost chain */
    }
    available -= 100; /* the bad ones; the lost ones come back */
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    static uint8_t filler[CLUSTERS * CLUSTER_SIZE];
    CHECK(fat_replace(&fs, "/keep.bin", filler, (size_t)available * CLUSTER_SIZE, &error));
    CHECK(image_check(&image, false) == NULL);
    for (unsigned i = 0; i < 100; i++)
        CHECK(image_get(&image, 200 + 2 * i) == image.end - 8);
    fat_unmount(&fs);
    image_free(&image);
}

/* Names that begin with a dot own their clusters; "." and ".." of a directory do not. */
static void test_names_with_dots(void) {
    static const char *const names[] = {".PROFILE   ", ".       TXT", "..A        ",
                                        "...        ", ".          ", "..         "};
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    struct error error;
    make_image(&image, 3000, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        image_add(&image, 0, names[i], NULL, 0x20, old_data, 5000, 2, 0);
    unsigned inner = image_add(&image, 0, ".CACHE     ", NULL, 0x10, NULL, 0, 2, 0);
    image_add(&image, inner, ".KEY    BIN", NULL, 0x20, old_data, 2000, 2, 0);
    CHECK(image_check(&image, false) == NULL);
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    CHECK(fat_replace(&fs, "/notes.txt", new_data, DATA_SIZE, &error));
    CHECK(image_check(&image, false) == NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK(image_holds(&image, 0, names[i], old_data, 5000));
    CHECK(image_holds(&image, inner, ".KEY    BIN", old_data, 2000));
    fat_unmount(&fs);

    /* A ".." that names clusters which nobody else owns keeps them. */
    unsigned lost = image_add(&image, 0, "LOST       ", NULL, 0x10, NULL, 0, 2, 0);
    image_entry(&image, 0, "LOST       ")[0] = 0xE5;
    uint8_t *parent = image_entry(&image, inner, "..         ");
    parent[26] = (uint8_t)lost;
    parent[27] = (uint8_t)(lost >> 8);
    mount(&fs, &disk);
    CHECK(fat_replace(&fs, "/notes.txt", new_data, 10, &error));
    CHECK(image_get(&image, lost) == image.end);
    fat_unmount(&fs);
    image_free(&image);
}

int main(void) {
    make_data();
    test_full_root_directory();
    test_dirt_behind_the_end_mark();
    for (bits = 16; bits <= 32; bits += 16) {
        test_refusals();
        test_full_disk();
        test_damaged_tree_is_not_written();
        test_bad_and_lost_clusters();
        test_names_with_dots();
    }
    puts("fat, full and damaged: passed");
}
