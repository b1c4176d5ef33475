#include "fat_internal.h"
#include <string.h>

static uint32_t entries_per_sector(const struct fat *fs) {
    return BLOCK_SECTOR_SIZE / (fs->root_cluster ? 4 : 2);
}

/* Brings the FAT's sector that holds the cluster's entry into the window and gives that entry's
 * index there. */
static bool window_move(struct fat *fs, uint32_t cluster, uint32_t *index, struct error *error) {
    uint32_t sector = cluster / entries_per_sector(fs);
    if (sector - fs->window_first >= fs->window_count) {
        if (!fat_table_sync(fs, error))
            return false;
        uint32_t first = sector / FAT_WINDOW_SECTORS * FAT_WINDOW_SECTORS;
        uint32_t count = fs->table_sectors - first;
        if (count > FAT_WINDOW_SECTORS)
            count = FAT_WINDOW_SECTORS;
        fs->window_count = 0;
        if (!block_read(fs->device, fs->table_sector + first, count, &fs->window, error))
            return false;
        fs->window_first = first;
        fs->window_count = count;
    }
    *index = cluster - fs->window_first * entries_per_sector(fs);
    return true;
}

bool fat_table_get(struct fat *fs, uint32_t cluster, uint32_t *value, struct error *error) {
    uint32_t index;
    if (!window_move(fs, cluster, &index, error))
        return false;
    *value =
        fs->root_cluster ? fs->window.entries32[index] & FAT32_END : fs->window.entries16[index];
    return true;
}

bool fat_table_set(struct fat *fs, uint32_t cluster, uint32_t value, struct error *error) {
    uint32_t index;
    if (!window_move(fs, cluster, &index, error))
        return false;
    if (fs->root_cluster) {
        uint32_t *entry = &fs->window.entries32[index];
        *entry = (*entry & ~FAT32_END) | value;
    } else {
        fs->window.entries16[index] = (uint16_t)value;
    }
    uint32_t sector = index / entries_per_sector(fs);
    if (fs->dirty_begin == fs->dirty_end) {
        fs->dirty_begin = sector;
        fs->dirty_end = sector + 1;
    } else if (sector < fs->dirty_begin) {
        fs->dirty_begin = sector;
    } else if (sector >= fs->dirty_end) {
        fs->dirty_end = sector + 1;
    }
    return true;
}

bool fat_table_sync(struct fat *fs, struct error *error) {
    uint32_t count = fs->dirty_end - fs->dirty_begin;
    if (count == 0)
        return true;
    fs->cache_count = 0; /* it may hold a copy of the FAT */
    uint64_t sector = fs->table_sector + fs->window_first + fs->dirty_begin;
    for (uint32_t copy = 0; copy < fs->table_copies; copy++) {
        if (!block_write(fs->device, sector, count,
                         &fs->window.bytes[fs->dirty_begin * BLOCK_SECTOR_SIZE], error))
            return false;
        sector += fs->table_sectors;
    }
    fs->dirty_begin = fs->dirty_end = 0;
    return true;
}

bool fat_table_compare_copies(struct fat *fs, struct error *error) {
    for (uint32_t copy = 1; copy < fs->table_copies; copy++) {
        uint64_t sector = fs->table_sector + (uint64_t)copy * fs->table_sectors + fs->window_first;
        for (uint32_t i = 0; i < fs->window_count; i++) {
            const uint8_t *other = fat_cached_sector(fs, sector + i, fs->window_count - i, error);
            if (!other)
                return false;
            if (memcmp(other, &fs->window.bytes[i * BLOCK_SECTOR_SIZE], BLOCK_SECTOR_SIZE) != 0) {
                fs->dirty_begin = 0;
                fs->dirty_end = fs->window_count;
                return true;
            }
        }
    }
    return true;
}

bool fat_table_next(struct fat *fs, uint32_t cluster, uint32_t *next, struct error *error) {
    uint32_t value;
    if (!fat_table_get(fs, cluster, &value, error))
        return false;
    if (fat_is_last(fs, value))
        value = 0;
    else if (!fat_is_cluster(fs, value))
        return error_set(error,
                         "The file system is damaged: in the FAT, cluster %u leads to %u, which is "
                         "no cluster. Repair it with fsck.fat or write the image again.",
                         cluster, value);
    *next = value;
    return true;
}
