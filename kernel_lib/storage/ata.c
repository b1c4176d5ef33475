/*
 * ATA/ATAPI-6 (ANSI INCITS 361-2002); "PCI IDE Controller Specification",
 * revision 1.0, for the ports.
 */
#include "ata.h"
#include "ata_dma.h"
#include "kernel_lib/cpu/real_mode.h"
#include "kernel_lib/pci/pci.h"
#include "kernel_lib/runtime.h"

#define DEVICE_LBA 0xE0 /* with two bits that were once obligatory */
#define DEVICE_SLAVE 0x10

#define READ_SECTORS 0x20
#define READ_SECTORS_EXT 0x24
#define WRITE_SECTORS 0x30
#define WRITE_SECTORS_EXT 0x34
#define FLUSH_CACHE 0xE7
#define FLUSH_CACHE_EXT 0xEA
#define IDENTIFY_DEVICE 0xEC

/* Words of IDENTIFY DEVICE's answer. */
#define IDENTIFY_CAPABILITIES 49
#define CAPABILITY_DMA (1u << 8)
#define CAPABILITY_LBA (1u << 9)
#define IDENTIFY_SECTORS_28 60 /* 2 words */
#define IDENTIFY_MULTIWORD_DMA 63
#define IDENTIFY_COMMAND_SETS 83
#define COMMAND_SET_LBA48 (1u << 10)
#define IDENTIFY_ULTRA_DMA 88
#define DMA_MODE_SELECTED 0xFF00u
#define IDENTIFY_SECTORS_48 100 /* 4 words */
#define IDENTIFY_SECTOR_SIZE 106
#define SECTOR_SIZE_VALID 0xC000u
#define SECTOR_SIZE_VALID_VALUE 0x4000u
#define SECTOR_SIZE_OTHER (1u << 12) /* a logical sector is not of 512 bytes */

#define WORDS_PER_SECTOR (BLOCK_SECTOR_SIZE / 2)
#define CONTROL_RESET 0x04 /* SRST in the device control register */
#define RESET_TIME 2       /* ms: how long the disk may take to show that it is being reset */
#define NO_DEVICE 0xFF     /* what a bus without a device reads as */

static struct ata_disk disk;

/* Whether the disk has or wants a sector of data. */
static bool requests_data(uint8_t status) {
    return (status & (ATA_STATUS_DATA_REQUEST | ATA_STATUS_ERROR | ATA_STATUS_FAULT)) ==
           ATA_STATUS_DATA_REQUEST;
}

/* Ends whatever the disk is doing (ATA/ATAPI-6, 9.2 "software reset"), after a failure. */
static bool reset(struct error *error) {
    uint8_t status;
    outb(disk.control_port, CONTROL_RESET);
    wait_milliseconds(RESET_TIME);
    outb(disk.control_port, 0);
    wait_milliseconds(RESET_TIME);
    return ata_wait_ready(&disk, &status, error);
}

static bool pio_transfer(bool write, uint64_t lba, size_t count, uint8_t *buffer,
                         struct error *error) {
    bool extended = disk.has_lba48;
    uint8_t command = write ? (extended ? WRITE_SECTORS_EXT : WRITE_SECTORS)
                            : (extended ? READ_SECTORS_EXT : READ_SECTORS);
    uint8_t status = 0;
    if (!ata_command(&disk, command, extended, lba, count, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!ata_wait_ready(&disk, &status, error))
            return false;
        if (!requests_data(status))
            return ata_transfer_failed(write, lba + i, status, error);
        if (write)
            outsw(disk.command_port + ATA_DATA, buffer, WORDS_PER_SECTOR);
        else
            insw(disk.command_port + ATA_DATA, buffer, WORDS_PER_SECTOR);
        buffer += BLOCK_SECTOR_SIZE;
    }
    if (!ata_wait_ready(&disk, &status, error))
        return false;
    if (status & (ATA_STATUS_ERROR | ATA_STATUS_FAULT))
        return ata_transfer_failed(write, lba, status, error);
    return true;
}

static bool ata_transfer(struct block_device *device, bool write, uint64_t lba, size_t count,
                         void *buffer, struct error *error) {
    (void)device;
    return disk.master_port ? ata_dma_transfer(&disk, write, lba, count, buffer, error)
                            : pio_transfer(write, lba, count, buffer, error);
}

/* After DMA has failed: PIO from here on. */
static bool ata_recover(struct block_device *device, struct error *error) {
    if (disk.master_port == 0)
        return false;
    disk.master_port = 0;
    if (!reset(error))
        return false;
    device->name = "ATA disk by PIO (DMA failed)";
    return true;
}

