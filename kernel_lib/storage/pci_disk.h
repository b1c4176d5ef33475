/*
 * Disks at controllers on PCI for which there is a driver: AHCI, virtio-blk, NVMe. A driver finds
 * them without changing anything, and takes over the one that was booted.
 *
 * The BIOS can use a disk until its driver opens it, and while it is closed again.
 */
#pragma once
#include "block.h"
#include "kernel_lib/pci/pci.h"

/* A disk as the BIOS has left it. */
struct pci_disk {
    pci_function function; /* of its controller */
    unsigned port;         /* which of the controller's, as the driver counts them */
    /* Gives a number that changes whenever the BIOS makes the disk read. */
    uint32_t (*observe)(const struct pci_disk *disk);
    /* Takes the disk over from the BIOS and makes a device of it. */
    bool (*open)(const struct pci_disk *disk, struct block_device *device, struct error *error);
    /* Gives the disk back after open, whether that succeeded or not; false when the BIOS cannot use
     * it any more. */
    bool (*close)(void);
};

#define PCI_DISKS_MOST 16

struct pci_disks {
    struct pci_disk disk[PCI_DISKS_MOST];
    unsigned count;
};

/* Adds a disk, if there is room. */
void pci_disks_add(struct pci_disks *found, struct pci_disk disk);

/* The BIOS's memory at an address that was found in its controller's registers, made readable; NULL
 * if it cannot be the BIOS's. */
const void *pci_disk_memory(uint64_t address, size_t size);

/* The drivers: add what disks the function has, if it is a controller of their kind. */
void ahci_find(pci_function function, struct pci_disks *found);
void nvme_find(pci_function function, struct pci_disks *found);
void virtio_blk_find(pci_function function, struct pci_disks *found);

/* Finds the disk that the BIOS reads with `bios`, among all that the drivers find. False without
 * one; *error has a text then if there are several that it may be, and is empty otherwise. */
bool pci_disk_find_booted(struct block_device *bios, struct pci_disk *booted, struct error *error);
