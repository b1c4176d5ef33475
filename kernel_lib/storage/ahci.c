/*
 * Serial ATA disks at an AHCI controller: "Serial ATA Advanced Host Controller Interface",
 * revision 1.3.1; commands are those of ATA/ATAPI-6. One disk, one command at a time, polled.
 */
#include "deadline.h"
#include "disk_error.h"
#include "kernel_lib/cpu/real_mode.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/runtime.h"
#include "pci_disk.h"

#define NAME "AHCI disk"

#define CLASS_AHCI 0x010601 /* class, subclass, programming interface */
#define BAR_AHCI 5
#define PORTS 32

/* The controller's registers, as indices of 32-bit words. */
#define HOST_CAPABILITIES (0x00 / 4)
#define CAPABILITY_64_BITS (1u << 31)
#define HOST_CONTROL (0x04 / 4)
#define CONTROL_AHCI_ENABLED (1u << 31)
#define HOST_PORTS (0x0C / 4) /* implemented */
#define HOST_PORT(n) ((0x100 + 0x80 * (n)) / 4)
#define HOST_SIZE (0x100 + 0x80 * PORTS)

/* A port's. */
#define PORT_LIST (0x00 / 4) /* two words: where the command list is */
#define PORT_FIS (0x08 / 4)  /* the same for what the disk sends */
#define PORT_INTERRUPTS (0x10 / 4)
#define INTERRUPTS_FATAL 0x78000000u /* task file, host bus fatal and data, interface fatal */
#define PORT_INTERRUPT_ENABLE (0x14 / 4)
#define PORT_COMMAND (0x18 / 4)
#define COMMAND_START (1u << 0)
#define COMMAND_FIS_ENABLE (1u << 4)
#define COMMAND_FIS_RUNNING (1u << 14)
#define COMMAND_LIST_RUNNING (1u << 15)
#define PORT_TASK_FILE (0x20 / 4)
#define TASK_FILE_ERROR 0x21u /* error, device fault */
#define TASK_FILE_BUSY 0x88u  /* busy, data request */
#define TASK_FILE_READY 0x40u
#define PORT_SIGNATURE (0x24 / 4)
#define SIGNATURE_DISK 0x00000101u
#define PORT_STATUS (0x28 / 4)
#define STATUS_DETECTION 0xFu
#define STATUS_PRESENT 3u
#define PORT_CONTROL (0x2C / 4)
#define CONTROL_RESET 1u
#define PORT_ERROR (0x30 / 4)
#define PORT_ISSUE (0x38 / 4)

#define READ_DMA_EXT 0x25
#define WRITE_DMA_EXT 0x35
#define FLUSH_CACHE_EXT 0xEA
#define IDENTIFY_DEVICE 0xEC

/* Words of IDENTIFY DEVICE's answer. */
#define IDENTIFY_COMMAND_SETS 83
#define COMMAND_SET_LBA48 (1u << 10)
#define IDENTIFY_SECTORS 100 /* 4 words */
#define IDENTIFY_SECTOR_SIZE 106
#define SECTOR_SIZE_MASK 0xD000u /* valid; a logical sector is not of 512 bytes */
#define SECTOR_SIZE_OTHER 0x5000u

/* 4.2.2: an entry of the command list. */
struct header {
    uint32_t flags;
    uint32_t transferred;
    uint64_t table;
    uint32_t reserved[4];
};
#define HEADER_FIS_WORDS 5u
#define HEADER_WRITE (1u << 6)
#define HEADER_REGIONS(n) ((uint32_t)(n) << 16)

/* 4.2.3: a command, and the one piece of memory that it needs: up to 4 MiB. */
struct table {
    uint8_t fis[64];
    uint8_t atapi[16];
    uint8_t reserved[48];
    uint64_t address;
    uint32_t zero;
    uint32_t last_byte;
};
#define FIS_TO_DEVICE 0x27
#define FIS_COMMAND 0x80 /* it is a command, not device control */
#define DEVICE_LBA 0x40

/* What the controller reads and writes. */
static _Alignas(1024) struct {
    struct header list[32];
    uint8_t received[256];
    _Alignas(128) struct table table;
} memory;

static volatile uint32_t *port;

/* How the BIOS had it. */
static struct {
    uint64_t list, received;
    uint32_t interrupts;
} bios;

/* Waits until the bits of a register are clear. */
static bool wait_clear(unsigned reg, uint32_t bits) {
    struct deadline deadline = {0};
    while (port[reg] & bits)
        if (deadline_passed(&deadline))
            return false;
    return true;
}

