// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/disk_error.c
// sources: kernel_lib/storage/fat/fat_mount.c
// sources: kernel_lib/storage/fat/fat_table.c kernel_lib/storage/fat/fat_name.c
// sources: kernel_lib/storage/fat/fat_cache.c
// sources: kernel_lib/storage/fat/fat_directory.c kernel_lib/storage/fat/fat_read.c
// sources: kernel_lib/storage/fat/fat_space.c kernel_lib/storage/fat/fat_write.c
// sources: tests/host/ram_disk.c tests/host/fat_image.c
// sources: kernel_lib/io/format.c
/* Names, reading and damaged file systems. */
#include "check.h"
#include "fat_image.h"
#include "kernel_lib/storage/fat/fat.h"
#include "ram_disk.h"
#include <string.h>

#define CLUSTERS 4200
#define BIG_SIZE 300001

static unsigned bits = 16; /* of the images' FAT: each test is done with 16 and 32 */
static uint8_t big[BIG_SIZE];

/* The tree that most tests use:
 *   HELLO.TXT               "hello"
 *   EMPTY.BIN               nothing
 *   MODEL/ BIG.BIN          contiguous, also "A rather long Model name.bin"
 *          SPARSE.BIN       every cluster a fragment of its own
 *          DEEP/ LEAF.TXT   "leaf"                                        */
struct tree {
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    unsigned model, deep, big_first, sparse_first;
};

static void tree_make(struct tree *tree) {
    struct fat_image *image = &tree->image;
    image_format(image, bits, CLUSTERS, 2);
    image_add(image, 0, "TEST       ", NULL, 0x08, "", 0, 2, 0); /* volume label */
    image_add(image, 0, "HELLO   TXT", NULL, 0x20, "hello", 5, 2, 0);
    image_add(image, 0, "EMPTY   BIN", NULL, 0x20, "", 0, 2, 0);
    tree->model = image_add(image, 0, "MODEL      ", NULL, 0x10, NULL, 0, 2, 0);
    tree->big_first = image_add(image, tree->model, "BIG     BIN", "A rather long Model name.bin",
                                0x20, big, sizeof big, 10, 0);
    tree->sparse_first =
        image_add(image, tree->model, "SPARSE  BIN", NULL, 0x20, big, 100000, 1000, 2);
    tree->deep = image_add(image, tree->model, "DEEP       ", NULL, 0x10, NULL, 0, 2, 0);
    image_add(image, tree->deep, "LEAF    TXT", NULL, 0x20, "leaf", 4, 2, 0);
    CHECK(image_check(image, false) == NULL);
    ram_disk_init(&tree->disk, image->bytes, image->size);
}

static bool tree_mount(struct tree *tree, struct error *error) {
    return fat_mount(&tree->fs, &tree->disk.device, 0, tree->disk.device.sector_count, error);
}

static void tree_free(struct tree *tree) {
    fat_unmount(&tree->fs);
    image_free(&tree->image);
}

/* Whether the file has these contents, read in one piece and in pieces of odd sizes. */
static bool reads_as(struct fat *fs, const char *path, const void *bytes, size_t size) {
    struct error error;
    struct fat_file file;
    uint8_t *buffer = malloc(size + 1);
    CHECK(buffer);
    if (!fat_open(fs, path, &file, &error)) {
        free(buffer);
        return false;
    }
    CHECK(file.size == size);
    CHECK(fat_read(fs, &file, 0, buffer, size, &error));
    bool equal = memcmp(buffer, bytes, size) == 0;
    static const size_t steps[] = {1, 7, 512, 1000, 1024, 5000, 65536};
    memset(buffer, 0, size);
    for (size_t at = 0, i = 0; at < size; i++) {
        size_t part = steps[i % 7] < size - at ? steps[i % 7] : size - at;
        CHECK(fat_read(fs, &file, at, buffer + at, part, &error));
        at += part;
    }
    equal = equal && memcmp(buffer, bytes, size) == 0;
    CHECK(!fat_read(fs, &file, size, buffer, 1, &error));
    CHECK(!fat_read(fs, &file, UINT64_MAX, buffer, 2, &error));
    CHECK(fat_read(fs, &file, size, buffer, 0, &error));
    fat_close(&file);
    free(buffer);
    return equal;
}

static void test_reading(void) {
    struct tree tree;
    struct error error;
    tree_make(&tree);
    CHECK(tree_mount(&tree, &error));
    CHECK(reads_as(&tree.fs, "/hello.txt", "hello", 5));
    CHECK(reads_as(&tree.fs, "HELLO.TXT", "hello", 5));
    CHECK(reads_as(&tree.fs, "/empty.bin", "", 0));
    CHECK(reads_as(&tree.fs, "/model/big.bin", big, sizeof big));
    CHECK(reads_as(&tree.fs, "//Model//a RATHER long model name.BIN", big, sizeof big));
    CHECK(reads_as(&tree.fs, "/model/sparse.bin", big, 100000));
    CHECK(reads_as(&tree.fs, "/model/deep/leaf.txt", "leaf", 4));
    tree_free(&tree);
}

