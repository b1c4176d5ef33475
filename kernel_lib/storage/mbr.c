#include "mbr.h"
#include <inttypes.h>
#include <string.h>

#define PARTITIONS 4
#define ACTIVE 0x80 /* in status */
#define UNUSED 0x00 /* types */
#define GPT_PROTECTIVE 0xEE

/* An entry of the table as it stands on disk. */
struct __attribute__((packed)) table_entry {
    uint8_t status;
    uint8_t first_chs[3];
    uint8_t type;
    uint8_t last_chs[3];
    uint32_t first_sector;
    uint32_t sector_count;
};
_Static_assert(sizeof(struct table_entry) == 16, "partition table entry");

/* FAT16 below 32 MiB, FAT16, FAT32; the last two by LBA. */
static bool is_fat(uint8_t type) {
    return type == 0x04 || type == 0x06 || type == 0x0B || type == 0x0C || type == 0x0E;
}

static bool overlaps(const struct table_entry *a, const struct table_entry *b) {
    return b->type != UNUSED && b->type != GPT_PROTECTIVE &&
           (uint64_t)a->first_sector < (uint64_t)b->first_sector + b->sector_count &&
           (uint64_t)b->first_sector < (uint64_t)a->first_sector + a->sector_count;
}

/* The index of the entry to use, PARTITIONS when there is none. */
static int choose(const struct table_entry table[PARTITIONS], uint32_t wanted_lba) {
    int chosen = PARTITIONS;
    for (int i = PARTITIONS - 1; i >= 0; i--) {
        if (!is_fat(table[i].type) || (wanted_lba != 0 && table[i].first_sector != wanted_lba))
            continue;
        if (chosen == PARTITIONS || table[i].status & ACTIVE || !(table[chosen].status & ACTIVE))
            chosen = i;
    }
    return chosen;
}

bool mbr_find_fat(const uint8_t sector[512], uint64_t disk_sectors, uint32_t wanted_lba,
                  struct mbr_partition *partition, struct error *error) {
    struct table_entry table[PARTITIONS];
    memcpy(table, sector + MBR_TABLE_OFFSET, sizeof table);
    if (sector[MBR_SIGNATURE_OFFSET] != 0x55 || sector[MBR_SIGNATURE_OFFSET + 1] != 0xAA)
        return error_set(error, "The disk's first sector is no master boot record: it does not end "
                                "in 55 AA. Write the image again.");
    int chosen = choose(table, wanted_lba);
    if (chosen == PARTITIONS)
        return error_set(error, "The disk's partition table has no FAT partition (type 04, 06, 0B, "
                                "0C or 0E) where one was booted from. Write the image again.");
    const struct table_entry *entry = &table[chosen];
    if (entry->first_sector == 0 || entry->sector_count == 0 ||
        (uint64_t)entry->first_sector + entry->sector_count > disk_sectors)
        return error_set(error,
                         "Partition %d (%u sectors from %u) does not lie on the disk of %" PRIu64
                         " sectors: the image is cut short or its partition table is damaged.",
                         chosen + 1, entry->sector_count, entry->first_sector, disk_sectors);
    for (int other = 0; other < PARTITIONS; other++)
        if (other != chosen && overlaps(entry, &table[other]))
            return error_set(error,
                             "Partitions %d and %d overlap: the partition table is damaged. Write "
                             "the image again.",
                             chosen + 1, other + 1);
    *partition = (struct mbr_partition){.type = entry->type,
                                        .first_sector = entry->first_sector,
                                        .sector_count = entry->sector_count};
    return true;
}
