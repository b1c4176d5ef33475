/* A machine that settles, of which a test decides what happens in each boot: settle.c with all that
 * it calls, on a disk that may fail. */
#pragma once
#include "check.h"
#include "console.h"
#include "kernel_lib/jit/settle/settle.c"

static char disk[SETTLE_TEXT]; /* the record's file */
static size_t disk_size;
static int writes;
static bool disk_is_gone;

static unsigned setting;
static const char *cpu, *model;
static bool is_copy, records_coverage, is_next, came_up_for_another;
static bool sees_new, has_result;
static enum jit_progress progress;
static bool notes_progress;
static int unread; /* bytes of input */
static struct jit_statistics statistics;

/* What the next step does. */
static enum { WRITES, FAILS, LACKS } outcome;
static int key_at; /* looks for a key until one was pressed; -1: never */
static bool has_parent;

void jit_print_log(void) {}

/* What has happened in this boot. */
static int trims, exports, left_to_parent;
static bool has_lacked, lacked, was_rehearsed;

uint8_t *generation_read(const char *path, size_t limit, size_t *size, struct error *error) {
    CHECK(strcmp(path, "/profile/SETTLED.TXT") == 0 && disk_size <= limit);
    error->text[0] = '\0';
    if (disk_size == 0)
        return NULL;
    *size = disk_size;
    return memcpy(malloc(disk_size), disk, disk_size);
}

bool generation_write(const char *path, const void *bytes, size_t size, struct error *error) {
    CHECK(strcmp(path, "/profile/SETTLED.TXT") == 0 && size < sizeof disk);
    if (disk_is_gone)
        return error_set(error, "the disk is gone");
    memcpy(disk, bytes, size);
    disk_size = size;
    writes++;
    return true;
}

bool files_stopped(void) {
    return false;
}

const char *platform_code_id(void) {
    return "0123456789abcdef0123456789abcdef";
}

const char *jit_cpu_id(void) {
    return cpu;
}

const char *jit_model(void) {
    return model;
}

struct jit_statistics *jit_statistics(void) {
    return &statistics;
}

enum jit_progress jit_last_progress(void) {
    return progress;
}

bool jit_has_had_result(void) {
    return has_result;
}

bool jit_notes_progress(void) {
    return notes_progress;
}

unsigned life_settle(void) {
    return setting;
}

bool snapshots_is_next(void) {
    return is_next;
}

bool snapshots_successor_failed(void) {
    return came_up_for_another;
}

struct memory_usage memory_usage(void) {
    return (struct memory_usage){0};
}

void snapshots_report_success(void) {
    is_next = is_next || came_up_for_another;
}

bool kernel_is_trimmed_copy(void) {
    return is_copy;
}

bool self_trim_possible(struct error *error) {
    return (!is_copy && records_coverage) || error_set(error, "no");
}

bool self_trim_sees_new_functions(void) {
    return sees_new;
}

bool console_wait(unsigned milliseconds) {
    CHECK(milliseconds == 0);
    return unread > 0 || key_at == 0 || (key_at > 0 && --key_at == 0);
}

int console_read(void) {
    return unread > 0 ? (unread--, 4) : -1;
}

bool boot_slots_fall_back(struct error *error) {
    left_to_parent += has_parent;
    return has_parent || error_set(error, "no parent");
}

bool jit_lacked_function(void) {
    return lacked;
}

bool jit_has_lacked_functions(void) {
    return has_lacked;
}

static bool step(jit_go_on *asked, struct error *error) {
    for (int i = 0; i < 10; i++)
        if (!asked()) {
            CHECK(!asked()); /* for good */
            return error_set(error, JIT_GIVEN_UP);
        }
    lacked = outcome == LACKS;
    has_lacked |= lacked;
    is_next = outcome != WRITES;
    return outcome == WRITES || error_set(error, "there is no room");
}

bool jit_write_trimmed(jit_go_on *asked, struct error *error) {
    CHECK(!is_copy);
    trims++;
    return step(asked, error);
}

bool jit_write_native(bool as_rehearsed, jit_go_on *asked, struct error *error) {
    exports++;
    was_rehearsed = as_rehearsed;
    return step(asked, error);
}

/* ---- Boots ---- */

static void new_disk(void) {
    disk_size = 0;
    writes = 0;
    disk_is_gone = false;
    setting = 3;
    cpu = "fedcba9876543210fedcba9876543210";
    model = "dim=64";
    is_copy = came_up_for_another = false;
    records_coverage = has_parent = has_result = true;
    progress = JIT_HAS_RESULT;
    notes_progress = true;
    outcome = WRITES;
    key_at = -1;
    unread = 0;
}

static void begin_boot(bool compiles, bool runs_new) {
    before = record = (struct settle_record){0};
    memset(on_disk, 0, sizeof on_disk);
    is_read = can_trim = successor_failed = has_tried = is_done = key_pressed = false;
    trims = exports = left_to_parent = 0;
    has_lacked = lacked = false;
    is_next = !came_up_for_another;
    console[0] = '\0';
    statistics = (struct jit_statistics){.compiled = compiles};
    sees_new = runs_new;
    jit_settle_start();
}

static void end_boot(void) {
    jit_settle_at_end(0);
    jit_settle_at_exit();
    came_up_for_another = false;
}

static void boot(bool compiles, bool runs_new) {
    begin_boot(compiles, runs_new);
    end_boot();
}

/* As many boots without news in which nothing is written. */
static void quiet_boots(int count) {
    while (count-- > 0) {
        boot(false, false);
        CHECK(trims == 0 && exports == 0);
    }
}

static bool is_said(const char *text) {
    return strstr(console, text) != NULL;
}
