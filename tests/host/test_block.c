// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/disk_error.c
// sources: kernel_lib/io/format.c
/* What the block layer asks of a driver: limits of a transfer, buffers, and another attempt. */
#include "check.h"
#include "kernel_lib/storage/block.h"
#include <string.h>

#define SECTORS 64
#define BOUNCE_SECTORS 3
#define OWN_SECTORS 8 /* where they are of 4096 bytes */

static uint8_t disk[SECTORS * BLOCK_SECTOR_SIZE];
static _Alignas(64) struct {
    uint8_t bounce[OWN_SECTORS * BLOCK_SECTOR_SIZE];
    uint8_t buffer[(SECTORS + 1) * BLOCK_SECTOR_SIZE];
} all;
static uint8_t *const memory = all.buffer;
static unsigned transfers, bounced, failures, recoveries;
static bool recovers, goes;

static bool transfer(struct block_device *device, bool write, uint64_t lba, size_t count,
                     void *buffer, struct error *error) {
    uintptr_t address = (uintptr_t)buffer;
    CHECK(count > 0 && count <= device->most_sectors && lba + count <= SECTORS);
    CHECK(device->own_sectors == 0 ||
          (lba % device->own_sectors == 0 && count % device->own_sectors == 0));
    CHECK(device->alignment == 0 || address % device->alignment == 0);
    CHECK(device->reach == 0 || address + count * BLOCK_SECTOR_SIZE <= device->reach);
    transfers++;
    bounced += address >= (uintptr_t)all.bounce && address < (uintptr_t)memory;
    if (failures > 0) {
        failures--;
        return error_set(error, "failed");
    }
    uint8_t *there = disk + lba * BLOCK_SECTOR_SIZE;
    if (write)
        memcpy(there, buffer, count * BLOCK_SECTOR_SIZE);
    else
        memcpy(buffer, there, count * BLOCK_SECTOR_SIZE);
    return true;
}

static bool flush(struct block_device *device, struct error *error) {
    (void)device;
    return failures == 0 || error_set(error, "failed");
}

static bool recover(struct block_device *device, struct error *error) {
    recoveries++;
    device->is_gone = goes;
    return recovers || error_set(error, "no recovery");
}

static struct block_device new_device(void) {
    transfers = bounced = failures = recoveries = 0;
    recovers = goes = false;
    return (struct block_device){.name = "disk",
                                 .sector_count = SECTORS,
                                 .most_sectors = 5,
                                 .transfer = transfer,
                                 .flush = flush,
                                 .recover = recover,
                                 .bounce = all.bounce,
                                 .bounce_sectors = BOUNCE_SECTORS};
}

/* Writes and reads at every offset of a buffer within 8 bytes. */
static void round_trips(struct block_device *device) {
    struct error error;
    for (unsigned offset = 0; offset < 8; offset++) {
        for (size_t i = 0; i < sizeof all.buffer; i++)
            memory[i] = (uint8_t)(i * 7 + offset);
        CHECK(block_write(device, 3, 17, memory + offset, &error));
        CHECK(memcmp(disk + 3 * BLOCK_SECTOR_SIZE, memory + offset, 17 * BLOCK_SECTOR_SIZE) == 0);
        memset(memory, 0, sizeof all.buffer);
        CHECK(block_read(device, 3, 17, memory + offset, &error));
        CHECK(memcmp(disk + 3 * BLOCK_SECTOR_SIZE, memory + offset, 17 * BLOCK_SECTOR_SIZE) == 0);
        CHECK(offset == 0 || memory[offset - 1] == 0);
        CHECK(memory[offset + 17 * BLOCK_SECTOR_SIZE] == 0);
    }
}

static void test_buffers(void) {
    struct block_device device = new_device();
    round_trips(&device);
    CHECK(bounced == 0 && transfers == 8 * 2 * 4);
    device.alignment = 4;
    round_trips(&device);
    CHECK(bounced == 6 * 2 * 6); /* 17 sectors in threes, at six of eight offsets */
    device = new_device();
    device.reach = (uintptr_t)memory;
    round_trips(&device);
    CHECK(bounced == 8 * 2 * 6);
}

