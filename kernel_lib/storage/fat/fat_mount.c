#include "fat_internal.h"
#include <stdlib.h>
#include <string.h>

/* The smallest and largest number of clusters are what makes it FAT16 (fatgen103, "FAT type
 * determination"). FAT32 is told by the field that has the length of its FATs, as Windows and Linux
 * do: mkfs.fat also makes small ones. */
#define FAT16_MIN_CLUSTERS 4085
#define FAT16_MAX_CLUSTERS 65524
#define FAT32_MAX_CLUSTERS 0x0FFFFFF5

static bool damaged(struct error *error, const char *what) {
    return error_set(error,
                     "The boot sector of the FAT partition is damaged: %s. Write the image again "
                     "or format the partition.",
                     what);
}

/* What only FAT32 has: the root directory is a chain, one FAT may be the only one in use, and
 * FSInfo counts free clusters. */
static bool mount_32(struct fat *fs, const struct fat_boot_sector *boot, uint64_t first_sector,
                     struct error *error) {
    uint32_t active = boot->flags & FAT_ACTIVE_TABLE;
    if (boot->version != 0)
        return damaged(error, "its version of FAT32 is a later one than 0.0");
    if (boot->flags & FAT_NOT_MIRRORED) {
        if (active >= boot->table_copies)
            return damaged(error, "the FAT that is in use is none of those it has");
        fs->table_sector += (uint64_t)active * fs->table_sectors;
        fs->table_copies = 1;
    }
    fs->end_mark = FAT32_END;
    fs->root_cluster = boot->root_cluster;
    if (!fat_is_cluster(fs, fs->root_cluster))
        return damaged(error, "its root directory begins at no cluster");
    if (boot->info_sector != 0 && boot->info_sector < boot->reserved_sectors)
        fs->info_sector = first_sector + boot->info_sector;
    return true;
}

/* What does not depend on how long anything is. */
static bool check_fields(const struct fat_boot_sector *boot, struct error *error) {
    uint32_t cluster = boot->sectors_per_cluster;
    if (boot->signature[0] != 0x55 || boot->signature[1] != 0xAA)
        return damaged(error, "it does not end in 55 AA");
    if (boot->bytes_per_sector != BLOCK_SECTOR_SIZE)
        return damaged(error, "its sectors are not of 512 bytes");
    if (cluster == 0 || cluster > 128 || (cluster & (cluster - 1)))
        return damaged(error, "the sectors in a cluster are no power of two up to 128");
    if (boot->reserved_sectors == 0)
        return damaged(error, "it counts no reserved sectors");
    if (boot->table_copies == 0 || boot->table_copies > 4)
        return damaged(error, "it has no FAT or more than four");
    if (boot->table_sectors == 0 ? boot->root_entries != 0
                                 : boot->root_entries == 0 || boot->root_entries % 16 != 0)
        return damaged(error, "its root directory does not fill whole sectors");
    return true;
}

bool fat_mount(struct fat *fs, struct block_device *device, uint64_t first_sector,
               uint64_t sector_count, struct error *error) {
    memset(fs, 0, sizeof *fs);
    fs->device = device;
    /* The FAT's window is read on first use; until then it has room for the boot sector. */
    const struct fat_boot_sector *boot = (const void *)&fs->window;
    if (!block_read(device, first_sector, 1, &fs->window, error) || !check_fields(boot, error))
        return false;
    uint32_t cluster_sectors = boot->sectors_per_cluster;
    bool is_32 = boot->table_sectors == 0;
    uint32_t table_sectors = is_32 ? boot->table_sectors_32 : boot->table_sectors;
    uint32_t total = boot->total_sectors_16 ? boot->total_sectors_16 : boot->total_sectors_32;
    if (total > sector_count)
        return damaged(error, "it is longer than its partition");
    uint64_t table_end = boot->reserved_sectors + (uint64_t)boot->table_copies * table_sectors;
    uint32_t root_sectors = boot->root_entries / 16;
    if (table_end + root_sectors > total)
        return damaged(error, "its FATs and root directory are longer than the whole");
    uint32_t clusters = (uint32_t)(total - table_end - root_sectors) / cluster_sectors;
    if (is_32 ? clusters > FAT32_MAX_CLUSTERS
              : clusters < FAT16_MIN_CLUSTERS || clusters > FAT16_MAX_CLUSTERS)
        return damaged(error, "its number of clusters is that of another kind of FAT");
    if (table_sectors < ((uint64_t)clusters + 2 + (is_32 ? 127 : 255)) / (is_32 ? 128 : 256))
        return damaged(error, "its FAT is too short for its clusters");

    fs->table_sector = first_sector + boot->reserved_sectors;
    fs->table_sectors = table_sectors;
    fs->table_copies = boot->table_copies;
    fs->root_sector = first_sector + table_end;
    fs->root_sectors = root_sectors;
    fs->data_sector = fs->root_sector + root_sectors;
    fs->cluster_sectors = cluster_sectors;
    fs->cluster_size = cluster_sectors * BLOCK_SECTOR_SIZE;
    fs->cluster_limit = clusters + 2;
    fs->end_mark = FAT16_END;
    return !is_32 || mount_32(fs, boot, first_sector, error);
}

void fat_unmount(struct fat *fs) {
    free(fs->used);
    memset(fs, 0, sizeof *fs);
}
