// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/disk_error.c
// sources: kernel_lib/storage/fat/fat_mount.c kernel_lib/storage/fat/fat_table.c
// sources: kernel_lib/storage/fat/fat_name.c kernel_lib/storage/fat/fat_cache.c
// sources: kernel_lib/storage/fat/fat_directory.c kernel_lib/storage/fat/fat_read.c
// sources: kernel_lib/storage/fat/fat_space.c kernel_lib/storage/fat/fat_write.c
// sources: kernel_lib/storage/files.c kernel_lib/storage/generations.c kernel_lib/crc32.c
// sources: kernel_lib/storage/boot_slots.c kernel_lib/life/snapshots.c
// sources: kernel_lib/life/snapshots_old.c kernel_lib/life/snapshots_choice.c
// sources: kernel_lib/life/snapshot_index.c
// sources: tests/host/ram_disk.c tests/host/fat_image.c tests/host/console.c
// sources: kernel_lib/io/format.c
// link: -Wl,--defsym=disk_start=0 -Wl,--defsym=disk_choose_kernel=0
/*
 * The life of a disk, boot after boot, with a loader that is written here a second time: kernels
 * write snapshots, delete old ones, are chosen by a setting, do not come up, lack a function; and
 * the power is cut in the middle. Each boot is a process of its own, the disk is shared memory.
 */
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
#define PARTITION 32 /* its first sector */
#define RECORD (21 * SECTOR)
#define CLUSTERS 4085
#define LIVES 12 /* with a flush, and without */
#define BOOTS 25
#define MOST_SECTORS 1200 /* that a boot writes before the power goes */
#define KERNEL_UNIT 50000
#define MOST_KERNELS 250
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