static void expect_open_error(struct fat *fs, const char *path, const char *part_of_message) {
    struct error error = {""};
    struct fat_file file;
    CHECK(!fat_open(fs, path, &file, &error));
    if (!strstr(error.text, part_of_message))
        fprintf(stderr, "%s: \"%s\", wanted \"%s\"\n", path, error.text, part_of_message);
    CHECK(strstr(error.text, part_of_message));
}

static void test_names_that_do_not_exist(void) {
    struct tree tree;
    struct error error;
    tree_make(&tree);
    CHECK(tree_mount(&tree, &error));
    expect_open_error(&tree.fs, "/nothing.txt", "/nothing.txt does not exist");
    expect_open_error(&tree.fs, "/none/big.bin", "directory of /none/big.bin does not exist");
    expect_open_error(&tree.fs, "/hello.txt/x", "directory of /hello.txt/x does not exist");
    expect_open_error(&tree.fs, "/model", "is a directory");
    expect_open_error(&tree.fs, "/test", "does not exist"); /* the volume label is no file */
    expect_open_error(&tree.fs, "/model/a rather long model name.bi", "does not exist");
    expect_open_error(&tree.fs, "/model/a rather long model name.bin2", "does not exist");
    expect_open_error(&tree.fs, "/", "names no file");
    expect_open_error(&tree.fs, "", "names no file");
    expect_open_error(&tree.fs, "/model/\xFF.bin", "no valid file name");
    /* A long name whose checksum belongs to another short name is not this file's name. */
    memcpy(image_entry(&tree.image, tree.model, "BIG     BIN"), "BIG2    BIN", 11);
    tree.fs.cache_count = 0;
    expect_open_error(&tree.fs, "/model/A rather long Model name.bin", "does not exist");
    CHECK(reads_as(&tree.fs, "/model/big2.bin", big, sizeof big));
    tree_free(&tree);
}

