/*
 * A virtio block device on PCI, modern or transitional: "Virtual I/O Device (VIRTIO)", version 1.2,
 * sections 2.7 (split virtqueues), 3.1.1, 4.1 and 5.2. One disk, one request at a time, polled.
 */
#include "deadline.h"
#include "disk_error.h"
#include "kernel_lib/runtime.h"
#include "pci_disk.h"

#define NAME "virtio disk"

#define ID_TRANSITIONAL 0x10011AF4u /* device and vendor */
#define ID_MODERN 0x10421AF4u

/* 4.1.4: a vendor capability's registers, and what it can be about. */
#define CAPABILITY_KIND(value) ((value) >> 24) /* in its first word */
#define CAPABILITY_BAR 4
#define CAPABILITY_OFFSET 8
#define CAPABILITY_LENGTH 12
#define CAPABILITY_MULTIPLIER 16 /* of KIND_NOTIFY */
#define KIND_COMMON 1
#define KIND_NOTIFY 2
#define KIND_DEVICE 4

/* 4.1.4.3. */
struct common {
    uint32_t device_feature_select, device_feature;
    uint32_t driver_feature_select, driver_feature;
    uint16_t config_msix_vector, queue_count;
    uint8_t device_status, config_generation;
    uint16_t queue_select, queue_size, queue_msix_vector, queue_enable, queue_notify_offset;
    uint32_t queue_descriptors[2], queue_available[2], queue_used[2];
};
#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define STATUS_GONE 0xFF /* what a register reads as */
#define NO_VECTOR 0xFFFF

/* Features. */
#define FEATURE_SIZE_MAX (1u << 1)
#define FEATURE_BLOCK_SIZE (1u << 6)
#define FEATURE_FLUSH (1u << 9)
#define FEATURE_VERSION_1 (1u << 0) /* in the second word */

/* 5.2.4: the device's own configuration, as indices of 32-bit words. */
#define CONFIG_CAPACITY 0 /* two words */
#define CONFIG_SIZE_MAX 2
#define CONFIG_BLOCK_SIZE 5
#define CONFIG_SIZE 24

/* 5.2.6: a request. */
struct request {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
    uint8_t status; /* written by the device */
};
#define REQUEST_HEAD 16
#define REQUEST_READ 0
#define REQUEST_WRITE 1
#define REQUEST_FLUSH 4

/* 2.7.5 - 2.7.8: the queue. It holds the three descriptors of one request, always the same. */
#define DESCRIPTORS 4
#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_WRITE 2 /* the device writes there */
#define NO_INTERRUPT 1     /* of the available ring */

static _Alignas(16) struct {
    struct {
        uint64_t address;
        uint32_t size;
        uint16_t flags, next;
    } descriptors[DESCRIPTORS];
    struct available {
        uint16_t flags, index, ring[DESCRIPTORS];
    } available;
    _Alignas(4) struct {
        uint16_t flags;
        volatile uint16_t index;
        struct {
            uint32_t id, size;
        } ring[DESCRIPTORS];
    } used;
    struct request request;
} memory;

static volatile struct common *common;
static volatile const uint32_t *config;
static volatile uint16_t *notify;
static uint32_t features; /* that both sides have */
static bool was_reset;

/* Maps the registers of a kind; with notify, those of the queue with this notify offset. */
static volatile void *map_registers(pci_function function, uint32_t kind, uint32_t size,
                                    uint16_t notify_offset) {
    uint8_t place = 0;
    while ((place = pci_capability(function, PCI_CAPABILITY_VENDOR, place)) != 0) {
        if (CAPABILITY_KIND(pci_read(function, place)) != kind)
            continue;
        uint64_t offset = pci_read(function, place + CAPABILITY_OFFSET);
        if (kind == KIND_NOTIFY)
            offset += (uint64_t)notify_offset * pci_read(function, place + CAPABILITY_MULTIPLIER);
        return pci_map(function, (uint8_t)pci_read(function, place + CAPABILITY_BAR), offset, size);
    }
    return NULL;
}

static void set_address(volatile uint32_t registers[2], const void *address) {
    registers[0] = (uint32_t)(uintptr_t)address;
    registers[1] = (uint32_t)((uint64_t)(uintptr_t)address >> 32);
}

/* 3.1.1, 4.1.5.1: the device from a reset on, until it takes requests. */
static bool start(struct error *error) {
    struct deadline deadline = {0};
    common->device_status = 0;
    while (common->device_status != 0)
        if (common->device_status == STATUS_GONE || deadline_passed(&deadline))
            return disk_is_gone(NAME, error);
    uint8_t status = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
    common->device_status = status;
    if (common->device_status != status) /* registers of a device that was removed: zeros */
        return disk_is_gone(NAME, error);
    common->driver_feature_select = 0;
    common->driver_feature = features;
    common->driver_feature_select = 1;
    common->driver_feature = FEATURE_VERSION_1;
    common->device_status = status |= STATUS_FEATURES_OK;
    if (!(common->device_status & STATUS_FEATURES_OK))
        return error_set(error, "The virtio disk wants features that the driver does not have.");

    memset(&memory, 0, sizeof memory);
    memory.available.flags = NO_INTERRUPT;
    common->config_msix_vector = NO_VECTOR;
    common->queue_select = 0;
    common->queue_size = DESCRIPTORS;
    common->queue_msix_vector = NO_VECTOR;
    set_address(common->queue_descriptors, memory.descriptors);
    set_address(common->queue_available, &memory.available);
    set_address(common->queue_used, &memory.used);
    common->queue_enable = 1;
    common->device_status = status | STATUS_DRIVER_OK;
    return true;
}

