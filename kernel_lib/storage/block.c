#include "block.h"

static bool range_is_valid(const struct block_device *device, uint64_t lba, size_t count,
                           struct error *error) {
    if (lba <= device->sector_count && count <= device->sector_count - lba)
        return true;
    return error_set(error,
                     "Sectors %llu to %llu do not exist on the %s, which has %llu: the disk image "
                     "is cut short or its file system is damaged.",
                     (unsigned long long)lba, (unsigned long long)(lba + count - 1), device->name,
                     (unsigned long long)device->sector_count);
}

bool block_read(struct block_device *device, uint64_t lba, size_t count, void *buffer,
                struct error *error) {
    if (count == 0)
        return true;
    return range_is_valid(device, lba, count, error) &&
           device->read(device, lba, count, buffer, error);
}

bool block_write(struct block_device *device, uint64_t lba, size_t count, const void *buffer,
                 struct error *error) {
    if (count == 0)
        return true;
    return range_is_valid(device, lba, count, error) &&
           device->write(device, lba, count, buffer, error);
}

bool block_flush(struct block_device *device, struct error *error) {
    return device->flush(device, error);
}
