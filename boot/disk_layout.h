/*
 * The disk in front of its partition: stage1 in sector 0, stage2 behind it, then the record about
 * the boot slots (boot_slots.h). And the geometry that the BIOS parameter block names.
 */
#pragma once

#define SECTOR_SIZE 512
#define STAGE2_LBA 1
#define STAGE2_SECTORS 39
#define STAGES_SECTORS (STAGE2_LBA + STAGE2_SECTORS)

/* Where a disk's own sectors have 4096 bytes: how many of 512 that is, and how many it takes to
 * hold both stages. Everything else counts sectors of 512 bytes on every disk. */
#define LARGE_SECTOR 8
#define STAGES_LARGE_SECTORS ((STAGES_SECTORS + LARGE_SECTOR - 1) / LARGE_SECTOR)

/* A cylinder is exactly 1 MiB, so partitions of whole mebibytes are whole cylinders. (mtools
 * insists on whole tracks.) */
#define IMAGE_SECTORS_PER_TRACK 32
#define IMAGE_HEADS 64
