#include "ata_command.h"
#include <inttypes.h>

bool ata_transfer_failed(bool write, uint64_t lba, uint8_t status, struct error *error) {
    return error_set(error, "The ATA disk cannot %s at sector %" PRIu64 ": status 0x%02x.",
                     write ? "write" : "read", lba, status);
}

bool ata_wait_ready(const struct ata_disk *disk, uint8_t *status, struct error *error) {
    struct deadline deadline = {0};
    do {
        *status = inb(disk->command_port + ATA_STATUS);
        if (!(*status & ATA_STATUS_BUSY))
            return true;
    } while (!deadline_passed(&deadline));
    return error_set(error,
                     "The ATA disk does not answer: status 0x%02x after %d seconds. Try the "
                     "setting disk = bios.",
                     *status, DEADLINE_SECONDS);
}

bool ata_command(const struct ata_disk *disk, uint8_t command, bool extended, uint64_t lba,
                 size_t count, struct error *error) {
    uint8_t status;
    uint16_t port = disk->command_port;
    outb(port + ATA_DEVICE,
         extended ? disk->device_select : (uint8_t)(disk->device_select | (lba >> 24 & 0x0F)));
    /* The disk may take 400 ns to show its status after it is selected: four reads of a register
     * on the ISA-compatible bus. */
    for (int i = 0; i < 4; i++)
        inb(disk->control_port);
    if (!ata_wait_ready(disk, &status, error))
        return false;
    if (extended) { /* each register holds two bytes, the higher one written first */
        outb(port + ATA_SECTOR_COUNT, (uint8_t)(count >> 8));
        outb(port + ATA_LBA_LOW, (uint8_t)(lba >> 24));
        outb(port + ATA_LBA_MIDDLE, (uint8_t)(lba >> 32));
        outb(port + ATA_LBA_HIGH, (uint8_t)(lba >> 40));
    }
    outb(port + ATA_SECTOR_COUNT, (uint8_t)count);
    outb(port + ATA_LBA_LOW, (uint8_t)lba);
    outb(port + ATA_LBA_MIDDLE, (uint8_t)(lba >> 8));
    outb(port + ATA_LBA_HIGH, (uint8_t)(lba >> 16));
    outb(port + ATA_COMMAND, command);
    inb(disk->control_port); /* 400 ns again before the status counts */
    return true;
}
