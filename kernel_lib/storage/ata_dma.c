/*
 * Bus-master DMA: "Programming Interface for Bus Master IDE Controller",
 * revision 1.0.
 */
#include "ata_dma.h"
#include "kernel_lib/pci/pci.h"

/* Offsets from the channel's port. */
#define MASTER_COMMAND 0
#define MASTER_STATUS 2
#define MASTER_TABLE 4
#define MASTER_CHANNEL_SIZE 8

#define COMMAND_START 0x01
#define COMMAND_TO_MEMORY 0x08
#define STATUS_ACTIVE 0x01
#define STATUS_ERROR 0x02
#define STATUS_INTERRUPT 0x04

#define PROGRAMMING_BUS_MASTER 0x80 /* in the PCI programming interface */
#define BAR_BUS_MASTER 4
#define BAR_IS_IO 1u

#define READ_DMA 0xC8
#define READ_DMA_EXT 0x25
#define WRITE_DMA 0xCA
#define WRITE_DMA_EXT 0x35

/* A physical region descriptor: a piece of memory that crosses no 64 KiB boundary. */
struct region {
    uint32_t address;
    uint16_t size; /* 0: 64 KiB */
    uint16_t flags;
};
#define REGION_LAST 0x8000
#define REGION_SPAN 0x10000u

/* One region for each 64 KiB that the longest transfer can touch. The table must not cross such a
 * boundary itself. */
#define REGIONS (BLOCK_MOST_SECTORS * BLOCK_SECTOR_SIZE / REGION_SPAN + 1)
static _Alignas(1024) struct region table[REGIONS];
_Static_assert(sizeof table <= 1024, "alignment of the table");

uint16_t ata_dma_port(uint32_t pci_function, uint8_t channel) {
    if (!(pci_read(pci_function, PCI_CLASS) >> 8 & PROGRAMMING_BUS_MASTER))
        return 0;
    uint32_t base = pci_read(pci_function, PCI_BAR(BAR_BUS_MASTER));
    if (!(base & BAR_IS_IO) || (base & 0xFFFC) == 0)
        return 0;
    pci_enable(pci_function, PCI_COMMAND_MASTER);
    return (uint16_t)((base & 0xFFFC) + channel * MASTER_CHANNEL_SIZE);
}

static void describe(const void *buffer, size_t size) {
    uint32_t address = (uint32_t)(uintptr_t)buffer;
    struct region *region = table;
    for (;; region++) {
        uint32_t part = REGION_SPAN - address % REGION_SPAN;
        if (part >= size) {
            *region = (struct region){address, (uint16_t)size, REGION_LAST};
            return;
        }
        *region = (struct region){address, (uint16_t)part, 0};
        address += part;
        size -= part;
    }
}

bool ata_dma_transfer(const struct ata_disk *disk, bool write, uint64_t lba, size_t count,
                      void *buffer, struct error *error) {
    uint8_t direction = write ? 0 : COMMAND_TO_MEMORY;
    describe(buffer, count * BLOCK_SECTOR_SIZE);
    outb(disk->master_port + MASTER_COMMAND, direction);
    outl(disk->master_port + MASTER_TABLE, (uint32_t)(uintptr_t)table);
    /* Writing 1 clears these two; the other bits belong to the BIOS. */
    outb(disk->master_port + MASTER_STATUS,
         inb(disk->master_port + MASTER_STATUS) | STATUS_ERROR | STATUS_INTERRUPT);

    bool extended = disk->has_lba48;
    uint8_t command =
        write ? (extended ? WRITE_DMA_EXT : WRITE_DMA) : (extended ? READ_DMA_EXT : READ_DMA);
    if (!ata_command(disk, command, extended, lba, count, error))
        return false;
    outb(disk->master_port + MASTER_COMMAND, direction | COMMAND_START);

    struct deadline deadline = {0};
    uint8_t master;
    do
        master = inb(disk->master_port + MASTER_STATUS);
    while ((master & (STATUS_ACTIVE | STATUS_ERROR | STATUS_INTERRUPT)) == STATUS_ACTIVE &&
           !deadline_passed(&deadline));
    outb(disk->master_port + MASTER_COMMAND, direction); /* stopped, whatever has happened */

    uint8_t status;
    if (!ata_wait_ready(disk, &status, error))
        return false;
    if ((master & (STATUS_ACTIVE | STATUS_ERROR)) ||
        (status & (ATA_STATUS_ERROR | ATA_STATUS_FAULT)))
        return ata_transfer_failed(write, lba, status, error);
    return true;
}
