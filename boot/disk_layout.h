/*
 * The disk in front of its partition: stage1 in sector 0, stage2 behind it, then the record about
 * the boot slots (boot_slots.h). And the geometry that the BIOS parameter block names.
 */
#pragma once

#define SECTOR_SIZE 512
#define STAGE2_LBA 1
#define STAGE2_SECTORS 20

/* A cylinder is exactly 1 MiB, so partitions of whole mebibytes are whole cylinders. (mtools
 * insists on whole tracks.) */
#define IMAGE_SECTORS_PER_TRACK 32
#define IMAGE_HEADS 64
