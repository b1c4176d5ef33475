#include "ram_disk.h"
#include "check.h"
#include <string.h>

static bool power_is_off(struct error *error) {
    return error_set(error, "The test has cut the power.");
}

static bool ram_read(struct block_device *device, uint64_t lba, size_t count, void *buffer,
                     struct error *error) {
    struct ram_disk *disk = device->context;
    CHECK(count > 0 && lba + count <= device->sector_count);
    if (disk->is_off)
        return power_is_off(error);
    memcpy(buffer, disk->bytes + lba * BLOCK_SECTOR_SIZE, count * BLOCK_SECTOR_SIZE);
    disk->commands++;
    return true;
}

static bool ram_write(struct block_device *device, uint64_t lba, size_t count, const void *buffer,
                      struct error *error) {
    struct ram_disk *disk = device->context;
    CHECK(count > 0 && lba + count <= device->sector_count);
    disk->commands++;
    for (size_t i = 0; i < count; i++) {
        if (disk->writes_left == 0)
            disk->is_off = true;
        if (disk->is_off)
            return power_is_off(error);
        uint8_t *sector = disk->bytes + (lba + i) * BLOCK_SECTOR_SIZE;
        if (disk->medium && !disk->is_pending[lba + i]) {
            memcpy(disk->medium + (lba + i) * BLOCK_SECTOR_SIZE, sector, BLOCK_SECTOR_SIZE);
            disk->is_pending[lba + i] = 1;
        }
        memcpy(sector, (const uint8_t *)buffer + i * BLOCK_SECTOR_SIZE, BLOCK_SECTOR_SIZE);
        disk->writes_left -= disk->writes_left > 0;
        disk->sectors_written++;
    }
    return true;
}

static bool ram_transfer(struct block_device *device, bool write, uint64_t lba, size_t count,
                         void *buffer, struct error *error) {
    return write ? ram_write(device, lba, count, buffer, error)
                 : ram_read(device, lba, count, buffer, error);
}

static bool ram_flush(struct block_device *device, struct error *error) {
    struct ram_disk *disk = device->context;
    if (disk->writes_left == 0)
        disk->is_off = true;
    if (disk->is_off)
        return power_is_off(error);
    disk->flushes++;
    if (disk->medium && device->can_flush)
        memset(disk->is_pending, 0, device->sector_count);
    return true;
}

void ram_disk_init(struct ram_disk *disk, uint8_t *bytes, size_t size) {
    CHECK(size % BLOCK_SECTOR_SIZE == 0);
    *disk = (struct ram_disk){
        .device = {.name = "RAM disk",
                   .sector_count = size / BLOCK_SECTOR_SIZE,
                   .context = disk,
                   .transfer = ram_transfer,
                   .most_sectors = SIZE_MAX,
                   .flush = ram_flush,
                   .can_flush = true},
        .bytes = bytes,
        .writes_left = -1,
    };
}

void ram_disk_cut_after(struct ram_disk *disk, long sectors) {
    if (!disk->medium) {
        disk->medium = malloc(disk->device.sector_count * BLOCK_SECTOR_SIZE);
        disk->is_pending = malloc(disk->device.sector_count);
        CHECK(disk->medium && disk->is_pending);
    }
    memset(disk->is_pending, 0, disk->device.sector_count);
    disk->writes_left = sectors;
}

void ram_disk_power_on(struct ram_disk *disk, bool (*survives)(void *context, unsigned long n),
                       void *context) {
    const uint8_t *end = disk->is_pending + disk->device.sector_count;
    uint8_t *pending = disk->is_pending;
    for (unsigned long n = 0; (pending = memchr(pending, 1, (size_t)(end - pending))); n++) {
        size_t offset = (size_t)(pending - disk->is_pending) * BLOCK_SECTOR_SIZE;
        if (!survives(context, n))
            memcpy(disk->bytes + offset, disk->medium + offset, BLOCK_SECTOR_SIZE);
        *pending++ = 0;
    }
    disk->writes_left = -1;
    disk->is_off = false;
}

void ram_disk_free(struct ram_disk *disk) {
    free(disk->medium);
    free(disk->is_pending);
    disk->medium = disk->is_pending = NULL;
}
