#include "boot_slots.h"
#include "boot/boot_slots.h"
#include "kernel_lib/io/format.h"
#include "kernel_lib/runtime.h"

#define STEM 8 /* of a name's characters, those before the point */

static const char *const folders[] = {
    [BOOT_FOLDER_BOOT] = "/boot/",
    [BOOT_FOLDER_SNAPSHOTS] = BOOT_SNAPSHOTS,
};
#define FOLDERS (sizeof folders / sizeof *folders)

static struct block_device *disk;
static const struct boot_info *boot;
static bool is_reported;

void boot_slots_start(struct block_device *device, const struct boot_info *info) {
    disk = device;
    boot = info;
    is_reported = false;
}

static uint32_t check_of(const struct boot_slots *record) {
    const uint8_t *begin = &record->version, *end = (const uint8_t *)&record->check;
    uint32_t sum = 0, word;
    for (const uint8_t *at = begin; at < end; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        sum += word;
    }
    return ~sum;
}

static bool is_valid(const struct boot_slots *record) {
    return record->magic == BOOT_SLOTS_MAGIC && record->check == check_of(record) &&
           record->version == BOOT_SLOTS_VERSION && record->slot <= BOOT_SLOT_FALLBACK;
}

/* Reads the record's sector; *record is its beginning. */
static bool read_record(uint8_t sector[BLOCK_SECTOR_SIZE], struct boot_slots *record,
                        struct error *error) {
    if (!disk)
        return error_set(error, "There is no disk.");
    if (!block_read(disk, BOOT_SLOTS_LBA, 1, sector, error))
        return false;
    memcpy(record, sector, sizeof *record);
    return is_valid(record) ||
           error_set(error, "The disk has no second kernel to boot: build its image with "
                            "fallback=FILE.");
}

static bool write_record(uint8_t sector[BLOCK_SECTOR_SIZE], struct boot_slots *record,
                         struct error *error) {
    record->check = check_of(record);
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

/* Takes a path apart, as the record has it. */
static bool encode(struct slot_kernel *kernel, const char *path) {
    for (size_t folder = FOLDERS; folder-- > 0;) { /* the longer one first */
        size_t length = strlen(folders[folder]);
        if (strncmp(path, folders[folder], length) != 0)
            continue;
        const char *name = path + length, *point = strchr(name, '.');
        if (!point || point - name > STEM || strlen(point + 1) > sizeof kernel->name - STEM)
            return false;
        memset(kernel->name, ' ', sizeof kernel->name);
        memcpy(kernel->name, name, (size_t)(point - name));
        memcpy(kernel->name + STEM, point + 1, strlen(point + 1));
        kernel->folder = (uint8_t)folder;
        return true;
    }
    return false;
}

static void decode(char path[BOOT_PATH_SIZE], const struct slot_kernel *kernel) {
    bool is_snapshot = kernel->folder != BOOT_FOLDER_BOOT; /* as the loader takes it */
    size_t end = format_into(path, BOOT_PATH_SIZE, "%s", folders[is_snapshot]);
    for (size_t i = 0; i < sizeof kernel->name; i++) {
        if (i == STEM)
            path[end++] = '.';
        if (kernel->name[i] != ' ')
            path[end++] = (char)kernel->name[i];
    }
    path[end] = '\0';
}

/* The path of the kernel in a slot. */
static void path_of(char path[BOOT_PATH_SIZE], uint8_t slot) {
    uint8_t sector[BLOCK_SECTOR_SIZE];
    struct boot_slots record;
    struct error ignored;
    strcpy(path, BOOT_ROOT);
    if (read_record(sector, &record, &ignored))
        decode(path, &record.kernel[slot]);
}

void boot_slots_booted(char path[BOOT_PATH_SIZE]) {
    struct slot_kernel kernel = {.folder = boot->kernel_folder};
    memcpy(kernel.name, boot->kernel_name, sizeof kernel.name);
    decode(path, &kernel);
}

void boot_slots_newest(char path[BOOT_PATH_SIZE]) {
    path_of(path, BOOT_SLOT_NEWEST);
}

void boot_slots_fallback(char path[BOOT_PATH_SIZE]) {
    path_of(path, BOOT_SLOT_FALLBACK);
}

bool boot_slots_picked_by_key(void) {
    char booted[BOOT_PATH_SIZE], newest[BOOT_PATH_SIZE];
    boot_slots_booted(booted);
    boot_slots_newest(newest);
    return !boot->slots_passed_over &&
           (boot->boot_slot == BOOT_SLOT_ROOT ||
            (boot->boot_slot == BOOT_SLOT_NEWEST && strcmp(booted, newest) != 0));
}

bool boot_slots_newest_failed(void) {
    uint8_t sector[BLOCK_SECTOR_SIZE];
    struct boot_slots record;
    struct error ignored;
    return boot->boot_slot != BOOT_SLOT_NEWEST && read_record(sector, &record, &ignored) &&
           (boot->slots_passed_over || record.slot != BOOT_SLOT_NEWEST);
}

bool boot_slots_newest_gave_way(void) {
    uint8_t sector[BLOCK_SECTOR_SIZE];
    struct boot_slots record;
    struct error ignored;
    return boot->boot_slot == BOOT_SLOT_FALLBACK && read_record(sector, &record, &ignored) &&
           !boot->slots_passed_over && record.slot == BOOT_SLOT_NEWEST;
}

bool boot_slots_set(const char *newest, const char *fallback, struct error *error) {
    uint8_t sector[BLOCK_SECTOR_SIZE] = {0};
    struct boot_slots record = {
        .magic = BOOT_SLOTS_MAGIC,
        .version = BOOT_SLOTS_VERSION,
        .slot = BOOT_SLOT_NEWEST,
        .attempts = BOOT_SLOT_ATTEMPTS,
        .requested = BOOT_SLOT_NONE,
    };
    if (!encode(&record.kernel[BOOT_SLOT_NEWEST], newest) ||
        !encode(&record.kernel[BOOT_SLOT_FALLBACK], fallback))
        return error_set(error, "%.40s or %.40s is no path of a kernel.", newest, fallback);
    if (!disk)
        return error_set(error, "There is no disk.");
    return write_record(sector, &record, error) && block_flush(disk, error);
}
