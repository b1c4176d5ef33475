#include "block.h"
#include "disk_error.h"
#include <inttypes.h>
#include <string.h>

static bool range_is_valid(const struct block_device *device, uint64_t lba, size_t count,
                           struct error *error) {
    if (lba <= device->sector_count && count <= device->sector_count - lba)
        return true;
    return error_set(error,
                     "Sectors %" PRIu64 " to %" PRIu64 " do not exist on the %s, which has %" PRIu64
                     ": the disk image "
                     "is cut short or its file system is damaged.",
                     lba, lba + count - 1, device->name, device->sector_count);
}

static bool is_there(const struct block_device *device, struct error *error) {
    return !device->is_gone || disk_is_gone(device->name, error);
}

/* Notes a failure of the device itself. */
static bool noted(struct block_device *device, bool done) {
    device->has_failed |= !done;
    return done;
}

/* Whether the driver can take the buffer as it is. */
static bool is_direct(const struct block_device *device, const void *buffer, size_t size) {
    uintptr_t address = (uintptr_t)buffer;
    return (device->alignment == 0 || address % device->alignment == 0) &&
           (device->reach == 0 || (address < device->reach && size <= device->reach - address));
}

/* One transfer, and once more if the disk can be brought to work again. */
static bool transfer_part(struct block_device *device, bool write, uint64_t lba, size_t count,
                          void *buffer, struct error *error) {
    struct error after;
    if (device->transfer(device, write, lba, count, buffer, error))
        return true;
    if (!device->recover)
        return false;
    if (!device->recover(device, &after)) {
        *error = after;
        return false;
    }
    if (device->transfer(device, write, lba, count, buffer, error))
        return true;
    device->recover(device, &after); /* other sectors may be in order */
    return false;
}

static bool transfer(struct block_device *device, bool write, uint64_t lba, size_t count,
                     uint8_t *buffer, struct error *error) {
    while (count > 0) {
        size_t part = count < device->most_sectors ? count : device->most_sectors;
        uint8_t *target = buffer;
        if (!is_direct(device, buffer, part * BLOCK_SECTOR_SIZE)) {
            target = device->bounce;
            if (part > device->bounce_sectors)
                part = device->bounce_sectors;
        }
        if (write && target != buffer)
            memcpy(target, buffer, part * BLOCK_SECTOR_SIZE);
        if (!transfer_part(device, write, lba, part, target, error))
            return false;
        if (!write && target != buffer)
            memcpy(buffer, target, part * BLOCK_SECTOR_SIZE);
        buffer += part * BLOCK_SECTOR_SIZE;
        lba += part;
        count -= part;
    }
    return true;
}

bool block_read(struct block_device *device, uint64_t lba, size_t count, void *buffer,
                struct error *error) {
    if (count == 0)
        return true;
    return range_is_valid(device, lba, count, error) &&
           noted(device,
                 is_there(device, error) && transfer(device, false, lba, count, buffer, error));
}

bool block_write(struct block_device *device, uint64_t lba, size_t count, const void *buffer,
                 struct error *error) {
    if (count == 0)
        return true;
    return range_is_valid(device, lba, count, error) &&
           noted(device, is_there(device, error) &&
                             transfer(device, true, lba, count, (uint8_t *)buffer, error));
}

bool block_flush(struct block_device *device, struct error *error) {
    return noted(device, is_there(device, error) && device->flush(device, error));
}
