/*
 * INT 13h: "BIOS Enhanced Disk Drive Specification", version 3.0, for functions
 * 41h to 48h; "Ralf Brown's Interrupt List" for the older ones.
 */
#include "bios_disk.h"
#include "boot/disk_layout.h"
#include "kernel_lib/cpu/real_mode.h"
#include "kernel_lib/runtime.h"
#include <inttypes.h>
#include <string.h>

#define RESET 0x0000 /* AX */
#define READ_CHS 0x02
#define WRITE_CHS 0x03
#define READ_LBA 0x4200  /* AX */
#define WRITE_LBA 0x4300 /* AX; AL = 0: no verifying */
#define GET_PARAMETERS 0x4800

/* Not more than 127 sectors, because not every BIOS can; whole sectors of 4096 bytes. SeaBIOS 1.16
 * takes 128 and refuses 129, and is no faster with 128. */
#define MAX_SECTORS 120
_Static_assert(MAX_SECTORS *BLOCK_SECTOR_SIZE <= REAL_MODE_TRANSFER_SIZE, "transfer buffer");
_Static_assert(MAX_SECTORS % LARGE_SECTOR == 0, "whole sectors");

#define CYLINDERS 1024 /* what a CHS address can name */
#define ATTEMPTS 3     /* a floppy's motor may need that long */
#define PATIENCE 2     /* seconds: a drive that needed longer to fail is not asked again */

/* AH=42h, 43h: what and where to. */
struct __attribute__((packed)) address_packet {
    uint8_t size;
    uint8_t reserved;
    uint16_t count;
    uint16_t offset, segment;
    uint64_t lba;
};

/* AH=48h. */
struct __attribute__((packed)) drive_parameters {
    uint16_t size;
    uint16_t flags;
    uint32_t geometry[3];
    uint64_t sector_count;
    uint16_t bytes_per_sector;
    uint16_t table_offset, table_segment; /* of the parameter table extension */
    uint16_t path_key;                    /* PATH_KEY: the rest is there */
    uint8_t path_size;
    uint8_t reserved[3];
    char host_bus[4];
    char interface[8];
    uint8_t bus, slot, function;
    uint8_t channel; /* not used: SeaBIOS says 0 always */
    uint8_t rest[14];
};
_Static_assert(sizeof(struct drive_parameters) == 66, "version 3.0");
#define PATH_KEY 0xBEDD

/* The parameter table extension of an ATA disk. */
struct __attribute__((packed)) parameter_table_extension {
    uint16_t command_port, control_port;
    uint8_t device; /* as the device register takes it */
    uint8_t rest[11];
};
#define DEVICE_SLAVE 0x10
#define NO_TABLE 0xFFFF
#define LOWEST_TABLE 0x1000 /* below: no pointer; and page 0 is not mapped */

static struct {
    uint8_t drive;
    bool has_lba;
    uint16_t own_sectors; /* of 512 bytes in one of the drive's */
    uint16_t sectors_per_track, heads;
} disk;

static bool bios_call(struct real_mode_registers *registers) {
    real_mode_int13(registers);
    return !(registers->flags & REAL_MODE_CARRY);
}

static bool get_parameters(uint8_t drive, struct drive_parameters *parameters) {
    struct drive_parameters *buffer = (void *)REAL_MODE_BUFFER;
    _Static_assert(sizeof *buffer <= REAL_MODE_BUFFER_SIZE, "buffer");
    memset(buffer, 0, sizeof *buffer);
    buffer->size = sizeof *buffer;
    struct real_mode_registers registers = {
        .eax = GET_PARAMETERS, .edx = drive, .esi = REAL_MODE_BUFFER};
    bool done = bios_call(&registers);
    *parameters = *buffer;
    return done;
}

bool bios_disk_ata_path(const struct boot_info *info, struct bios_disk_path *path) {
    struct drive_parameters parameters;
    if (!(info->disk_flags & BOOT_DISK_LBA) || !get_parameters(info->boot_drive, &parameters))
        return false;
    /* The key tells whether the path is there; SeaBIOS gives a size without it. */
    if (parameters.path_key != PATH_KEY || memcmp(parameters.host_bus, "PCI ", 4) != 0 ||
        memcmp(parameters.interface, "ATA ", 4) != 0)
        return false;
    uintptr_t address = parameters.table_segment * 16u + parameters.table_offset;
    if (address < LOWEST_TABLE || parameters.table_segment == NO_TABLE)
        return false;
    const struct parameter_table_extension *table = (const void *)address;
    *path = (struct bios_disk_path){.bus = parameters.bus,
                                    .slot = parameters.slot,
                                    .function = parameters.function,
                                    .command_port = table->command_port,
                                    .is_slave = table->device & DEVICE_SLAVE};
    return true;
}

/* One BIOS call; count has been cut to what it can do. */
static bool transfer_lba(bool write, uint64_t lba, size_t count, uintptr_t address,
                         struct real_mode_registers *registers) {
    *(struct address_packet *)REAL_MODE_BUFFER =
        (struct address_packet){.size = sizeof(struct address_packet),
                                .count = (uint16_t)(count / disk.own_sectors),
                                .segment = (uint16_t)(address >> 4),
                                .lba = lba / disk.own_sectors};
    *registers = (struct real_mode_registers){
        .eax = write ? WRITE_LBA : READ_LBA, .edx = disk.drive, .esi = REAL_MODE_BUFFER};
    return bios_call(registers);
}

