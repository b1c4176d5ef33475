/*
 * Commands to an ATA disk, and waiting for it. Names of registers and commands are those of
 * ATA/ATAPI-6 (ANSI INCITS 361-2002).
 */
#pragma once
#include "block.h"
#include "deadline.h"
#include "kernel_lib/error.h"
#include "kernel_lib/io/ports.h"

/* Offsets from the command block's port. */
#define ATA_DATA 0
#define ATA_SECTOR_COUNT 2
#define ATA_LBA_LOW 3
#define ATA_LBA_MIDDLE 4
#define ATA_LBA_HIGH 5
#define ATA_DEVICE 6
#define ATA_STATUS 7  /* when read; this also acknowledges the interrupt */
#define ATA_COMMAND 7 /* when written */

#define ATA_STATUS_ERROR 0x01
#define ATA_STATUS_DATA_REQUEST 0x08
#define ATA_STATUS_FAULT 0x20
#define ATA_STATUS_BUSY 0x80

/* The one disk. */
struct ata_disk {
    uint16_t command_port; /* of the command block */
    uint16_t control_port; /* alternate status and device control */
    uint16_t master_port;  /* of the bus master's registers for this channel; 0: no DMA */
    uint8_t device_select; /* for the device register: master or slave, LBA */
    bool has_lba48;
};

/* The most sectors in one command with a 28-bit address; with 48 bits, BLOCK_MOST_SECTORS. */
#define ATA_MAX_SECTORS_LBA28 256

/* Waits until the disk is not busy and gives its status; false with *error after a while. */
bool ata_wait_ready(const struct ata_disk *disk, uint8_t *status, struct error *error);

/* Selects the disk, gives it a command for count sectors (not more than it can) from lba on and
 * starts it. extended: the command takes a 48-bit address. */
bool ata_command(const struct ata_disk *disk, uint8_t command, bool extended, uint64_t lba,
                 size_t count, struct error *error);

/* Says that a transfer failed; false always. */
bool ata_transfer_failed(bool write, uint64_t lba, uint8_t status, struct error *error);
