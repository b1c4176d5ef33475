#include "pci_disk.h"
#include "boot/disk_layout.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/memory/layout.h"

#define LOWEST_OF_BIOS 0x80000 /* below: the loader's memory and ours */

void pci_disks_add(struct pci_disks *found, struct pci_disk disk) {
    if (found->count < PCI_DISKS_MOST)
        found->disk[found->count++] = disk;
}

const void *pci_disk_memory(uint64_t address, size_t size) {
    struct error error;
    uint64_t first = address & ~(PAGE_SIZE - 1);
    uint64_t end = (address + size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    bool is_ours = first < (uintptr_t)__kernel_end && end > (uintptr_t)__kernel_start;
    if (address < LOWEST_OF_BIOS || address >= MEMORY_END || end > MEMORY_END || is_ours ||
        !memory_protect(first, end - first, MEMORY_READ_WRITE, &error))
        return NULL;
    return (const void *)address;
}

static void find(pci_function function, void *found) {
    ahci_find(function, found);
    nvme_find(function, found);
    virtio_blk_find(function, found);
}

bool pci_disk_find_booted(struct block_device *bios, struct pci_disk *booted, struct error *error) {
    struct pci_disks found = {.count = 0};
    uint32_t before[PCI_DISKS_MOST];
    uint8_t sector[BLOCK_SECTOR_SIZE];
    unsigned changed = 0;
    *error = (struct error){""};
    pci_for_each(find, &found);
    if (found.count == 0)
        return false;
    for (unsigned i = 0; i < found.count; i++)
        before[i] = found.disk[i].observe(&found.disk[i]);
    /* Two that are nowhere the same: a command like the one before leaves the same trace. */
    if (!block_read(bios, 0, 1, sector, error) || !block_read(bios, LARGE_SECTOR, 1, sector, error))
        return false;
    for (unsigned i = 0; i < found.count; i++) {
        if (found.disk[i].observe(&found.disk[i]) == before[i])
            continue;
        *booted = found.disk[i];
        changed++;
    }
    if (changed > 1)
        error_set(error, "Several disks may be the one that was booted.");
    return changed == 1;
}