static bool transfer_chs(bool write, uint64_t lba, size_t count, uintptr_t address,
                         struct real_mode_registers *registers) {
    uint32_t track = (uint32_t)(lba / disk.sectors_per_track);
    uint32_t sector = (uint32_t)(lba % disk.sectors_per_track) + 1;
    uint32_t cylinder = track / disk.heads, head = track % disk.heads;
    *registers = (struct real_mode_registers){
        .eax = (write ? WRITE_CHS : READ_CHS) << 8 | (uint32_t)count,
        .ecx = (cylinder & 0xFF) << 8 | (cylinder >> 8) << 6 | sector,
        .edx = head << 8 | disk.drive,
        .es = (uint16_t)(address >> 4),
    };
    return bios_call(registers);
}

/* One call: between the disk and the transfer buffer, from this address in it on. */
static bool transfer_part(bool write, uint64_t lba, size_t count, uintptr_t address,
                          struct error *error) {
    struct real_mode_registers registers;
    uint64_t begin = cpu_rdtsc();
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (disk.has_lba ? transfer_lba(write, lba, count, address, &registers)
                         : transfer_chs(write, lba, count, address, &registers))
            return true;
        if (cpu_rdtsc() - begin > PATIENCE * cpu_cycles_per_second())
            break; /* it is gone, and the BIOS waits for it each time, without interrupts */
        struct real_mode_registers reset = {.eax = RESET, .edx = disk.drive};
        bios_call(&reset);
    }
    return error_set(
        error,
        "The BIOS cannot %s %zu sectors at %" PRIu64
        " of drive 0x%02x: status 0x%02x. The disk may be write-protected, removed or broken.",
        write ? "write" : "read", count, lba, disk.drive, registers.eax >> 8 & 0xFF);
}

/* How many of count sectors from lba on one call can transfer. */
static size_t part_of(uint64_t lba, size_t count) {
    size_t limit = MAX_SECTORS;
    if (!disk.has_lba) /* not every BIOS goes on behind the end of a track */
        limit = disk.sectors_per_track - lba % disk.sectors_per_track;
    return count < limit ? count : limit;
}

static bool bios_transfer(struct block_device *device, bool write, uint64_t lba, size_t count,
                          void *buffer, struct error *error) {
    (void)device;
    for (size_t part; count > 0; count -= part) {
        part = part_of(lba, count);
        if (!transfer_part(write, lba, part, (uintptr_t)buffer, error))
            return false;
        buffer = (uint8_t *)buffer + part * BLOCK_SECTOR_SIZE;
        lba += part;
    }
    return true;
}

/* The BIOS has no call for it: can_flush is false. It hands each write to the disk before it
 * returns, so a crash of ours loses nothing; a power cut takes what is in the disk's own cache. */
static bool bios_flush(struct block_device *device, struct error *error) {
    (void)device, (void)error;
    return true;
}

/* How many sectors a drive without LBA has. */
static bool size_by_cylinders(struct block_device *device, struct error *error) {
    if (disk.sectors_per_track == 0 || disk.heads == 0)
        return error_set(error,
                         "The boot information has no geometry for drive 0x%02x, which has no LBA: "
                         "loader and kernel do not fit.",
                         disk.drive);
    /* All that can be addressed: the BIOS may not know how long the medium is (an image booted as a
     * floppy may be longer than any floppy), and says so when a sector is missing. */
    device->sector_count = (uint64_t)CYLINDERS * disk.heads * disk.sectors_per_track;
    return true;
}

/* The same for one with LBA, and how large they are. */
static bool size_by_lba(struct block_device *device, struct error *error) {
    struct drive_parameters parameters;
    if (!get_parameters(disk.drive, &parameters))
        return error_set(error, "The BIOS does not tell the size of drive 0x%02x.", disk.drive);
    uint16_t size = parameters.bytes_per_sector;
    if (size != BLOCK_SECTOR_SIZE && size != LARGE_SECTOR * BLOCK_SECTOR_SIZE)
        return error_set(error, "Drive 0x%02x has sectors of %u bytes, not of 512 or 4096.",
                         disk.drive, size);
    disk.own_sectors = size / BLOCK_SECTOR_SIZE;
    device->own_sectors = disk.own_sectors;
    device->sector_count = parameters.sector_count * disk.own_sectors;
    return true;
}

bool bios_disk_open(struct block_device *device, const struct boot_info *info,
                    struct error *error) {
    disk.drive = info->boot_drive;
    disk.has_lba = info->disk_flags & BOOT_DISK_LBA;
    disk.own_sectors = 1;
    disk.sectors_per_track = info->sectors_per_track;
    disk.heads = info->heads;
    *device = (struct block_device){.name = disk.has_lba ? "BIOS disk" : "BIOS disk by cylinders",
                                    .transfer = bios_transfer,
                                    .flush = bios_flush,
                                    .most_sectors = MAX_SECTORS,
                                    .reach = REAL_MODE_TRANSFER + REAL_MODE_TRANSFER_SIZE,
                                    .bounce = (void *)REAL_MODE_TRANSFER,
                                    .bounce_sectors = MAX_SECTORS};
    return disk.has_lba ? size_by_lba(device, error) : size_by_cylinders(device, error);
}
