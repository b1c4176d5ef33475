/*
 * Where the loader keeps what, below 1 MiB. The kernel calls the BIOS again later. So the loader
 * never touches interrupt vectors and BIOS data (0x0-0x4FF), nor what the BIOS keeps at the top of
 * low memory. boot_info.h has the address of the boot-information block.
 */
#pragma once

#define CRC_TABLES 0x2000       /* 8 KiB */
#define FAT_BUFFER 0x4000       /* one sector */
#define DIRECTORY_BUFFER 0x4200 /* one sector */
#define LARGE_BUFFER 0x5000     /* one sector of 4096 bytes */
#define STACK_TOP 0x7C00
#define STAGE1_ADDRESS 0x7C00 /* the MBR; its partition table stays readable here */
#define PARTITION_TABLE (STAGE1_ADDRESS + 0x1BE)
#define STAGE2_ADDRESS 0x8000
#define STAGE2_SIGNATURE 0x5332  /* the last word of stage2, "2S": all of it is there */
#define UNPACK_ADDRESS 0x9300    /* the part of stage2 that is compiled: unpack/, streams/ */
#define DISK_BUFFER 0x10000      /* 64 KiB; ISA DMA cannot cross a boundary of 64 KiB */
#define UNPACK_WORKSPACE 0x10000 /* union unpack_workspace, when all has been read */
#define UNPACK_STACK_TOP 0x40000 /* the unpacker's stack is above its workspace */
#define PAGE_TABLES 0x40000      /* 24 KiB */
