// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/disk_error.c
// sources: kernel_lib/storage/fat/fat_mount.c
// sources: kernel_lib/storage/fat/fat_table.c kernel_lib/storage/fat/fat_name.c
// sources: kernel_lib/storage/fat/fat_cache.c
// sources: kernel_lib/storage/fat/fat_directory.c kernel_lib/storage/fat/fat_read.c
// sources: kernel_lib/storage/fat/fat_space.c kernel_lib/storage/fat/fat_write.c
// sources: tests/host/ram_disk.c tests/host/fat_image.c
// sources: kernel_lib/io/format.c
// runs: 1000
/*
 * A small FAT16 or FAT32 image with bytes of its metadata changed: everything that
 * fat.h offers either works or fails with a message, in bounded time and
 * without touching anything outside the disk. What replacing reports as done can
 * be read back.
 *
 * Input: a byte whose lowest bit chooses FAT32, then records of three bytes. Two choose a byte of
 * the metadata, the third is its new value.
 */
#include "check.h"
#include "fat_image.h"
#include "kernel_lib/storage/fat/fat.h"
#include "ram_disk.h"
#include <string.h>

#define FILE_SIZE 5000
#define MAX_COMMANDS                                                                               \
    200000 /* bounds the time: a FAT has at most 32 sectors, a directory at most 4096 */

static struct fat_image images[2], pristine; /* FAT16 and FAT32; the one in use */
static uint8_t content[FILE_SIZE];
static unsigned directory, subdirectory; /* the same clusters in both */

static void make_pristine(struct fat_image *image, unsigned bits) {
    for (size_t i = 0; i < FILE_SIZE; i++)
        content[i] = (uint8_t)(i * 11);
    image_format(image, bits, 4085, 1);
    image_add(image, 0, "A       TXT", "a long name.text", 0x20, content, FILE_SIZE, 2, 1);
    directory = image_add(image, 0, "DIR        ", NULL, 0x10, NULL, 0, 2, 0);
    image_add(image, directory, "B       BIN", NULL, 0x20, content, 700, 2, 0);
    subdirectory = image_add(image, directory, "SUB        ", NULL, 0x10, NULL, 0, 2, 0);
    CHECK(image_check(image, false) == NULL);
}

/* The metadata: boot sector, the first sector of each FAT, root and the two directories. */
static size_t metadata_offset(unsigned choice) {
    static const unsigned sizes[] = {64, 128, 64, 192, 512, 512, 512};
    const size_t starts[] = {0,
                             pristine.table,
                             pristine.table + (size_t)pristine.table_sectors * 512,
                             pristine.root_cluster ? pristine.data : pristine.root,
                             pristine.data + (directory - 2) * 512,
                             pristine.data + (subdirectory - 2) * 512,
                             pristine.info};
    for (unsigned i = 0; i < 7; i++) {
        if (choice < sizes[i])
            return starts[i] + choice;
        choice -= sizes[i];
    }
    return 510;
}

static void use_file(struct fat *fs, const char *path, size_t new_size) {
    struct error error = {""};
    struct fat_file file;
    static uint8_t buffer[FILE_SIZE];
    if (fat_open(fs, path, &file, &error)) {
        size_t size = file.size < FILE_SIZE ? file.size : FILE_SIZE;
        if (!fat_read(fs, &file, file.size - size, buffer, size, &error))
            CHECK(error.text[0] != '\0');
        fat_close(&file);
    } else {
        CHECK(error.text[0] != '\0');
    }
    if (!fat_replace(fs, path, content, new_size, &error)) {
        CHECK(error.text[0] != '\0');
        return;
    }
    CHECK(fat_open(fs, path, &file, &error));
    CHECK(file.size == new_size && fat_read(fs, &file, 0, buffer, new_size, &error));
    CHECK(memcmp(buffer, content, new_size) == 0);
    fat_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t *bytes;
    static struct fat fs;
    struct ram_disk disk;
    struct error error = {""};
    if (!bytes) {
        make_pristine(&images[0], 16);
        make_pristine(&images[1], 32);
        bytes = malloc(images[1].size);
        CHECK(bytes);
    }
    if (size == 0)
        return 0;
    pristine = images[*data & 1];
    data++;
    size--;
    memcpy(bytes, pristine.bytes, pristine.size);
    for (; size >= 3; data += 3, size -= 3)
        bytes[metadata_offset(data[0] | (unsigned)data[1] << 8)] = data[2];

    ram_disk_init(&disk, bytes, pristine.size);
    if (!fat_mount(&fs, &disk.device, 0, disk.device.sector_count, &error)) {
        CHECK(error.text[0] != '\0');
        return 0;
    }
    use_file(&fs, "/a long name.text", 3000);
    use_file(&fs, "/dir/b.bin", FILE_SIZE);
    use_file(&fs, "/dir/sub/new.bin", 600);
    use_file(&fs, "/new.bin", 0);
    fat_unmount(&fs);
    CHECK(disk.commands < MAX_COMMANDS);
    return 0;
}
