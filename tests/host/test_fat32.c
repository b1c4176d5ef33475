// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/disk_error.c
// sources: kernel_lib/storage/fat/fat_mount.c
// sources: kernel_lib/storage/fat/fat_table.c kernel_lib/storage/fat/fat_name.c
// sources: kernel_lib/storage/fat/fat_cache.c
// sources: kernel_lib/storage/fat/fat_directory.c kernel_lib/storage/fat/fat_read.c
// sources: kernel_lib/storage/fat/fat_space.c kernel_lib/storage/fat/fat_write.c
// sources: tests/host/ram_disk.c tests/host/fat_image.c
// sources: kernel_lib/io/format.c
/* What only FAT32 has: its boot sector's fields, one FAT in use, FSInfo, a root directory that is a
 * chain, and numbers of clusters beyond 16 bits. */
#include "fat_writing.h"

static void put(uint8_t *place, uint32_t value, size_t size) {
    for (size_t i = 0; i < size; i++)
        place[i] = (uint8_t)(value >> 8 * i);
}

static void test_boot_sector(void) {
    static const struct {
        unsigned offset, size;
        uint32_t value;
        const char *message; /* NULL: it is mounted */
    } cases[] = {{17, 2, 16, "root directory"},
                 {36, 4, 10, "too short for its clusters"},
                 {36, 4, 0, "too short for its clusters"},
                 {36, 4, 0xFFFFFFFF, "longer than the whole"},
                 {40, 2, 0x82, "none of those it has"},
                 {40, 2, 0x8F, "none of those it has"},
                 {40, 2, 0x0F, NULL}, /* of no meaning as long as both are in use */
                 {42, 2, 1, "a later one"},
                 {42, 2, 0x100, "a later one"},
                 {44, 4, 0, "begins at no cluster"},
                 {44, 4, 1, "begins at no cluster"},
                 {44, 4, CLUSTERS + 2, "begins at no cluster"},
                 {44, 4, CLUSTERS + 1, NULL},
                 {48, 2, 0, NULL}, /* no FSInfo */
                 {48, 2, 0xFFFF, NULL},
                 {48, 2, 32, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fat_image image;
        struct ram_disk disk;
        struct fat fs;
        struct error error = {""};
        make_image(&image, 3000, 0);
        put(image.bytes + cases[i].offset, cases[i].value, cases[i].size);
        ram_disk_init(&disk, image.bytes, image.size);
        CHECK(fat_mount(&fs, &disk.device, 0, disk.device.sector_count, &error) ==
              !cases[i].message);
        if (cases[i].message && !strstr(error.text, cases[i].message))
            fprintf(stderr, "case %zu: %s\n", i, error.text);
        CHECK(!cases[i].message || strstr(error.text, cases[i].message));
        fat_unmount(&fs);
        image_free(&image);
    }
}

/* Only the second FAT is in use: the first one is neither read nor written. */
static void test_one_table_in_use(void) {
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    struct error error;
    make_image(&image, 3000, 0);
    put(image.bytes + 40, 0x81, 2);
    size_t size = (size_t)image.table_sectors * 512;
    memset(image.bytes + image.table, 0xA5, size);
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    CHECK(fat_replace(&fs, "/notes.txt", new_data, 9000, &error));
    for (size_t i = 0; i < size; i++)
        CHECK(image.bytes[image.table + i] == 0xA5);
    memcpy(image.bytes + image.table, image.bytes + image.table + size, size);
    CHECK(image_check(&image, false) == NULL);
    CHECK(image_holds(&image, 0, "NOTES   TXT", new_data, 9000));
    fat_unmount(&fs);
    image_free(&image);
}

/* Whatever FSInfo's count says, it is unknown before anything else is written. What is no FSInfo
 * stays as it is. */
static void test_free_count(void) {
    static const struct {
        unsigned offset;
        uint32_t value;
        bool stays;
    } cases[] = {{0, 0, true}, {484, 0x61417273, true}, {488, 7, false}, {492, 0x0FFFFFFF, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fat_image image;
        struct ram_disk disk;
        struct fat fs;
        struct error error;
        uint8_t before[512];
        make_image(&image, 3000, 0);
        uint8_t *info = image.bytes + image.info;
        put(info + 488, 1234, 4);
        put(info + 492, 5678, 4);
        put(info + cases[i].offset, cases[i].value, 4);
        memcpy(before, info, 512);
        for (long sectors = 0;; sectors++) {
            memcpy(info, before, 512);
            ram_disk_init(&disk, image.bytes, image.size);
            mount(&fs, &disk);
            ram_disk_cut_after(&disk, sectors);
            bool done = fat_replace(&fs, "/notes.txt", new_data, 9000, &error);
            fat_unmount(&fs);
            ram_disk_free(&disk);
            bool is_unchanged = memcmp(info, before, 512) == 0;
            bool is_unknown = memcmp(info + 488, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8) == 0;
            CHECK(cases[i].stays ? is_unchanged : is_unknown || (is_unchanged && sectors == 0));
            if (done)
                break;
        }
        memset(before + 488, 0xFF, 8);
        CHECK(cases[i].stays || memcmp(info, before, 512) == 0);
        image_free(&image);
    }
}

/* The root directory grows like any other. One that is damaged is not written to. */
static void test_root_directory(void) {
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    struct error error;
    char path[] = "/N000", name[] = "N000       ";
    make_image(&image, 3000, 0);
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    for (int made = 0; made < 200; made++) {
        snprintf(path, sizeof path, "/N%03d", made);
        memcpy(name, path + 1, 4);
        CHECK(fat_replace(&fs, path, path, 5, &error));
        CHECK(image_holds(&image, 0, name, path, 5));
    }
    CHECK(image_check(&image, false) == NULL);
    fat_unmount(&fs);

    unsigned file = image_entry_cluster(&image, image_entry(&image, 0, "KEEP    BIN"));
    const unsigned links[] = {0, 1, image.root_cluster, file, 0x0FFFFFF7};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        image_set(&image, image.root_cluster, links[i]);
        mount(&fs, &disk);
        CHECK(!fat_replace(&fs, "/new.txt", "x", 1, &error));
        CHECK(strstr(error.text, "so nothing is written to it"));
        fat_unmount(&fs);
    }
    image_free(&image);
}

/* Everything lies in clusters that 16 bits do not count; and their number does not fit the clusters
 * of the same number modulo 65536. */
static void test_high_clusters(void) {
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    struct error error;
    image_format(&image, 32, 66500, 1);
    for (unsigned cluster = 3; cluster < 65600; cluster++)
        image_set(&image, cluster, 0x0FFFFFF7); /* bad */
    unsigned directory = image_add(&image, 0, "DIR        ", NULL, 0x10, NULL, 0, 2, 0);
    unsigned inner = image_add(&image, directory, "INNER      ", NULL, 0x10, NULL, 0, 2, 0);
    image_add(&image, inner, "OLD     BIN", NULL, 0x20, old_data, 3000, 2, 3);
    image_add(&image, 0, "KEEP    BIN", NULL, 0x20, old_data, 3000, 2, 0);
    CHECK(directory >= 65600);
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    CHECK(fat_replace(&fs, "/dir/inner/old.bin", new_data, 9000, &error));
    CHECK(fat_replace(&fs, "/new.bin", new_data, 700, &error));
    CHECK(image_check(&image, false) == NULL);
    CHECK(image_holds(&image, inner, "OLD     BIN", new_data, 9000));
    CHECK(image_holds(&image, 0, "NEW     BIN", new_data, 700));
    CHECK(image_holds(&image, 0, "KEEP    BIN", old_data, 3000));
    CHECK(image_get(&image, 65599) == 0x0FFFFFF7);
    fat_unmount(&fs);
    ram_disk_free(&disk);
    image_free(&image);
}

int main(void) {
    bits = 32;
    make_data();
    test_boot_sector();
    test_one_table_in_use();
    test_free_count();
    test_root_directory();
    test_high_clusters();
    puts("fat32: passed");
}
