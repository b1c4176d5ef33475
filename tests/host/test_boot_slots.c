// sources: kernel_lib/storage/boot_slots.c kernel_lib/storage/block.c
// sources: kernel_lib/storage/disk_error.c kernel_lib/error.c
// sources: tests/host/ram_disk.c
// sources: kernel_lib/io/format.c
/* What the kernel writes into the record about the boot slots, and when it leaves it alone. */
#include "check.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/boot_slots.h"
#include "ram_disk.h"

#define SECTORS 48
#define RECORD (40 * 512)

static uint8_t bytes[SECTORS * 512], before[sizeof bytes];
static struct ram_disk disk;

/* Writes a record as boot/boot_slots.h describes it: "SLOT", these four, the kernels' names, and
 * the complement of the sum of the seven words behind "SLOT". */
static void put_record(const uint8_t state[4], const char names[24]) {
    uint32_t words[7], sum = 0;
    memcpy(words, state, 4);
    memcpy(words + 1, names, 24);
    for (int i = 0; i < 7; i++)
        sum += words[i];
    sum = ~sum;
    memcpy(bytes + RECORD, "SLOT", 4);
    memcpy(bytes + RECORD + 4, words, sizeof words);
    memcpy(bytes + RECORD + 32, &sum, 4);
}

#define NAMES "BAREFLOWKRN\0FALLBACKKRN"

/* A disk of 0xA5 with a record of version 2 with these three. */
static void prepare(uint8_t slot, uint8_t attempts, uint8_t requested) {
    memset(bytes, 0xA5, sizeof bytes);
    put_record((const uint8_t[4]){2, slot, attempts, requested}, NAMES);
    memcpy(before, bytes, sizeof bytes);
    ram_disk_init(&disk, bytes, sizeof bytes);
}

/* The record is this one now, and nothing else has changed. */
static void expect(uint8_t slot, uint8_t attempts, uint8_t requested) {
    static uint8_t now[sizeof bytes];
    memcpy(now, bytes, sizeof now);
    ram_disk_free(&disk);
    prepare(slot, attempts, requested);
    CHECK(memcmp(now, bytes, sizeof now) == 0);
}

static void test_success(void) {
    for (uint8_t attempts = 0; attempts <= 3; attempts++) {
        prepare(0, attempts, 0xFF);
        boot_slots_start(&disk.device, &(struct boot_info){.boot_slot = 0});
        boot_slots_report_success();
        CHECK(disk.sectors_written == (attempts < 3)); /* a disk is not worn for nothing */
        unsigned long commands = disk.commands;
        boot_slots_report_success();
        CHECK(disk.commands == commands); /* only once */
        expect(0, 3, 0xFF);
    }
}

static void test_success_of_the_other(void) {
    prepare(0, 1, 0xFF);
    boot_slots_start(&disk.device, &(struct boot_info){.boot_slot = 1});
    boot_slots_report_success();
    expect(0, 1, 0xFF);
    prepare(1, 1, 0);
    boot_slots_start(&disk.device, &(struct boot_info){.boot_slot = 1});
    boot_slots_report_success();
    expect(1, 3, 0); /* a request stays */
}

/* The kernel in a slot, booted with this record. */
static bool gave_way(uint8_t record_slot, struct boot_info info) {
    static struct boot_info kept;
    kept = info;
    prepare(record_slot, 3, 0xFF);
    boot_slots_start(&disk.device, &kept);
    return boot_slots_newest_gave_way();
}

static void test_newest_gave_way(void) {
    CHECK(!gave_way(0, (struct boot_info){.boot_slot = 0}));
    CHECK(gave_way(0, (struct boot_info){.boot_slot = 1}));
    CHECK(!gave_way(0, (struct boot_info){.boot_slot = 1, .slots_passed_over = 1}));
    CHECK(!gave_way(1, (struct boot_info){.boot_slot = 1}));
}

static void test_fall_back(void) {
    for (uint8_t slot = 0; slot <= 1; slot++)
        for (uint8_t booted = 0; booted <= 1; booted++) {
            struct error error;
            prepare(slot, 2, 0xFF);
            boot_slots_start(&disk.device, &(struct boot_info){.boot_slot = booted});
            CHECK(boot_slots_fall_back(&error));
            CHECK(disk.flushes == 1);
            expect(slot, 2, 1 - booted);
        }
}

/* No record that is one: nothing is written, and falling back fails with the reason. */
static void expect_none(void) {
    struct error error = {""};
    memcpy(before, bytes, sizeof bytes);
    boot_slots_start(&disk.device, &(struct boot_info){.boot_slot = 0});
    boot_slots_report_success();
    CHECK(!boot_slots_fall_back(&error));
    CHECK(strstr(error.text, "no second kernel"));
    CHECK(disk.sectors_written == 0 && memcmp(bytes, before, sizeof bytes) == 0);
    ram_disk_free(&disk);
}

