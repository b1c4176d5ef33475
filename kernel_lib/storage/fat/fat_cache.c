#include "fat_internal.h"

uint8_t *fat_cached_sector(struct fat *fs, uint64_t sector, uint64_t available,
                           struct error *error) {
    if (sector - fs->cache_first >= fs->cache_count) {
        uint32_t count = available < FAT_CACHE_SECTORS ? (uint32_t)available : FAT_CACHE_SECTORS;
        fs->cache_count = 0;
        if (!block_read(fs->device, sector, count, fs->cache, error))
            return NULL;
        fs->cache_first = sector;
        fs->cache_count = count;
    }
    return fs->cache + (sector - fs->cache_first) * BLOCK_SECTOR_SIZE;
}
