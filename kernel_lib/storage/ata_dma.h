/*
 * Bus-master DMA of an ATA disk at a PCI IDE controller.
 */
#pragma once
#include "ata_command.h"

/* Finds the bus master of the channel and lets it use the bus: its port, or 0 if there is none. */
uint16_t ata_dma_port(uint32_t pci_function, uint8_t channel);

/* What the bus master can reach: buffers at even addresses below 4 GiB. */
#define ATA_DMA_ALIGNMENT 2
#define ATA_DMA_REACH (1ull << 32)

/* One command between the disk and a buffer that the bus master can reach. */
bool ata_dma_transfer(const struct ata_disk *disk, bool write, uint64_t lba, size_t count,
                      void *buffer, struct error *error);