static void test_no_record(void) {
    for (int bit = 0; bit < 36 * 8; bit++) {
        prepare(0, 1, 0xFF);
        bytes[RECORD + bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_none();
    }
    prepare(2, 1, 0xFF);
    expect_none();
    prepare(0, 1, 0xFF);
    put_record((const uint8_t[4]){1, 0, 1, 0xFF}, NAMES); /* another version */
    expect_none();
}

static void test_no_disk(void) {
    struct error error = {""};
    boot_slots_start(NULL, &(struct boot_info){.boot_slot = 0});
    boot_slots_report_success();
    CHECK(!boot_slots_fall_back(&error) && error.text[0]);
    prepare(0, 1, 0xFF);
    ram_disk_cut_after(&disk, 0); /* every write fails */
    boot_slots_start(&disk.device, &(struct boot_info){.boot_slot = 0});
    boot_slots_report_success();
    CHECK(!boot_slots_fall_back(&error) && error.text[0]);
    ram_disk_free(&disk);
}

/* When the loader has just passed the other kernel over, asking for it would go on for ever. */
static void test_fall_back_to_a_bad_kernel(void) {
    struct error error;
    prepare(0, 2, 0xFF);
    boot_slots_start(&disk.device, &(struct boot_info){.boot_slot = 0, .slots_passed_over = 1});
    CHECK(!boot_slots_fall_back(&error));
    CHECK(strstr(error.text, "could not be booted"));
    expect(0, 2, 0xFF);
}

static void expect_kernels(const char *newest, const char *fallback) {
    char path[BOOT_PATH_SIZE];
    boot_slots_start(&disk.device, &(struct boot_info){.boot_slot = 0});
    boot_slots_newest(path);
    CHECK(strcmp(path, newest) == 0);
    boot_slots_fallback(path);
    CHECK(strcmp(path, fallback) == 0);
}

/* What the loader says of the kernel. */
static void boot_as(uint8_t slot, bool passed_over, const char name[11], uint8_t folder) {
    static struct boot_info info;
    info = (struct boot_info){
        .boot_slot = slot, .slots_passed_over = passed_over, .kernel_folder = folder};
    memcpy(info.kernel_name, name, sizeof info.kernel_name);
    boot_slots_start(&disk.device, &info);
}

static void test_booted(void) {
    char path[BOOT_PATH_SIZE];
    prepare(0, 3, 0xFF);
    boot_as(0, false, "BAREFLOWKRN", 0);
    boot_slots_booted(path);
    CHECK(strcmp(path, "/boot/BAREFLOW.KRN") == 0 && !boot_slots_picked_by_key());
    boot_as(1, false, "FALLBACKKRN", 0);
    CHECK(!boot_slots_picked_by_key());
    boot_as(0, false, "0003    KRN", 1);
    boot_slots_booted(path);
    CHECK(strcmp(path, "/boot/snapshots/0003.KRN") == 0 && boot_slots_picked_by_key());
    boot_as(2, false, "BAREFLOWKRN", 0);
    CHECK(boot_slots_picked_by_key());
    boot_as(2, true, "BAREFLOWKRN", 0); /* nothing else could be loaded */
    CHECK(!boot_slots_picked_by_key());
    ram_disk_free(&disk);
}

static void test_names(void) {
    prepare(1, 1, 0);
    expect_kernels("/boot/BAREFLOW.KRN", "/boot/FALLBACK.KRN");
    struct error error;
    CHECK(boot_slots_set("/boot/snapshots/0012.KRN", "/boot/BAREFLOW.KRN", &error));
    CHECK(disk.flushes == 1);
    expect_kernels("/boot/snapshots/0012.KRN", "/boot/BAREFLOW.KRN");
    static uint8_t now[512];
    memcpy(now, bytes + RECORD, sizeof now);
    put_record((const uint8_t[4]){2, 0, 3, 0xFF}, "0012    KRN\1BAREFLOWKRN");
    CHECK(memcmp(now, bytes + RECORD, 36) == 0);
    CHECK(!boot_slots_set("/boot/123456789.KRN", "/boot/BAREFLOW.KRN", &error));
    CHECK(!boot_slots_set("/model/0012.KRN", "/boot/BAREFLOW.KRN", &error));
    CHECK(!boot_slots_set("/boot/NOPOINT", "/boot/BAREFLOW.KRN", &error));
    ram_disk_free(&disk);
}

int main(void) {
    test_names();
    test_booted();
    test_success();
    test_success_of_the_other();
    test_newest_gave_way();
    test_fall_back();
    test_fall_back_to_a_bad_kernel();
    test_no_record();
    test_no_disk();
    puts("boot_slots: passed");
}
