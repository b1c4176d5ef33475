/*
 * Boot slots: a disk may have two kernels, and when the one that is to be booted does not come up,
 * the loader takes the other. This is the record that the loader and the kernel keep about it, at
 * the start of a sector of its own, because a disk writes one sector whole or not at all.
 * site_scons/bareflow/layouts.py reads this header for the loader and for the image builder.
 *
 * The loader counts `attempts` down at every boot of `slot`, before it loads the kernel, and takes
 * the other slot for good when none is left. A kernel that works sets them back. Without a record,
 * or with one that is damaged, the newest kernel is booted and nothing is counted.
 */
#pragma once
#include "boot/disk_layout.h"
#include <stdint.h>

#define BOOT_SLOT_NEWEST 0   /* /boot/BAREFLOW.KRN */
#define BOOT_SLOT_FALLBACK 1 /* /boot/FALLBACK.KRN */
#define BOOT_SLOT_NONE 0xFF

#define BOOT_SLOT_ATTEMPTS 3         /* boots without a success before the other slot is taken */
#define BOOT_SLOTS_MAGIC 0x544F4C53u /* "SLOT" read as little-endian */
#define BOOT_SLOTS_VERSION 1
#define BOOT_SLOTS_LBA (STAGE2_LBA + STAGE2_SECTORS)

struct boot_slots {
    uint32_t magic;    /* BOOT_SLOTS_MAGIC */
    uint8_t version;   /* BOOT_SLOTS_VERSION */
    uint8_t slot;      /* which to boot: BOOT_SLOT_NEWEST or BOOT_SLOT_FALLBACK */
    uint8_t attempts;  /* boots left; BOOT_SLOT_ATTEMPTS after one that reported success */
    uint8_t requested; /* which to boot next instead, once and uncounted; else BOOT_SLOT_NONE */
    uint32_t check;    /* the four bytes before it, complemented */
};