static bool ata_flush(struct block_device *device, struct error *error) {
    (void)device;
    uint8_t status;
    if (!ata_command(&disk, disk.has_lba48 ? FLUSH_CACHE_EXT : FLUSH_CACHE, false, 0, 0, error) ||
        !ata_wait_ready(&disk, &status, error))
        return false;
    if (status & (ATA_STATUS_ERROR | ATA_STATUS_FAULT))
        return error_set(error, "The ATA disk cannot empty its write cache: status 0x%02x.",
                         status);
    return true;
}

/* The ports of a channel: fixed ones, or those in the base addresses when the channel is in native
 * mode. */
static void read_ports(pci_function function, uint8_t channel) {
    static const uint16_t command_ports[] = {0x1F0, 0x170}, control_ports[] = {0x3F6, 0x376};
    uint8_t programming = (uint8_t)(pci_read(function, PCI_CLASS) >> 8);
    if (programming & (1u << 2 * channel)) {
        disk.command_port = pci_read(function, PCI_BAR(2 * channel)) & 0xFFFC;
        disk.control_port = (pci_read(function, PCI_BAR(2 * channel + 1)) & 0xFFFC) + 2;
    } else {
        disk.command_port = command_ports[channel];
        disk.control_port = control_ports[channel];
    }
}

/* Finds the channel that has this command port. */
static bool find_channel(pci_function function, uint16_t command_port, uint8_t *channel) {
    for (*channel = 0; *channel < 2; ++*channel) {
        read_ports(function, *channel);
        if (disk.command_port == command_port)
            return true;
    }
    return false;
}

/* Asks the disk what it is. */
static bool identify(uint16_t words[WORDS_PER_SECTOR], struct error *error) {
    uint8_t status = inb(disk.command_port + ATA_STATUS);
    if (status != NO_DEVICE && ata_command(&disk, IDENTIFY_DEVICE, false, 0, 0, error) &&
        ata_wait_ready(&disk, &status, error) && requests_data(status)) {
        insw(disk.command_port + ATA_DATA, words, WORDS_PER_SECTOR);
        return true;
    }
    return error_set(error, "No ATA disk answers at port 0x%x: status 0x%02x.", disk.command_port,
                     status);
}

bool ata_open(struct block_device *device, const struct bios_disk_path *path, bool allow_dma,
              struct error *error) {
    pci_function function = pci_function_at(path->bus, path->slot, path->function);
    uint8_t channel;
    if (pci_read(function, PCI_CLASS) >> 16 != PCI_CLASS_IDE ||
        !find_channel(function, path->command_port, &channel))
        return error_set(error, "The disk that was booted is not at an IDE controller.");
    disk.device_select = DEVICE_LBA | (path->is_slave ? DEVICE_SLAVE : 0);

    uint16_t words[WORDS_PER_SECTOR];
    if (!identify(words, error))
        return false;
    if (!(words[IDENTIFY_CAPABILITIES] & CAPABILITY_LBA))
        return error_set(error, "The ATA disk has no LBA; use the setting disk = bios.");
    if ((words[IDENTIFY_SECTOR_SIZE] & SECTOR_SIZE_VALID) == SECTOR_SIZE_VALID_VALUE &&
        (words[IDENTIFY_SECTOR_SIZE] & SECTOR_SIZE_OTHER))
        return error_set(error, "The ATA disk's sectors are not of 512 bytes.");

    /* DMA only if the BIOS has set a mode: it knows the timing that the cable bears. */
    bool has_dma = words[IDENTIFY_CAPABILITIES] & CAPABILITY_DMA &&
                   (words[IDENTIFY_MULTIWORD_DMA] | words[IDENTIFY_ULTRA_DMA]) & DMA_MODE_SELECTED;
    disk.has_lba48 = words[IDENTIFY_COMMAND_SETS] & COMMAND_SET_LBA48;
    disk.master_port = allow_dma && has_dma ? ata_dma_port(function, channel) : 0;
    /* The disk's interrupt is the bus master's end of transfer, so it is on. The PIC masks it. */
    outb(disk.control_port, 0);
    *device = (struct block_device){
        .name = disk.master_port ? "ATA disk by DMA" : "ATA disk by PIO",
        .transfer = ata_transfer,
        .flush = ata_flush,
        .recover = ata_recover,
        .can_flush = true,
        .most_sectors = disk.has_lba48 ? BLOCK_MOST_SECTORS : ATA_MAX_SECTORS_LBA28,
        .alignment = ATA_DMA_ALIGNMENT,
        .reach = ATA_DMA_REACH,
        .bounce = (void *)REAL_MODE_TRANSFER,
        .bounce_sectors = REAL_MODE_TRANSFER_SIZE / BLOCK_SECTOR_SIZE,
    };
    if (disk.has_lba48)
        memcpy(&device->sector_count, &words[IDENTIFY_SECTORS_48], 8);
    else
        memcpy(&device->sector_count, &words[IDENTIFY_SECTORS_28], 4);
    return true;
}