/* 10.1.2, 10.3.2: the port's engines off, and on with these addresses. */
static bool stop(void) {
    port[PORT_COMMAND] &= ~COMMAND_START;
    if (!wait_clear(PORT_COMMAND, COMMAND_LIST_RUNNING))
        return false;
    port[PORT_COMMAND] &= ~COMMAND_FIS_ENABLE;
    return wait_clear(PORT_COMMAND, COMMAND_FIS_RUNNING);
}

static bool start(uint64_t list, uint64_t received) {
    port[PORT_LIST] = (uint32_t)list;
    port[PORT_LIST + 1] = (uint32_t)(list >> 32);
    port[PORT_FIS] = (uint32_t)received;
    port[PORT_FIS + 1] = (uint32_t)(received >> 32);
    port[PORT_ERROR] = port[PORT_ERROR]; /* writing ones clears them */
    port[PORT_COMMAND] |= COMMAND_FIS_ENABLE;
    if (!wait_clear(PORT_TASK_FILE, TASK_FILE_BUSY))
        return false;
    port[PORT_COMMAND] |= COMMAND_START;
    return true;
}

static bool is_present(void) {
    return (port[PORT_STATUS] & STATUS_DETECTION) == STATUS_PRESENT;
}

/* 6.2.2: after a command that failed or did not end. */
static bool ahci_recover(struct block_device *device, struct error *error) {
    bool done = is_present() && stop();
    if (done && (port[PORT_TASK_FILE] & TASK_FILE_BUSY)) { /* 10.4.2: a reset of the link */
        struct deadline deadline = {0};
        port[PORT_CONTROL] = (port[PORT_CONTROL] & ~0xFu) | CONTROL_RESET;
        wait_milliseconds(1);
        port[PORT_CONTROL] &= ~0xFu;
        while (!is_present() && done)
            done = !deadline_passed(&deadline);
    }
    if (done && start((uintptr_t)memory.list, (uintptr_t)memory.received))
        return true;
    device->is_gone = true;
    return disk_is_gone(NAME, error);
}

static void describe(uint8_t command, uint64_t lba, size_t count, bool write, void *buffer,
                     size_t size) {
    uint8_t fis[] = {FIS_TO_DEVICE,
                     FIS_COMMAND,
                     command,
                     0,
                     (uint8_t)lba,
                     (uint8_t)(lba >> 8),
                     (uint8_t)(lba >> 16),
                     DEVICE_LBA,
                     (uint8_t)(lba >> 24),
                     (uint8_t)(lba >> 32),
                     (uint8_t)(lba >> 40),
                     0,
                     (uint8_t)count,
                     (uint8_t)(count >> 8)};
    memcpy(memory.table.fis, fis, sizeof fis);
    memory.table.address = (uintptr_t)buffer;
    memory.table.last_byte = (uint32_t)size - 1;
    memory.list[0] = (struct header){
        .flags = HEADER_FIS_WORDS | (write ? HEADER_WRITE : 0) | HEADER_REGIONS(size != 0),
        .table = (uintptr_t)&memory.table,
    };
}

/* One command, of which the arguments are in place; lba is for errors. */
static bool run(const char *action, uint64_t lba, struct error *error) {
    struct deadline deadline = {0};
    port[PORT_INTERRUPTS] = PCI_NOTHING; /* clears them */
    port[PORT_ISSUE] = 1;
    while ((port[PORT_ISSUE] & 1) && !(port[PORT_INTERRUPTS] & INTERRUPTS_FATAL))
        if (deadline_passed(&deadline))
            return disk_is_silent(NAME, action, error);
    uint32_t status = port[PORT_TASK_FILE] & 0xFF;
    /* Registers of a controller that was removed read as ones, or as zeros. */
    if ((status & (TASK_FILE_READY | TASK_FILE_BUSY | TASK_FILE_ERROR)) == TASK_FILE_READY &&
        !(port[PORT_INTERRUPTS] & INTERRUPTS_FATAL))
        return true;
    return disk_refuses(NAME, action, lba, status, error);
}

static bool ahci_transfer(struct block_device *device, bool write, uint64_t lba, size_t count,
                          void *buffer, struct error *error) {
    (void)device;
    describe(write ? WRITE_DMA_EXT : READ_DMA_EXT, lba, count, write, buffer,
             count * BLOCK_SECTOR_SIZE);
    return run(write ? "write" : "read", lba, error);
}

