/*
 * An ATA disk at a PCI IDE controller, polled: by bus-master DMA, or by
 * programmed I/O (PIO) where there is no DMA. One disk at a time.
 */
#pragma once
#include "bios_disk.h"
#include "block.h"

/* Makes a device of the disk at this place. With allow_dma false, PIO is used in any case. False
 * with *error when there is no IDE controller, no disk or one that this driver cannot use. */
bool ata_open(struct block_device *device, const struct bios_disk_path *path, bool allow_dma,
              struct error *error);