/* A long name of exactly 13 or 26 characters has no zero at its end; one of 255 is the longest. */
static void test_lengths_of_long_names(void) {
    char name[256];
    for (size_t length = 1; length <= 255; length++) {
        struct fat_image image;
        struct ram_disk disk;
        struct fat fs;
        struct error error;
        memset(name, 'x', length);
        name[length] = '\0';
        image_format(&image, bits, CLUSTERS, 2);
        image_add(&image, 0, "OTHER      ", "another-name", 0x20, "no", 2, 2, 0);
        image_add(&image, 0, "LONG~1     ", name, 0x20, "yes", 3, 2, 0);
        ram_disk_init(&disk, image.bytes, image.size);
        CHECK(fat_mount(&fs, &disk.device, 0, disk.device.sector_count, &error));
        CHECK(reads_as(&fs, name, "yes", 3));
        name[length - 1] = '\0';
        if (length > 1)
            expect_open_error(&fs, name, "does not exist");
        image_free(&image);
    }
    struct tree tree;
    struct error error;
    tree_make(&tree);
    CHECK(tree_mount(&tree, &error));
    char too_long[300];
    memset(too_long, 'x', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    expect_open_error(&tree.fs, too_long, "no valid file name");
    tree_free(&tree);
}

/* A contiguous file is one transfer, as large as the file. */
static void test_contiguous_file_is_one_transfer(void) {
    struct tree tree;
    struct error error;
    struct fat_file file;
    static uint8_t buffer[BIG_SIZE];
    tree_make(&tree);
    CHECK(tree_mount(&tree, &error));
    CHECK(fat_open(&tree.fs, "/model/big.bin", &file, &error));
    unsigned long before = tree.disk.commands;
    CHECK(fat_read(&tree.fs, &file, 0, buffer, BIG_SIZE / 512 * 512, &error));
    CHECK(tree.disk.commands == before + 1);
    fat_close(&file);
    tree_free(&tree);
}

/* ---- Damage ---- */

static void test_damaged_chains(void) {
    struct tree tree;
    struct error error;
    unsigned clusters = (BIG_SIZE + 1023) / 1024;
    static const struct {
        unsigned value; /* put into the chain's tenth cluster, with FAT32's bits above if >= 0xFFF7;
                         * 0xFFFFFFFF: its own number */
        const char *message; /* NULL: "leads to" it */
    } cases[] = {{0xFFFFFFFF, "its chain has more"},     {0xFFFF, "its chain has fewer"},
                 {0xFFF8, "its chain has fewer"},        {0, "leads to 0, which is no cluster"},
                 {1, "leads to 1, which is no cluster"}, {0xFFF7, NULL},
                 {CLUSTERS + 2, "leads to 4202"},        {0x8000, "leads to 32768"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[40];
        tree_make(&tree);
        unsigned tenth = tree.big_first + 9, value = cases[i].value;
        if (value == 0xFFFFFFFF)
            value = tenth;
        else if (value >= 0xFFF7)
            value |= tree.image.end & ~0xFFFFu;
        image_set(&tree.image, tenth, value);
        snprintf(message, sizeof message, "leads to %u,", value);
        CHECK(tree_mount(&tree, &error));
        expect_open_error(&tree.fs, "/model/big.bin",
                          cases[i].message ? cases[i].message : message);
        CHECK(reads_as(&tree.fs, "/hello.txt", "hello", 5)); /* the rest still works */
        tree_free(&tree);
    }

    tree_make(&tree); /* longer than the size says */
    image_set(&tree.image, tree.big_first + clusters - 1, 3000);
    image_set(&tree.image, 3000, tree.image.end);
    CHECK(tree_mount(&tree, &error));
    expect_open_error(&tree.fs, "/model/big.bin", "its chain has more");
    tree_free(&tree);

    tree_make(&tree); /* begins nowhere */
    image_entry(&tree.image, 0, "HELLO   TXT")[26] = 1;
    image_entry(&tree.image, 0, "MODEL      ")[27] = 0xFF;
    CHECK(tree_mount(&tree, &error));
    expect_open_error(&tree.fs, "/hello.txt", "begins at cluster 1, which does not exist");
    expect_open_error(&tree.fs, "/model/big.bin", "does not exist");
    tree_free(&tree);

    tree_make(&tree); /* a directory that is a loop and has no end mark */
    uint8_t *directory = tree.image.bytes + tree.image.data + (tree.deep - 2) * 1024;
    for (int i = 0; i < 1024; i += 32)
        memset(directory + i, 0xE5, 32);
    image_set(&tree.image, tree.deep, tree.deep);
    CHECK(tree_mount(&tree, &error));
    expect_open_error(&tree.fs, "/model/deep/leaf.txt", "chain is a loop");
    tree_free(&tree);
}

/* Each field of the boot sector set to something that cannot be. */
static void test_damaged_boot_sector(void) {
    static const struct {
        unsigned offset, size;
        uint32_t value;
        const char *message;
    } cases[] = {{510, 2, 0, "does not end in 55 AA"},
                 {11, 2, 1024, "not of 512 bytes"},
                 {13, 1, 0, "no power of two"},
                 {13, 1, 3, "no power of two"},
                 {14, 2, 0, "no reserved sectors"},
                 {14, 2, 0xFFFF, "longer than the whole"},
                 {16, 1, 0, "no FAT"},
                 {16, 1, 200, "no FAT or more than four"},
                 {17, 2, 0, "whole sectors"},
                 {17, 2, 65, "whole sectors"},
                 {22, 2, 10, "too short for its clusters"},
                 {13, 1, 64, "another kind of FAT"},
                 {32, 4, 100000000, "longer than its partition"},
                 {32, 4, 10, "longer than the whole"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tree tree;
        struct error error = {""};
        tree_make(&tree);
        memcpy(tree.image.bytes + cases[i].offset, &cases[i].value, cases[i].size);
        CHECK(!tree_mount(&tree, &error));
        if (!strstr(error.text, cases[i].message))
            fprintf(stderr, "case %zu: %s\n", i, error.text);
        CHECK(strstr(error.text, cases[i].message));
        tree_free(&tree);
    }
}

/* The partition is longer than the disk: reading beyond the end is an error. */
static void test_disk_cut_short(void) {
    struct tree tree;
    struct error error;
    tree_make(&tree);
    uint64_t sectors = tree.disk.device.sector_count;
    tree.disk.device.sector_count = (tree.image.data + 20 * 1024) / 512;
    CHECK(fat_mount(&tree.fs, &tree.disk.device, 0, sectors, &error));
    struct fat_file file;
    static uint8_t buffer[BIG_SIZE];
    CHECK(fat_open(&tree.fs, "/model/big.bin", &file, &error));
    CHECK(!fat_read(&tree.fs, &file, 0, buffer, BIG_SIZE, &error));
    CHECK(strstr(error.text, "do not exist on the RAM disk"));
    fat_close(&file);
    tree_free(&tree);
}

int main(void) {
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 31 + i / 1024);
    test_damaged_boot_sector();
    for (bits = 16; bits <= 32; bits += 16) {
        test_reading();
        test_names_that_do_not_exist();
        test_lengths_of_long_names();
        test_contiguous_file_is_one_transfer();
        test_damaged_chains();
        test_disk_cut_short();
    }
    puts("fat_read: passed");
}
