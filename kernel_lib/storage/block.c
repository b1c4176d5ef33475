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
                     ": the disk image is cut short or its file system is damaged.",
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

/* Transfers up to count sectors that are less than one of the disk's own, which goes through the
 * bounce buffer. Gives how many there are. */
static bool transfer_inside(struct block_device *device, bool write, uint64_t lba, size_t *count,
                            uint8_t *buffer, struct error *error) {
    size_t own = device->own_sectors, offset = (size_t)(lba % own);
    uint8_t *inside = (uint8_t *)device->bounce + offset * BLOCK_SECTOR_SIZE;
    if (*count > own - offset)
        *count = own - offset;
    if (!transfer_part(device, false, lba - offset, own, device->bounce, error))
        return false;
    memcpy(write ? inside : buffer, write ? buffer : inside, *count * BLOCK_SECTOR_SIZE);
    return !write || transfer_part(device, true, lba - offset, own, device->bounce, error);
}

/* Transfers as many of count sectors as can be at once, which begin with one of the disk's own. */
static bool transfer_whole(struct block_device *device, bool write, uint64_t lba, size_t *count,
                           uint8_t *buffer, struct error *error) {
    uint8_t *target = buffer;
    if (*count > device->most_sectors)
        *count = device->most_sectors;
    if (!is_direct(device, buffer, *count * BLOCK_SECTOR_SIZE)) {
        target = device->bounce;
        if (*count > device->bounce_sectors)
            *count = device->bounce_sectors;
    }
    if (device->own_sectors)
        *count -= *count % device->own_sectors;
    if (write && target != buffer)
        memcpy(target, buffer, *count * BLOCK_SECTOR_SIZE);
    if (!transfer_part(device, write, lba, *count, target, error))
        return false;
    if (!write && target != buffer)
        memcpy(buffer, target, *count * BLOCK_SECTOR_SIZE);
    return true;
}

static bool transfer(struct block_device *device, bool write, uint64_t lba, size_t count,
                     uint8_t *buffer, struct error *error) {
    for (size_t part; count > 0; count -= part) {
        size_t own = device->own_sectors;
        part = count;
        if (own && (lba % own != 0 || count < own)
                ? !transfer_inside(device, write, lba, &part, buffer, error)
                : !transfer_whole(device, write, lba, &part, buffer, error))
            return false;
        buffer += part * BLOCK_SECTOR_SIZE;
        lba += part;
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