static bool virtio_recover(struct block_device *device, struct error *error) {
    device->is_gone = !start(error);
    return !device->is_gone;
}

/* One request; size 0 without data. */
static bool run(const char *action, uint32_t type, uint64_t lba, void *buffer, size_t size,
                struct error *error) {
    struct deadline deadline = {0};
    bool to_memory = type == REQUEST_READ;
    memory.request =
        (struct request){.type = type, .sector = type == REQUEST_FLUSH ? 0 : lba, .status = 0xFF};
    memory.descriptors[0].address = (uintptr_t)&memory.request;
    memory.descriptors[0].size = REQUEST_HEAD;
    memory.descriptors[0].flags = DESCRIPTOR_NEXT;
    memory.descriptors[0].next = size ? 1 : 2;
    memory.descriptors[1].address = (uintptr_t)buffer;
    memory.descriptors[1].size = (uint32_t)size;
    memory.descriptors[1].flags = DESCRIPTOR_NEXT | (to_memory ? DESCRIPTOR_WRITE : 0);
    memory.descriptors[1].next = 2;
    memory.descriptors[2].address = (uintptr_t)&memory.request.status;
    memory.descriptors[2].size = 1;
    memory.descriptors[2].flags = DESCRIPTOR_WRITE;
    __asm__ volatile("" : : : "memory"); /* x86 keeps the order of writes, the compiler need not */
    uint16_t done = ++memory.available.index;
    __asm__ volatile("mfence" : : : "memory");
    *notify = 0; /* queue 0 */
    while (memory.used.index != done)
        if (deadline_passed(&deadline))
            return disk_is_silent(NAME, action, error);
    __asm__ volatile("" : : : "memory");
    if (memory.request.status == 0)
        return true;
    return disk_refuses(NAME, action, lba, memory.request.status, error);
}

static bool virtio_transfer(struct block_device *device, bool write, uint64_t lba, size_t count,
                            void *buffer, struct error *error) {
    (void)device;
    return run(write ? "write" : "read", write ? REQUEST_WRITE : REQUEST_READ, lba, buffer,
               count * BLOCK_SECTOR_SIZE, error);
}

static bool virtio_flush(struct block_device *device, struct error *error) {
    struct error after;
    /* 5.2.6.2: without the feature a write that has ended is on the medium. */
    return !(features & FEATURE_FLUSH) ||
           run("empty its write cache", REQUEST_FLUSH, NO_SECTOR, NULL, 0, error) ||
           (virtio_recover(device, &after), false);
}

static bool virtio_open(const struct pci_disk *disk, struct block_device *device,
                        struct error *error) {
    common = map_registers(disk->function, KIND_COMMON, sizeof *common, 0);
    config = map_registers(disk->function, KIND_DEVICE, CONFIG_SIZE, 0);
    if (common) {
        common->queue_select = 0;
        notify =
            map_registers(disk->function, KIND_NOTIFY, sizeof *notify, common->queue_notify_offset);
    }
    if (!common || !config || !notify)
        return error_set(error, "The virtio disk's registers cannot be reached.");
    common->device_feature_select = 0;
    features = common->device_feature & (FEATURE_SIZE_MAX | FEATURE_BLOCK_SIZE | FEATURE_FLUSH);
    size_t most = BLOCK_MOST_SECTORS;
    if (features & FEATURE_SIZE_MAX && config[CONFIG_SIZE_MAX] / BLOCK_SECTOR_SIZE < most)
        most = config[CONFIG_SIZE_MAX] / BLOCK_SECTOR_SIZE;
    if (common->queue_size < DESCRIPTORS || most == 0)
        return error_set(error, "The virtio disk's queue or its requests are too short.");
    if (features & FEATURE_BLOCK_SIZE && config[CONFIG_BLOCK_SIZE] != BLOCK_SECTOR_SIZE)
        return error_set(error, "The virtio disk's sectors are not of 512 bytes.");
    *device = (struct block_device){
        .name = NAME,
        .sector_count = config[CONFIG_CAPACITY] | (uint64_t)config[CONFIG_CAPACITY + 1] << 32,
        .transfer = virtio_transfer,
        .flush = virtio_flush,
        .recover = virtio_recover,
        .can_flush = true,
        .most_sectors = most,
    };
    pci_enable(disk->function, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    was_reset = true;
    return start(error);
}

/* The BIOS does not know of a reset. */
static bool virtio_close(void) {
    return !was_reset;
}

/* How many requests the BIOS has put into the queue. */
static uint32_t virtio_observe(const struct pci_disk *disk) {
    volatile struct common *here = map_registers(disk->function, KIND_COMMON, sizeof *here, 0);
    here->queue_select = 0;
    const struct available *available = pci_disk_memory(
        here->queue_available[0] | (uint64_t)here->queue_available[1] << 32, sizeof *available);
    return available ? available->index : 0;
}

void virtio_blk_find(pci_function function, struct pci_disks *found) {
    uint32_t id = pci_read(function, PCI_ID);
    if ((id == ID_TRANSITIONAL || id == ID_MODERN) &&
        map_registers(function, KIND_COMMON, sizeof *common, 0))
        pci_disks_add(found, (struct pci_disk){.function = function,
                                               .observe = virtio_observe,
                                               .open = virtio_open,
                                               .close = virtio_close});
}
