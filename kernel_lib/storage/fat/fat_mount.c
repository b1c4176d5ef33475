#include "fat_internal.h"
#include <stdlib.h>
#include <string.h>

/* What must hold for a FAT16 file system; the smallest and largest number of clusters are what
 * makes it FAT16 (fatgen103, "FAT type determination"). */
#define MIN_CLUSTERS 4085
#define MAX_CLUSTERS 65524

static bool damaged(struct error *error, const char *what) {
    return error_set(error,
                     "The boot sector of the FAT16 partition is damaged: %s. Write the image again "
                     "or format the partition.",
                     what);
}

bool fat_mount(struct fat *fs, struct block_device *device, uint64_t first_sector,
               uint64_t sector_count, struct error *error) {
    memset(fs, 0, sizeof *fs);
    fs->device = device;
    /* The FAT's window is read on first use; until then it has room for the boot sector. */
    const struct fat_boot_sector *boot = (const void *)fs->window;
    if (!block_read(device, first_sector, 1, fs->window, error))
        return false;

    if (boot->signature[0] != 0x55 || boot->signature[1] != 0xAA)
        return damaged(error, "it does not end in 55 AA");
    if (boot->bytes_per_sector != BLOCK_SECTOR_SIZE)
        return damaged(error, "its sectors are not of 512 bytes");
    uint32_t cluster_sectors = boot->sectors_per_cluster;
    if (cluster_sectors == 0 || cluster_sectors > 128 || (cluster_sectors & (cluster_sectors - 1)))
        return damaged(error, "the sectors in a cluster are no power of two up to 128");
    if (boot->reserved_sectors == 0)
        return damaged(error, "it counts no reserved sectors");
    if (boot->table_copies == 0 || boot->table_copies > 4)
        return damaged(error, "it has no FAT or more than four");
    if (boot->table_sectors == 0)
        return damaged(error, "its FAT has no sectors, as in FAT32");
    if (boot->root_entries == 0 || boot->root_entries % 16 != 0)
        return damaged(error, "its root directory does not fill whole sectors");

    uint32_t total = boot->total_sectors_16 ? boot->total_sectors_16 : boot->total_sectors_32;
    if (total > sector_count)
        return damaged(error, "it is longer than its partition");
    uint32_t table_end =
        boot->reserved_sectors + (uint32_t)boot->table_copies * boot->table_sectors;
    uint32_t root_sectors = boot->root_entries / 16;
    if (table_end + root_sectors > total)
        return damaged(error, "its FATs and root directory are longer than the whole");
    uint32_t clusters = (total - table_end - root_sectors) / cluster_sectors;
    if (clusters < MIN_CLUSTERS || clusters > MAX_CLUSTERS)
        return damaged(error, "its number of clusters is that of another kind of FAT");
    if (boot->table_sectors < (clusters + 2 + 255) / 256)
        return damaged(error, "its FAT is too short for its clusters");

    fs->table_sector = first_sector + boot->reserved_sectors;
    fs->table_sectors = boot->table_sectors;
    fs->table_copies = boot->table_copies;
    fs->root_sector = first_sector + table_end;
    fs->root_sectors = root_sectors;
    fs->data_sector = fs->root_sector + root_sectors;
    fs->cluster_sectors = cluster_sectors;
    fs->cluster_size = cluster_sectors * BLOCK_SECTOR_SIZE;
    fs->cluster_limit = clusters + 2;
    return true;
}

void fat_unmount(struct fat *fs) {
    free(fs->used);
    memset(fs, 0, sizeof *fs);
}
