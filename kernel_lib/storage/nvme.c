/*
 * NVMe disks: "NVM Express Base Specification", revision 1.4. One namespace. A transfer is divided
 * into as many commands as the controller's limit asks for, which all wait in the queue at once.
 */
#include "disk_error.h"
#include "kernel_lib/runtime.h"
#include "nvme_controller.h"
#include "pci_disk.h"

#define CLASS_NVME 0x010802 /* class, subclass, programming interface */

/* Chapter 5, 6: commands. */
#define ADMIN_IDENTIFY 0x06
#define IDENTIFY_NAMESPACE 0
#define IDENTIFY_CONTROLLER 1
#define IDENTIFY_NAMESPACES 2
#define ADMIN_GET_LOG 0x02
#define LOG_HEALTH 0x02u
#define LOG_HEALTH_SIZE 512u
#define HEALTH_READS 64 /* in the log */
#define IO_FLUSH 0x00
#define IO_WRITE 0x01
#define IO_READ 0x02

#define PART_PAGES 128u /* of one command at most: 512 KiB */

static struct nvme_controller controller;
static uint32_t name_space;
static unsigned sector_shift; /* one of the disk's sectors is 1 << this of 512 bytes */
static uint32_t part_sectors;
static bool was_started; /* and the BIOS's queues are gone */

static bool nvme_recover(struct block_device *device, struct error *error) {
    device->is_gone = !nvme_controller_start(&controller, error);
    return !device->is_gone;
}

/* 4.3: the pages of a buffer; a list where there are more than two. */
static void describe(struct nvme_command *command, unsigned number, uint64_t address,
                     uint64_t size) {
    uint64_t second = (address & ~(uint64_t)(NVME_PAGE - 1)) + NVME_PAGE, end = address + size;
    command->pages[0] = address;
    command->pages[1] = second;
    if (end <= second + NVME_PAGE)
        return;
    uint64_t *list = controller.memory->lists[number];
    command->pages[1] = (uintptr_t)list;
    for (uint64_t page = second; page < end; page += NVME_PAGE)
        *list++ = page;
}

static bool nvme_transfer(struct block_device *device, bool write, uint64_t lba, size_t count,
                          void *buffer, struct error *error) {
    (void)device;
    uint16_t status;
    unsigned commands = 0;
    for (size_t done = 0, part; done < count; done += part) {
        part = count - done < part_sectors ? count - done : part_sectors;
        uint64_t first = (lba + done) >> sector_shift;
        struct nvme_command command = {.opcode = write ? IO_WRITE : IO_READ,
                                       .name_space = name_space,
                                       .arguments = {(uint32_t)first, (uint32_t)(first >> 32),
                                                     (uint32_t)(part >> sector_shift) - 1}};
        describe(&command, commands++, (uintptr_t)buffer + done * BLOCK_SECTOR_SIZE,
                 part * BLOCK_SECTOR_SIZE);
        nvme_queue_submit(&controller.io, command);
    }
    return nvme_queue_finish(&controller.io, commands, &status) ||
           nvme_failed(write ? "write" : "read", lba, status, error);
}

static bool nvme_flush(struct block_device *device, struct error *error) {
    struct error after;
    uint16_t status;
    nvme_queue_submit(&controller.io,
                      (struct nvme_command){.opcode = IO_FLUSH, .name_space = name_space});
    if (nvme_queue_finish(&controller.io, 1, &status))
        return true;
    nvme_failed("empty its write cache", NO_SECTOR, status, error);
    nvme_recover(device, &after);
    return false;
}

static bool identify(uint32_t what, uint32_t of, struct error *error) {
    return nvme_administer(&controller, "say what it is",
                           (struct nvme_command){.opcode = ADMIN_IDENTIFY,
                                                 .name_space = of,
                                                 .pages = {(uintptr_t)controller.memory->answer},
                                                 .arguments = {what}},
                           error);
}

/* Figures 245 and 247 */
#define CONTROLLER_MOST_PAGES 77 /* as a power of two; 0: any */
#define CONTROLLER_LOG_PAGES 261
#define LOG_HEALTH_OF_NAMESPACE 1
#define NAMESPACE_FORMAT 26   /* which one of these is used: */
#define NAMESPACE_FORMATS 128 /* bytes of metadata (16 bits), size of a sector as a power of two */
#define FORMAT_MASK 0xFFFFFFu
#define FORMAT_512 (9u << 16)
#define FORMAT_4096 (12u << 16)

