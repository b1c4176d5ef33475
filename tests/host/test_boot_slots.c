// sources: kernel_lib/storage/boot_slots.c kernel_lib/storage/block.c kernel_lib/error.c
// sources: tests/host/ram_disk.c
/* What the kernel writes into the record about the boot slots, and when it leaves it alone. */
#include "check.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/boot_slots.h"
#include "ram_disk.h"

#define SECTORS 32
#define RECORD (21 * 512)

static uint8_t bytes[SECTORS * 512], before[sizeof bytes];
static struct ram_disk disk;

/* A disk of 0xA5 with a record as boot/boot_slots.h describes it: "SLOT", version 1, these three,
 * and the four complemented. */
static void prepare(uint8_t slot, uint8_t attempts, uint8_t requested) {
    memset(bytes, 0xA5, sizeof bytes);
    const uint8_t state[4] = {1, slot, attempts, requested};
    memcpy(bytes + RECORD, "SLOT", 4);
    for (int i = 0; i < 4; i++) {
        bytes[RECORD + 4 + i] = state[i];
        bytes[RECORD + 8 + i] = (uint8_t)~state[i];
    }
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
    for (int bit = 0; bit < 12 * 8; bit++) {
        prepare(0, 1, 0xFF);
        bytes[RECORD + bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_none();
    }
    prepare(2, 1, 0xFF);
    expect_none();
    prepare(0, 1, 0xFF);
    bytes[RECORD + 4] = 2, bytes[RECORD + 8] = (uint8_t)~2; /* another version */
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

int main(void) {
    test_success();
    test_success_of_the_other();
    test_fall_back();
    test_fall_back_to_a_bad_kernel();
    test_no_record();
    test_no_disk();
    puts("boot_slots: passed");
}
