/* A FAT16 or FAT32 image with some files, mounted from a RAM disk, for the tests that write to
 * it. */
#pragma once
#include "check.h"
#include "fat_image.h"
#include "kernel_lib/storage/fat/fat.h"
#include "ram_disk.h"
#include <string.h>

#define CLUSTERS 4085 /* the smallest FAT16 */
#define CLUSTER_SIZE 512
#define DATA_SIZE 20000

static unsigned bits = 16; /* of the images' FAT: each test is done with 16 and 32 */
static uint8_t old_data[DATA_SIZE], new_data[DATA_SIZE];

/* Gives the two their bytes: to be called before the rest. */
static void make_data(void) {
    for (size_t i = 0; i < DATA_SIZE; i++) {
        old_data[i] = (uint8_t)(i * 7 + i / 512);
        new_data[i] = (uint8_t)(i * 13 + 100 + i / 512);
    }
}

/* NOTES.TXT (old_data), KEEP.BIN (new_data) and DIR/, which holds 14 entries besides "." and "..":
 * its cluster is full; DIR/READ.ME is read-only. */
static unsigned make_image(struct fat_image *image, size_t old_size, unsigned gap) {
    image_format(image, bits, CLUSTERS, 1);
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

static void mount(struct fat *fs, struct ram_disk *disk) {
    struct error error = {""};
    if (!fat_mount(fs, &disk->device, 0, disk->device.sector_count, &error))
        fprintf(stderr, "%s\n", error.text);
    CHECK(error.text[0] == '\0');
}