/* The size of the sectors, and how many there are. */
static bool read_format(struct block_device *device, struct error *error) {
    uint32_t format;
    const uint8_t *answer = controller.memory->answer;
    if (!identify(IDENTIFY_NAMESPACE, name_space, error))
        return false;
    memcpy(&format, answer + NAMESPACE_FORMATS + 4 * (answer[NAMESPACE_FORMAT] & 0xF), 4);
    format &= FORMAT_MASK;
    if (format != FORMAT_512 && format != FORMAT_4096)
        return error_set(error,
                         "The NVMe disk's sectors are not of 512 or 4096 bytes, or have metadata.");
    sector_shift = format == FORMAT_4096 ? 3 : 0;
    memcpy(&device->sector_count, answer, 8);
    device->sector_count <<= sector_shift;
    device->own_sectors = 1u << sector_shift;
    return true;
}

/* What the disk is, and its limits. */
static bool read_properties(struct block_device *device, struct error *error) {
    if (!identify(IDENTIFY_CONTROLLER, 0, error))
        return false;
    uint8_t most = controller.memory->answer[CONTROLLER_MOST_PAGES];
    uint32_t pages = most && 1u << most < PART_PAGES ? 1u << most : PART_PAGES;
    part_sectors = pages * (NVME_PAGE / BLOCK_SECTOR_SIZE);
    device->most_sectors = NVME_MOST_COMMANDS * part_sectors;
    return read_format(device, error);
}

static bool nvme_open(const struct pci_disk *disk, struct block_device *device,
                      struct error *error) {
    if (!nvme_controller_borrow(&controller, disk->function))
        return error_set(error, "The NVMe disk cannot be reached.");
    if (!nvme_controller_is_usable(&controller, error))
        return false;
    name_space = disk->port;
    pci_enable(disk->function, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    *device = (struct block_device){
        .name = NVME_NAME,
        .transfer = nvme_transfer,
        .flush = nvme_flush,
        .recover = nvme_recover,
        .can_flush = true,
        .alignment = 4,
        .bounce = controller.memory->answer,
        .bounce_sectors = NVME_PAGE / BLOCK_SECTOR_SIZE,
    };
    if (!read_properties(device, error))
        return false;
    was_started = true;
    return nvme_controller_start(&controller, error);
}

static bool nvme_close(void) {
    return !was_started;
}

/* How many reads the namespace has executed, or its controller. */
static uint32_t nvme_observe(const struct pci_disk *disk) {
    struct error error;
    uint32_t reads = 0;
    if (nvme_controller_borrow(&controller, disk->function) &&
        nvme_administer(
            &controller, "count",
            (struct nvme_command){.opcode = ADMIN_GET_LOG,
                                  .name_space = disk->port,
                                  .pages = {(uintptr_t)controller.memory->answer},
                                  .arguments = {LOG_HEALTH | (LOG_HEALTH_SIZE / 4 - 1) << 16}},
            &error))
        memcpy(&reads, controller.memory->answer + HEALTH_READS, sizeof reads);
    return reads;
}

void nvme_find(pci_function function, struct pci_disks *found) {
    struct error error;
    if (pci_read(function, PCI_CLASS) >> 8 != CLASS_NVME ||
        !nvme_controller_borrow(&controller, function) || !identify(IDENTIFY_CONTROLLER, 0, &error))
        return;
    bool counts_each = controller.memory->answer[CONTROLLER_LOG_PAGES] & LOG_HEALTH_OF_NAMESPACE;
    if (!identify(IDENTIFY_NAMESPACES, 0, &error))
        return;
    uint32_t name_spaces[PCI_DISKS_MOST];
    memcpy(name_spaces, controller.memory->answer, sizeof name_spaces);
    if (!counts_each && name_spaces[1] != 0)
        return; /* which one the BIOS reads could not be told */
    for (unsigned i = 0; i < PCI_DISKS_MOST && name_spaces[i] != 0; i++)
        pci_disks_add(found, (struct pci_disk){.function = function,
                                               .port = name_spaces[i],
                                               .observe = nvme_observe,
                                               .open = nvme_open,
                                               .close = nvme_close});
}
