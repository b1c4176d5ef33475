#include "block.h"

static bool range_is_valid(const struct block_device *device, uint64_t lba, size_t count,
                           struct error *error) {
    if (lba <= device->sector_count && count <= device->sector_count - lba)
        return true;
    return error_set(error,
                     "Sectors %lu to %lu do not exist on the %s, which has %lu: the disk image "
                     "is cut short or its file system is damaged.",
                     lba, lba + count - 1, device->name, device->sector_count);
}

/* Notes a failure of the device itself. */
static bool noted(struct block_device *device, bool done) {
    device->has_failed |= !done;
    return done;
}

bool block_read(struct block_device *device, uint64_t lba, size_t count, void *buffer,
                struct error *error) {
    if (count == 0)
        return true;
    return range_is_valid(device, lba, count, error) &&
           noted(device, device->read(device, lba, count, buffer, error));
}

bool block_write(struct block_device *device, uint64_t lba, size_t count, const void *buffer,
                 struct error *error) {
    if (count == 0)
        return true;
    return range_is_valid(device, lba, count, error) &&
           noted(device, device->write(device, lba, count, buffer, error));
}

bool block_flush(struct block_device *device, struct error *error) {
    return noted(device, device->flush(device, error));
}
