/*
 * The bare machine's storage: the disk that was booted, its FAT16 partition,
 * and the configuration. Files are reached through kernel_lib/runtime.h.
 */
#pragma once
#include "boot/boot_info.h"
#include "kernel_lib/error.h"
#include <stdbool.h>

/*
 * Finds the disk that was booted (ATA with DMA where it is one, otherwise
 * through the BIOS) and mounts its FAT16 partition. Needs the heap, paging and
 * the PIC. Reads fw_cfg's opt/bareflow/config first, because its key `disk`
 * (auto, ata, pio or bios) chooses the way. Prints nothing when there is no disk
 * to read: files_ready, file_open and file_replace then fail with the reason.
 */
void storage_start(const struct boot_info *info);

/*
 * Reads /boot/BAREFLOW.CFG, if it is there, below what fw_cfg has set, and
 * prints one line for each line of either that cannot be understood. A `disk`
 * key that only the file holds takes effect here.
 */
void config_start(void);

/* The way to the disk in a few words for people, such as "ATA disk by DMA"; "no disk" without. */
const char *storage_disk_name(void);
