#include "boot_slots.h"
#include "boot/boot_slots.h"
#include "kernel_lib/runtime.h"

static struct block_device *disk;
static const struct boot_info *boot;
static bool is_reported;

void boot_slots_start(struct block_device *device, const struct boot_info *info) {
    disk = device;
    boot = info;
    is_reported = false;
}

/* The four bytes that the check is about. */
static uint32_t state_of(const struct boot_slots *record) {
    uint32_t state;
    memcpy(&state, &record->version, sizeof state);
    return state;
}

/* Reads the record's sector; *record is its beginning. */
static bool read_record(uint8_t sector[BLOCK_SECTOR_SIZE], struct boot_slots *record,
                        struct error *error) {
    if (!disk)
        return error_set(error, "There is no disk.");
    if (!block_read(disk, BOOT_SLOTS_LBA, 1, sector, error))
        return false;
    memcpy(record, sector, sizeof *record);
    return (record->magic == BOOT_SLOTS_MAGIC && record->check == ~state_of(record) &&
            record->version == BOOT_SLOTS_VERSION && record->slot <= BOOT_SLOT_FALLBACK) ||
           error_set(error, "The disk has no second kernel to boot: build its image with "
                            "fallback=FILE.");
}

static bool write_record(uint8_t sector[BLOCK_SECTOR_SIZE], struct boot_slots *record,
                         struct error *error) {
    record->check = ~state_of(record);
    memcpy(sector, record, sizeof *record);
    return block_write(disk, BOOT_SLOTS_LBA, 1, sector, error);
}

void boot_slots_report_success(void) {
    uint8_t sector[BLOCK_SECTOR_SIZE];
    struct boot_slots record;
    struct error ignored;
    if (is_reported)
        return;
    is_reported = true;
    /* A kernel that was booted in place of the other says nothing about that one. */
    if (!read_record(sector, &record, &ignored) || record.slot != boot->boot_slot ||
        record.attempts == BOOT_SLOT_ATTEMPTS)
        return;
    record.attempts = BOOT_SLOT_ATTEMPTS;
    write_record(sector, &record, &ignored); /* not flushed: a power cut costs one attempt */
}

bool boot_slots_fall_back(struct error *error) {
    uint8_t sector[BLOCK_SECTOR_SIZE];
    struct boot_slots record;
    if (!read_record(sector, &record, error))
        return false;
    if (boot->slots_passed_over) /* to ask for it again might go on for ever */
        return error_set(error, "The disk's other kernel could not be booted.");
    record.requested = boot->boot_slot == BOOT_SLOT_NEWEST ? BOOT_SLOT_FALLBACK : BOOT_SLOT_NEWEST;
    return write_record(sector, &record, error) && block_flush(disk, error);
}
