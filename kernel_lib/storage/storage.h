/*
 * The bare machine's storage: the disk that was booted, and its FAT partition. Files are reached
 * through kernel_lib/runtime.h.
 */
#pragma once
#include "boot/boot_info.h"
#include "kernel_lib/error.h"
#include <stdbool.h>

/*
 * Finds the disk that was booted and mounts its FAT partition. Needs the heap, paging, the PIC,
 * and the configuration that is there without a disk: its key `disk` (auto, ata, pio or bios)
 * chooses the way; auto is ATA with DMA where the disk is one, else the BIOS. Prints nothing when
 * there is no disk to read: files_ready, file_open and file_replace then fail with the reason.
 */
void storage_start(const struct boot_info *info);

/* Chooses the way again: `disk` may have come from a file of the disk itself. With auto, a driver
 * may now take the disk from the BIOS, which cannot be undone. Says on the console if the BIOS
 * stays the way to the disk. */
void storage_configure(void);

/* The way to the disk in a few words for people, such as "ATA disk by DMA"; "no disk" without. */
const char *storage_disk_name(void);
