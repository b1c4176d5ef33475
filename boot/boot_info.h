/*
 * The boot-information block: what stage2 tells the kernel. The block lies in
 * low memory; its address is in RDI or EDI at the kernel's entry. The assembler's
 * include file is made of this header (site_scons/bareflow/layouts.py).
 *
 * Machine state at the kernel's entry: 64-bit mode with the first 4 GiB
 * identity-mapped by stage2's own page tables (writable and executable: the
 * kernel replaces them), or, for a 32-bit kernel, protected mode without paging;
 * interrupts off, flat segments, stack of stage2, PICs as the BIOS left them.
 */
#pragma once
#include <stdint.h>

#define BOOT_INFO_MAGIC 0x4F464E49544F4F42ull /* "BOOTINFO" read as little-endian */
#define BOOT_INFO_VERSION 3
#define BOOT_INFO_ADDRESS 0x1000
#define BOOT_INFO_MAX_REGIONS 64

/* disk_flags */
#define BOOT_DISK_LBA 1           /* int 13h extensions (AH=42h/43h) answer for boot_drive */
#define BOOT_DISK_LARGE_SECTORS 2 /* they count sectors of 4096 bytes */

/* One entry of the BIOS memory map, as INT 15h EAX=E820h gives it (ACPI 6.5, 15.1). */
struct boot_memory_region {
    uint64_t base;
    uint64_t length;
    uint32_t type; /* 1 = usable RAM */
    uint32_t attributes;
};

struct boot_info {
    uint64_t magic;   /* BOOT_INFO_MAGIC */
    uint16_t version; /* BOOT_INFO_VERSION */
    uint16_t size;    /* bytes of this block that are filled in */
    uint8_t boot_drive;
    uint8_t disk_flags;
    uint16_t cursor;            /* BIOS text cursor: row << 8 | column */
    uint16_t sectors_per_track; /* CHS geometry; 0 when BOOT_DISK_LBA is set */
    uint16_t heads;             /* the same */
    uint32_t partition_lba;     /* first sector of the FAT partition */
    uint32_t partition_sectors; /* its length */
    uint16_t region_count;      /* entries used in regions */
    uint8_t boot_slot;          /* the kernel's: BOOT_SLOT_NEWEST or BOOT_SLOT_FALLBACK */
    uint8_t slots_passed_over; /* 1 when the other slot was to be booted and could not be, else 0 */
    uint64_t stage1_tsc;       /* TSC at stage1's first instruction */
    uint64_t kernel_tsc;       /* TSC just before the jump to the kernel */
    uint64_t kernel_base;      /* where the kernel's image lies */
    uint64_t kernel_image_size;    /* its bytes, unpacked, without .bss */
    uint64_t kernel_memory_size;   /* bytes the kernel occupies with .bss */
    unsigned char kernel_name[11]; /* its file, as in a FAT directory ... */
    uint8_t kernel_folder;         /* ... and its folder (boot_slots.h) */
    uint32_t reserved;
    struct boot_memory_region regions[BOOT_INFO_MAX_REGIONS];
};