static bool ahci_flush(struct block_device *device, struct error *error) {
    struct error after;
    describe(FLUSH_CACHE_EXT, 0, 0, false, NULL, 0);
    return run("empty its write cache", NO_SECTOR, error) || (ahci_recover(device, &after), false);
}

static bool identify(struct block_device *device, struct error *error) {
    static uint16_t words[BLOCK_SECTOR_SIZE / 2];
    describe(IDENTIFY_DEVICE, 0, 0, false, words, sizeof words);
    if (!run("say what it is", NO_SECTOR, error))
        return false;
    if (!(words[IDENTIFY_COMMAND_SETS] & COMMAND_SET_LBA48))
        return error_set(error, "The AHCI disk has no 48-bit addresses.");
    if ((words[IDENTIFY_SECTOR_SIZE] & SECTOR_SIZE_MASK) == SECTOR_SIZE_OTHER)
        return error_set(error, "The AHCI disk's sectors are not of 512 bytes.");
    memcpy(&device->sector_count, &words[IDENTIFY_SECTORS], 8);
    return true;
}

static uint64_t read_address(const volatile uint32_t *registers) {
    return registers[0] | (uint64_t)registers[1] << 32;
}

static volatile uint32_t *map_host(pci_function function) {
    return pci_map(function, BAR_AHCI, 0, HOST_SIZE);
}

static bool ahci_open(const struct pci_disk *disk, struct block_device *device,
                      struct error *error) {
    volatile uint32_t *host = map_host(disk->function);
    if (!host)
        return error_set(error, "No memory to reach the AHCI controller.");
    *device = (struct block_device){
        .name = NAME,
        .transfer = ahci_transfer,
        .flush = ahci_flush,
        .recover = ahci_recover,
        .can_flush = true,
        .most_sectors = BLOCK_MOST_SECTORS,
        .alignment = 2,
        .reach = host[HOST_CAPABILITIES] & CAPABILITY_64_BITS ? 0 : 1ull << 32,
        .bounce = (void *)REAL_MODE_TRANSFER,
        .bounce_sectors = REAL_MODE_TRANSFER_SIZE / BLOCK_SECTOR_SIZE,
    };
    port = host + HOST_PORT(disk->port);
    bios.list = read_address(&port[PORT_LIST]);
    bios.received = read_address(&port[PORT_FIS]);
    bios.interrupts = port[PORT_INTERRUPT_ENABLE];
    pci_enable(disk->function, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    port[PORT_INTERRUPT_ENABLE] = 0;
    if (!stop() || !start((uintptr_t)memory.list, (uintptr_t)memory.received))
        return error_set(error, "The AHCI disk's port cannot be started.");
    return identify(device, error);
}

static bool ahci_close(void) {
    bool done = port && stop() && start(bios.list, bios.received);
    if (done)
        port[PORT_INTERRUPT_ENABLE] = bios.interrupts;
    return done;
}

/* The BIOS waits for each command, and so has them all in the first table. */
static uint32_t ahci_observe(const struct pci_disk *disk) {
    const volatile uint32_t *here = map_host(disk->function) + HOST_PORT(disk->port);
    const struct header *first = pci_disk_memory(read_address(&here[PORT_LIST]), sizeof *first);
    const struct table *table = first ? pci_disk_memory(first->table, sizeof *table) : NULL;
    return table ? crc32_update(0, table->fis, sizeof table->fis) : 0;
}

void ahci_find(pci_function function, struct pci_disks *found) {
    volatile uint32_t *host;
    if (pci_read(function, PCI_CLASS) >> 8 != CLASS_AHCI || !(host = map_host(function)) ||
        !(host[HOST_CONTROL] & CONTROL_AHCI_ENABLED))
        return;
    uint32_t implemented = host[HOST_PORTS];
    for (unsigned i = 0; i < PORTS; i++) {
        const volatile uint32_t *here = host + HOST_PORT(i);
        if (!(implemented & 1u << i) || (here[PORT_STATUS] & STATUS_DETECTION) != STATUS_PRESENT ||
            here[PORT_SIGNATURE] != SIGNATURE_DISK)
            continue;
        pci_disks_add(found, (struct pci_disk){.function = function,
                                               .port = i,
                                               .observe = ahci_observe,
                                               .open = ahci_open,
                                               .close = ahci_close});
    }
}
