/*
 * A machine with a disk on which kernels write snapshots, and with a loader that is written here a
 * second time. Each boot is a process of its own, the disk is shared memory.
 */
#pragma once
#include "boot/boot_info.h"
#include "boot/kernel_header.h"
#include "chance.h"
#include "check.h"
#include "console.h"
#include "fat_image.h"
#include "kernel_lib/cpu/instruction_sets.h"
#include "kernel_lib/life/snapshots.h"
#include "kernel_lib/platform/bare/power_session.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/files.h"
#include "ram_disk.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECTOR 512
#define PARTITION 48 /* its first sector */
#define RECORD (40 * SECTOR)
#define CLUSTERS 4085
#define KERNEL_UNIT 50000
#define USER_SIZE 70000

static struct fat_image image; /* image.bytes is in the disk */
static uint8_t *disk_bytes;
static size_t disk_size;
static uint8_t user[USER_SIZE];
static uint8_t contents[8 * KERNEL_UNIT];

/* What the boots leave for the next ones besides the disk. */
static struct {
    unsigned kernels; /* made so far */
    uint64_t session;
    bool has_ended; /* the boot was not cut short */
    char console[sizeof console];
} *shared;

/* ---- Chance ---- */

static uint32_t chance;

static bool survives(void *context, unsigned long n) {
    (void)context, (void)n;
    return chance_below(&chance, 2);
}

/* ---- Kernels: number 1 is the one that the image was built with ---- */

/* Makes a kernel's file, and returns its size. */
static size_t make_kernel(unsigned number) {
    size_t size = (1 + number % 7) * KERNEL_UNIT + number * 37;
    for (size_t i = 0; i < size; i++)
        contents[i] = (uint8_t)(number * 31 + i + i / SECTOR);
    struct kernel_header header = {.signature = KERNEL_SIGNATURE, .file_size = size};
    header.build_id[0] = (uint8_t)number;
    memcpy(contents, &header, sizeof header);
    return size;
}

/* A fifth of all kernels never come up. */
static bool comes_up(unsigned number) {
    return number % 5 != 4;
}

/* The number of the kernel with this name in a directory; 0 if none is there, or a damaged one. */
static unsigned kernel_at(const char *folder, const char *name) {
    unsigned directory = image_entry_cluster(&image, image_entry(&image, 0, "BOOT       "));
    if (strcmp(folder, "snapshots") == 0)
        directory = image_entry_cluster(&image, image_entry(&image, directory, "SNAPSH~1   "));
    const uint8_t *entry = image_entry(&image, directory, name);
    if (!entry)
        return 0;
    size_t cluster = image_entry_cluster(&image, entry);
    unsigned number =
        image.bytes[image.data + (cluster - 2) * SECTOR + offsetof(struct kernel_header, build_id)];
    size_t size = make_kernel(number);
    return image_holds(&image, directory, name, contents, size) ? number : 0;
}

/* ---- The machine ---- */

static unsigned running;
static const char *booted_folder;
static char booted_name[11];
static const char *setting; /* boot = */
static struct ram_disk disk;
static bool can_flush = true;

uint64_t power_session(void) {
    return shared->session;
}

bool power_session_is_old(void) {
    return false;
}

const char *platform_build_id(void) {
    static char text[33];
    snprintf(text, sizeof text, "%02x%030d", running, 0);
    return text;
}

const char *cpu_lacks(const char *list, size_t *length) {
    *length = strlen(list);
    return *length > 0 ? list : NULL;
}

const char *config_get(const char *key) {
    return strcmp(key, "boot") == 0 ? setting : NULL;
}

_Noreturn static void end_boot(void) {
    shared->has_ended = !disk.is_off;
    if (disk.medium)
        ram_disk_power_on(&disk, survives, NULL);
    memcpy(shared->console, console, sizeof console);
    _exit(0);
}

_Noreturn void platform_reboot(void) {
    end_boot();
}

/* ---- The loader ---- */

struct record {
    uint8_t magic[4], version, slot, attempts, requested;
    struct {
        char name[11];
        uint8_t folder;
    } kernel[2];
    uint32_t check;
};

static uint32_t check_of(const struct record *record) {
    uint32_t words[7], sum = 0;
    memcpy(words, &record->version, sizeof words);
    for (int i = 0; i < 7; i++)
        sum += words[i];
    return ~sum;
}

static unsigned try_kernel(struct boot_info *info, const char *name, uint8_t folder, uint8_t slot) {
    memcpy(info->kernel_name, name, sizeof info->kernel_name);
    info->kernel_folder = folder;
    info->boot_slot = slot;
    return kernel_at(folder ? "snapshots" : "boot", name);
}

