#include "storage.h"
#include "ata.h"
#include "bios_disk.h"
#include "boot/memory_map.h"
#include "boot_slots.h"
#include "files.h"
#include "kernel_lib/cpu/real_mode.h"
#include "kernel_lib/generations.h"
#include "kernel_lib/runtime.h"
#include "mbr.h"
#include "pci_disk.h"

#define LOADED_MBR ((const uint8_t *)STAGE1_ADDRESS) /* where the BIOS loaded the boot sector */

enum disk_choice { DISK_AUTO, DISK_ATA, DISK_PIO, DISK_BIOS };
static const char *const choice_names[] = {"auto", "ata", "pio", "bios"};

static const struct boot_info *boot;
static struct block_device device = {.name = "no disk"};
static enum disk_choice choice; /* what the device was opened with */

const char *storage_disk_name(void) {
    return device.name;
}

static bool wanted_choice(enum disk_choice *wanted, struct error *error) {
    const char *name = config_get("disk");
    for (unsigned i = 0; i < sizeof choice_names / sizeof *choice_names; i++) {
        if (!name || strcmp(name, choice_names[i]) == 0) {
            *wanted = (enum disk_choice)i;
            return true;
        }
    }
    return error_set(error, "disk = %.40s is not possible: choose auto, ata, pio or bios.", name);
}

/* Reads the first sector, which must be the one that the BIOS has loaded. The program in front of
 * disk signature and partition table may differ: it may keep variables. */
static bool is_booted(struct block_device *disk, struct error *error) {
    uint8_t sector[BLOCK_SECTOR_SIZE];
    if (!block_read(disk, 0, 1, sector, error))
        return false;
    return memcmp(sector + MBR_DISK_ID_OFFSET, LOADED_MBR + MBR_DISK_ID_OFFSET,
                  BLOCK_SECTOR_SIZE - MBR_DISK_ID_OFFSET) == 0 ||
           error_set(error,
                     "The %s that the BIOS names is not the one that was booted. Use disk = bios.",
                     disk->name);
}

static bool open_ata(bool allow_dma, struct error *error) {
    struct bios_disk_path path;
    if (!bios_disk_ata_path(boot, &path))
        return error_set(error, "The disk that was booted is no ATA disk, or the BIOS does not say "
                                "so. Use disk = bios.");
    return ata_open(&device, &path, allow_dma, error) && is_booted(&device, error);
}

/* Opens the disk in the way chosen, but not yet by a driver that takes it from the BIOS. */
static bool open_disk(struct error *error) {
    switch (choice) {
    case DISK_ATA:
    case DISK_PIO:
        return open_ata(choice == DISK_ATA, error);
    case DISK_AUTO:
        if (open_ata(true, error))
            return true;
        break;
    case DISK_BIOS:
        break;
    }
    return bios_disk_open(&device, boot, error);
}

static bool mount_device(struct error *error) {
    uint8_t sector[BLOCK_SECTOR_SIZE];
    struct mbr_partition partition;
    return block_read(&device, 0, 1, sector, error) &&
           mbr_find_fat(sector, device.sector_count, boot->partition_lba, &partition, error) &&
           files_mount(&device, partition.first_sector, partition.sector_count, error);
}

/* From here on every file operation gives this reason: whoever needs a file reports it, once. */
static void give_up(const struct error *reason) {
    device.name = "no disk";
    files_unmount(reason);
    boot_slots_start(NULL, boot);
}

/* Mounts the file system of the disk that was opened, or gives up. */
static void mount(bool is_open, struct error *error) {
    generations_forget();
    if (is_open && mount_device(error))
        boot_slots_start(&device, boot);
    else
        give_up(error);
}

static void open_and_mount(void) {
    struct error error;
    mount(open_disk(&error), &error);
}

/* Lets a driver of this kernel take the disk from the BIOS, if there is one. */
static void take_from_bios(void) {
    struct error error;
    struct pci_disk disk;
    struct block_device taken;
    bool is_found = pci_disk_find_booted(&device, &disk, &error);
    bool is_open = is_found && disk.open(&disk, &taken, &error) && is_booted(&taken, &error);
    if (is_open)
        device = taken;
    if (is_open || (is_found && !disk.close()))
        mount(is_open, &error);
    else if (error.text[0])
        console_printf("note: %s The BIOS reads and writes the disk.\n", error.text);
}

void storage_start(const struct boot_info *info) {
    struct error error;
    boot = info;
    if (wanted_choice(&choice, &error) && real_mode_start(&error))
        open_and_mount();
    else
        give_up(&error);
}

void storage_configure(void) {
    struct error error;
    enum disk_choice opened = choice;
    if (!wanted_choice(&choice, &error))
        give_up(&error);
    else if (choice != opened)
        open_and_mount();
    if (choice == DISK_AUTO && files_ready(&error) && !device.can_flush)
        take_from_bios();
    if (files_ready(&error) && !device.can_flush)
        console_puts("note: The BIOS cannot flush the disk: a power cut may take what is saved "
                     "from now on.\n");
}
