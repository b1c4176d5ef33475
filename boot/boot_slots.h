/*
 * Boot slots: a disk may have two kernels, and when the one that is to be booted does not come up,
 * the loader takes the other. This is the record that the loader and the kernel keep about it, at
 * the start of a sector of its own, because a disk writes one sector whole or not at all.
 * site_scons/bareflow/layouts.py reads this header for the loader and for the image builder.
 *
 * The loader counts `attempts` down at every boot of `slot`, before it loads the kernel, and takes
 * the other slot for good when none is left. A kernel that works sets them back. Without a record,
 * or with one that is damaged, /boot/BAREFLOW.KRN is booted and nothing is counted.
 *
 * The slots' kernels may be snapshots, which a kernel has written. If neither can be loaded, the
 * loader takes /boot/BAREFLOW.KRN.
 */
#pragma once
#include "boot/disk_layout.h"
#include <stdint.h>

#define BOOT_SLOT_NEWEST 0
#define BOOT_SLOT_FALLBACK 1
#define BOOT_SLOT_ROOT 2 /* /boot/BAREFLOW.KRN, whatever the slots hold */
#define BOOT_SLOT_NONE 0xFF
#define BOOT_SLOTS_COUNT 2 /* with names in the record */

/* Folders of kernels. */
#define BOOT_FOLDER_BOOT 0      /* /boot */
#define BOOT_FOLDER_SNAPSHOTS 1 /* /boot/snapshots */

#define BOOT_SLOT_ATTEMPTS 3         /* boots without a success before the other slot is taken */
#define BOOT_SLOTS_MAGIC 0x544F4C53u /* "SLOT" read as little-endian */
#define BOOT_SLOTS_VERSION 2
#define BOOT_SLOTS_LBA STAGES_SECTORS

struct slot_kernel {
    unsigned char name[11]; /* as in a FAT directory: "BAREFLOWKRN" */
    uint8_t folder;         /* BOOT_FOLDER_BOOT or BOOT_FOLDER_SNAPSHOTS */
};

struct boot_slots {
    uint32_t magic;    /* BOOT_SLOTS_MAGIC */
    uint8_t version;   /* BOOT_SLOTS_VERSION */
    uint8_t slot;      /* which to boot: BOOT_SLOT_NEWEST or BOOT_SLOT_FALLBACK */
    uint8_t attempts;  /* boots left; BOOT_SLOT_ATTEMPTS after one that reported success */
    uint8_t requested; /* which to boot next instead, once and uncounted; else BOOT_SLOT_NONE */
    struct slot_kernel kernel[BOOT_SLOTS_COUNT];
    uint32_t check; /* the complement of the sum of the 32-bit words from version to here */
};
