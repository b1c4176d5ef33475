/*
 * The booted disk through the BIOS's INT 13h: slow, but whatever the BIOS could
 * boot from can be read and written. With the extensions (LBA) where the drive
 * has them, else by cylinder, head and sector.
 */
#pragma once
#include "block.h"
#include "boot/boot_info.h"

/* Makes a device of the drive that was booted. Needs real_mode_start(). */
bool bios_disk_open(struct block_device *device, const struct boot_info *info, struct error *error);

/* Where a disk sits, as the BIOS knows it. */
struct bios_disk_path {
    uint8_t bus, slot, function; /* of its controller on PCI */
    uint16_t command_port;       /* of its channel */
    bool is_slave;
};

/* Whether the booted disk is an ATA disk at a PCI controller, and at which. Needs
 * real_mode_start(). */
bool bios_disk_ata_path(const struct boot_info *info, struct bios_disk_path *path);