static void live_boot(void) {
    struct error error;
    if (!comes_up(running))
        end_boot();
    snapshots_report_success();
    for (uint32_t more = chance_below(&chance, 4); more > 0 && shared->kernels < MOST_KERNELS;
         more--)
        if (!add_kernel(&error) && !disk.is_off)
            CHECK(strstr(error.text, "The disk is full"));
    if (chance_below(&chance, 6) == 0)
        boot_slots_fall_back(&error);
    end_boot();
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

static const char *const settings[] = {NULL, NULL, NULL, "full", "trimmed", "native", "0003", "x"};

static unsigned long deleted, cut_boots, others;

/* A life of boots, most of which end by a power cut. */
static void live(uint32_t seed) {
    make_disk();
    chance = seed;
    for (int i = 0; i < BOOTS; i++) {
        long sectors = chance_below(&chance, 4) ? (long)chance_below(&chance, MOST_SECTORS) : -1;
        const char *name = settings[chance_below(&chance, sizeof settings / sizeof *settings)];
        unsigned self = boot(sectors, name, live_boot);
        others += self > 1;
        CHECK(kernel_at(booted_folder, booted_name) == self); /* it is still there */
        cut_boots += !shared->has_ended;
        deleted += strstr(shared->console, "is deleted") != NULL;
        check_disk();
    }
    free_disk();
}

/* ---- Single cases ---- */

static void add_one(void) {
    struct error error;
    snapshots_report_success();
    if (!add_kernel(&error))
        console_puts(error.text);
}

static void only_report(void) {
    snapshots_report_success();
}

static bool said(const char *text) {
    if (!strstr(shared->console, text))
        fprintf(stderr, "not said: %s\nbut:\n%s\n", text, shared->console);
    return strstr(shared->console, text);
}

/* The file NNNN.KRN of the snapshots, as a number of a kernel. */
static unsigned snapshot(unsigned number) {
    char name[12];
    snprintf(name, sizeof name, "%04u    KRN", number);
    return kernel_at("snapshots", name);
}

/* Each boot writes one; all come up. Old ones go, and never what the next boots may need. */
static void test_oldest_goes_first(void) {
    make_disk();
    unsigned last = 0, gone = 0;
    for (int i = 0; i < 40; i++) {
        if (!comes_up(shared->kernels + 1))
            shared->kernels++;
        unsigned self = boot(-1, NULL, add_one);
        CHECK(self == shared->kernels || i == 0 || last == 0 || self == last);
        check_disk();
        last = shared->kernels;
        CHECK(snapshot((unsigned)i + 1) == last);
        for (unsigned number = 1; number <= gone; number++)
            CHECK(snapshot(number) == 0);
        while (gone < (unsigned)i && snapshot(gone + 1) == 0)
            gone++;
        for (unsigned number = gone + 1; number <= (unsigned)i; number++)
            CHECK(snapshot(number) > 0); /* the rest is all there */
    }
    CHECK(gone > 30);
    free_disk();
}

static void test_choice(void) {
    make_disk();
    boot(-1, NULL, add_one); /* 0001.KRN */
    CHECK(boot(-1, NULL, add_one) == 2);
    CHECK(boot(-1, "full", only_report) == 3 && said("boot = full: /boot/BAREFLOW.KRN boots."));
    for (int i = 0; i < 3; i++) /* once there, it stays */
        CHECK(boot(-1, "full", only_report) == 1 && shared->console[0] == '\0');
    CHECK(boot(-1, "0001", only_report) == 1);
    CHECK(boot(-1, "1", only_report) == 2 && shared->console[0] == '\0');
    CHECK(boot(-1, "0007", only_report) == 2);
    CHECK(said("warning: boot = 0007 is not possible: it is not there; there are full, 0001 ("));
    CHECK(boot(-1, "fool", only_report) == 2);
    CHECK(said("warning: boot = fool is not possible: there is no such kernel; there are full, 0"));
    free_disk();
}

/* A kernel that does not come up is chosen: it has three boots, and then the other one stays. */
static void test_choice_that_fails(void) {
    make_disk();
    boot(-1, NULL, add_one); /* 2, which is good */
    CHECK(boot(-1, NULL, add_one) == 2);
    CHECK(boot(-1, NULL, add_one) == 3);
    CHECK(!comes_up(4) && shared->kernels == 4);
    CHECK(boot(-1, "0001", end_boot) == 4);
    CHECK(boot(-1, "0003", only_report) == 2);
    for (int i = 0; i < 3; i++)
        CHECK(boot(-1, "0003", end_boot) == 4);
    CHECK(boot(-1, "0003", only_report) == 2);
    CHECK(said("warning: boot = 0003 is not possible: it did not come up; there are full, 0001"));
    CHECK(said("/boot/snapshots/0003.KRN did not come up; /boot/snapshots/0001.KRN is the kernel"));
    for (int i = 0; i < 3; i++)
        CHECK(boot(-1, "0003", only_report) == 2 && said("it did not work before"));
    free_disk();
}

/* The kernel file on the disk is replaced by another build: that one boots. */
static void test_another_root(void) {
    make_disk();
    boot(-1, NULL, add_one);
    CHECK(boot(-1, NULL, add_one) == 2);
    CHECK(boot(-1, NULL, only_report) == 3);
    unsigned folder = image_entry_cluster(&image, image_entry(&image, 0, "BOOT       "));
    unsigned at = image_entry_cluster(&image, image_entry(&image, folder, "BAREFLOWKRN"));
    uint8_t *kernel = image.bytes + image.data + (at - 2) * SECTOR;
    kernel[offsetof(struct kernel_header, build_id) + 5] ^= 1;
    boot(-1, "0001", only_report); /* chosen by hand: whatever it goes back to */
    CHECK(said("boot = 0001: /boot/snapshots/0001.KRN boots."));
    CHECK(boot(-1, "0001", only_report) == 2 && shared->console[0] == '\0');
    boot(-1, NULL, only_report);
    CHECK(said("0001.KRN was written for another /boot/BAREFLOW.KRN: /boot/BAREFLOW.KRN boots"));
    free_disk();
}

int main(void) {
    for (size_t i = 0; i < USER_SIZE; i++)
        user[i] = (uint8_t)(i * 7 + i / SECTOR);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    test_choice();
    test_choice_that_fails();
    test_another_root();
    test_oldest_goes_first();
    for (uint32_t seed = 0; seed < 2 * LIVES; seed++) {
        can_flush = seed % 2;
        live(seed);
    }
    CHECK(deleted > LIVES && cut_boots > 5 * LIVES && others > 5 * LIVES);
    puts("snapshots: passed");
}