static struct block_device new_device_of_4096(void) {
    struct block_device device = new_device();
    device.own_sectors = OWN_SECTORS;
    device.bounce_sectors = OWN_SECTORS;
    device.most_sectors = 3 * OWN_SECTORS;
    return device;
}

/* Every range of a disk with sectors of 4096 bytes: no other byte of disk or buffer changes. */
static void test_larger_sectors(void) {
    struct error error;
    struct block_device device = new_device_of_4096();
    static uint8_t expected[sizeof disk];
    for (size_t first = 0; first < SECTORS; first++) {
        for (size_t count = 1; count <= SECTORS - first; count++) {
            size_t at = first * BLOCK_SECTOR_SIZE, size = count * BLOCK_SECTOR_SIZE;
            for (size_t i = 0; i < sizeof disk; i++)
                disk[i] = expected[i] = (uint8_t)(i * 5 + count + (i >> 9));
            memset(memory, 0, sizeof all.buffer);
            CHECK(block_read(&device, first, count, memory + 1, &error));
            CHECK(memcmp(memory + 1, expected + at, size) == 0);
            CHECK(memory[0] == 0 && memory[1 + size] == 0);
            memset(expected + at, (int)(first + count), size);
            memset(memory, (int)(first + count), size);
            CHECK(block_write(&device, first, count, memory, &error));
            CHECK(memcmp(disk, expected, sizeof disk) == 0);
        }
    }
}

static void test_transfers_of_larger_sectors(void) {
    struct error error;
    struct block_device device = new_device_of_4096();
    CHECK(block_read(&device, 6, 30, memory, &error));
    CHECK(transfers == 3 && bounced == 2); /* sectors 6 and 7, 8 to 31, 32 to 35 */
    transfers = bounced = 0;
    CHECK(block_write(&device, 6, 30, memory, &error));
    CHECK(transfers == 5 && bounced == 4);
    failures = 1; /* what is to stay is not known: nothing is written */
    transfers = 0;
    CHECK(!block_write(&device, 1, 1, memory, &error) && transfers == 1 && device.has_failed);
}

static void test_attempts(void) {
    struct block_device device = new_device();
    struct error error;
    failures = 1;
    CHECK(!block_read(&device, 0, 1, memory, &error) && strcmp(error.text, "no recovery") == 0);
    CHECK(transfers == 1 && recoveries == 1 && device.has_failed && !device.is_gone);

    device = new_device();
    recovers = true;
    failures = 1;
    CHECK(block_write(&device, 0, 12, memory, &error));
    CHECK(transfers == 4 && recoveries == 1 && !device.has_failed);

    failures = 2;
    CHECK(!block_read(&device, 0, 12, memory, &error) && strcmp(error.text, "failed") == 0);
    CHECK(transfers == 6 && recoveries == 3 && device.has_failed);
    CHECK(block_read(&device, 0, 1, memory, &error)); /* another sector may be in order */

    device = new_device();
    device.recover = NULL;
    failures = 1;
    CHECK(!block_read(&device, 0, 1, memory, &error) && transfers == 1);
    failures = 1;
    CHECK(!block_flush(&device, &error) && device.has_failed);
}

static void test_gone(void) {
    struct block_device device = new_device();
    struct error error;
    goes = true;
    failures = 1;
    CHECK(!block_read(&device, 0, 1, memory, &error) && device.is_gone);
    device.has_failed = false;
    CHECK(!block_read(&device, 0, 1, memory, &error) && device.has_failed);
    CHECK(!block_write(&device, 0, 1, memory, &error) && !block_flush(&device, &error));
    CHECK(transfers == 1 && recoveries == 1); /* nothing more was tried */
    CHECK(strncmp(error.text, "The disk is gone", 16) == 0);
}

static void test_range(void) {
    struct block_device device = new_device();
    struct error error;
    CHECK(block_read(&device, SECTORS - 1, 1, memory, &error));
    CHECK(!block_read(&device, SECTORS - 1, 2, memory, &error));
    CHECK(!block_write(&device, UINT64_MAX, 2, memory, &error));
    CHECK(block_read(&device, SECTORS + 1, 0, memory, &error));
    CHECK(!device.has_failed && transfers == 1);
}

int main(void) {
    test_buffers();
    test_larger_sectors();
    test_transfers_of_larger_sectors();
    test_attempts();
    test_gone();
    test_range();
}