/* Chooses as boot/slots.inc does; returns the number of the kernel, which must be there. */
static unsigned load(struct boot_info *info) {
    struct record record;
    memcpy(&record, disk_bytes + RECORD, sizeof record);
    *info = (struct boot_info){0};
    if (memcmp(record.magic, "SLOT", 4) != 0 || record.check != check_of(&record))
        return try_kernel(info, "BAREFLOWKRN", 0, 0);
    uint8_t slot = record.slot;
    if (record.requested <= 1) {
        slot = record.requested;
        record.requested = 0xFF;
    } else if (record.attempts-- == 0) {
        record.attempts = 2;
        record.slot = slot = record.slot ^ 1;
    }
    record.check = check_of(&record);
    memcpy(disk_bytes + RECORD, &record, sizeof record);
    for (int i = 0; i < 2; i++, slot ^= 1) {
        unsigned number =
            try_kernel(info, record.kernel[slot].name, record.kernel[slot].folder, slot);
        if (number)
            return number;
        info->slots_passed_over = 1;
    }
    CHECK(record.kernel[0].folder && record.kernel[1].folder);
    return try_kernel(info, "BAREFLOWKRN", 0, 2);
}

/* ---- Boots ---- */

/* Begins a boot like kernel_start. */
static void begin_boot(const struct boot_info *info, long sectors) {
    static struct boot_info kept;
    struct error error;
    kept = *info;
    ram_disk_init(&disk, disk_bytes, disk_size);
    disk.device.can_flush = can_flush;
    if (sectors >= 0)
        ram_disk_cut_after(&disk, sectors);
    boot_slots_start(&disk.device, &kept);
    if (!files_mount(&disk.device, PARTITION, image.size / SECTOR, &error))
        end_boot();
    snapshots_choose();
    snapshots_check_root();
}

static bool add_kernel(struct error *error) {
    static uint8_t file[sizeof contents];
    size_t size = make_kernel(++shared->kernels);
    memcpy(file, contents, size);
    const char *kind = chance_below(&chance, 2) ? "native" : "trimmed";
    struct new_snapshot new = {kind, file, size, "", ""};
    return snapshots_add(&new, error);
}

/* Boots in a process of its own, with this setting; cut after so many sectors unless negative.
 * Returns which kernel it was. */
static unsigned boot(long sectors, const char *boot_setting, void (*work)(void)) {
    struct boot_info info;
    setting = boot_setting;
    running = load(&info);
    CHECK(running > 0); /* whatever has happened, there is a kernel */
    booted_folder = info.kernel_folder ? "snapshots" : "boot";
    memcpy(booted_name, info.kernel_name, sizeof info.kernel_name);
    chance += 12345;
    shared->session++;
    shared->has_ended = false;
    fflush(stderr);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        begin_boot(&info, sectors);
        work();
        end_boot();
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    return running;
}

/* What holds between any two boots. */
static void check_disk(void) {
    /* Without a flush what was being written may be damaged, until the next boot that writes. */
    const char *wrong = can_flush ? image_check(&image, true) : NULL;
    if (wrong)
        fprintf(stderr, "%s\n", wrong);
    CHECK(!wrong);
    CHECK(kernel_at("boot", "BAREFLOWKRN") == 1);
    CHECK(image_holds(&image, 0, "USER    BIN", user, USER_SIZE));
}

/* ---- Disks ---- */

static void make_disk(void) {
    image_format(&image, 16, CLUSTERS, 1);
    shared->kernels = 1;
    size_t size = make_kernel(1);
    unsigned boot = image_add(&image, 0, "BOOT       ", NULL, 0x10, NULL, 0, 2, 0);
    image_add(&image, boot, "SNAPSH~1   ", "snapshots", 0x10, NULL, 0, 2, 0);
    image_add(&image, boot, "BAREFLOWKRN", NULL, 0x20, contents, size, 2, 0);
    image_add(&image, 0, "USER    BIN", NULL, 0x20, user, USER_SIZE, 2, 1);
    disk_size = PARTITION * SECTOR + image.size;
    disk_bytes = mmap(NULL, disk_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(disk_bytes != MAP_FAILED);
    memcpy(disk_bytes + PARTITION * SECTOR, image.bytes, image.size);
    free(image.bytes);
    image.bytes = disk_bytes + PARTITION * SECTOR;
}

static void free_disk(void) {
    munmap(disk_bytes, disk_size);
}

/* What a test begins with. */
static void start(void) {
    for (size_t i = 0; i < USER_SIZE; i++)
        user[i] = (uint8_t)(i * 7 + i / SECTOR);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
}
