/*
 * The partition table in a disk's first sector, the master boot record.
 */
#pragma once
#include "kernel_lib/error.h"
#include <stdbool.h>
#include <stdint.h>

#define MBR_TABLE_OFFSET 446     /* of the first of four 16-byte entries */
#define MBR_SIGNATURE_OFFSET 510 /* 0x55, 0xAA */
#define MBR_DISK_ID_OFFSET 440   /* 4 bytes that tell disks apart */

struct mbr_partition {
    uint8_t type;
    uint32_t first_sector;
    uint32_t sector_count;
};

/*
 * Finds the FAT partition (type 04h, 06h, 0Bh, 0Ch or 0Eh) in the first sector of a
 * disk of disk_sectors sectors: the one that begins at wanted_lba or, when
 * wanted_lba is 0, the first active one, or else the first, as boot/fat.inc
 * does. Checks the signature and that the partition lies on the disk and
 * overlaps no other, except a GPT's protective entry (type EEh).
 */
bool mbr_find_fat(const uint8_t sector[512], uint64_t disk_sectors, uint32_t wanted_lba,
                  struct mbr_partition *partition, struct error *error);
