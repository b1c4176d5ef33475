// sources: kernel_lib/jit/settle/settle_record.c kernel_lib/error.c tests/host/console.c
// sources: kernel_lib/io/format.c
/* When a machine writes its successor by itself: whole lives of boots, on a disk that may fail, and
 * the record that is kept between them. */
#include "check.h"
#include "console.h"
#include "kernel_lib/jit/settle/settle.c"

/* ---- The machine ---- */

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

/* ---- Tests ---- */

static void test_whole_life(void) {
    new_disk();
    boot(true, true);
    CHECK(trims == 0 && console[0] == '\0' && writes == 1);
    boot(false, true);
    quiet_boots(2);
    boot(false, false);
    CHECK(trims == 1 && exports == 0);
    CHECK(is_said("has settled: it writes a trimmed copy of its kernel; a key puts that off"));
    is_copy = true;
    boot(false, false);
    CHECK(exports == 1 && is_said("writes a native kernel") && left_to_parent == 0);
    CHECK(was_rehearsed); /* nothing was compiled since */
    int written = writes;
    is_copy = false; /* a person has chosen full: the next boot takes another kernel */
    begin_boot(false, false);
    is_next = false;
    end_boot();
    CHECK(trims == 0 && exports == 0 && writes == written);
}

static void test_news_start_again(void) {
    new_disk();
    boot(true, true);
    quiet_boots(2);
    boot(false, true); /* a new function */
    quiet_boots(2);
    statistics.compiled = 0;
    begin_boot(false, false);
    statistics.idle_compiled = 1; /* while it waited */
    end_boot();
    CHECK(trims == 1);
    is_copy = true;
    quiet_boots(2);
    boot(true, false);
    CHECK(exports == 0);
    quiet_boots(2);
    boot(false, false);
    CHECK(exports == 1 && !was_rehearsed);
}

static void test_without_coverage(void) {
    new_disk();
    records_coverage = false;
    boot(true, false);
    quiet_boots(2);
    boot(false, false);
    CHECK(trims == 0 && exports == 1);
}

static void test_never(void) {
    new_disk();
    setting = 0;
    for (int i = 0; i < 20; i++)
        quiet_boots(1);
    CHECK(writes == 0);
    setting = 3;
    has_result = false; /* boots that had no result are none */
    for (int i = 0; i < 20; i++)
        quiet_boots(1);
    CHECK(writes == 0);
    has_result = true;
    begin_boot(false, false);
    jit_settle_at_end(1);
    CHECK(writes == 0);
}

static void settle(void) {
    new_disk();
    boot(true, true);
    quiet_boots(2);
}

static void test_user_waits(void) {
    settle();
    progress = JIT_WAITS;
    boot(false, false); /* it is the prompt where there is time, not the end */
    CHECK(trims == 0);
    begin_boot(false, false);
    CHECK(jit_settle_due());
    jit_settle();
    CHECK(trims == 1 && !jit_settle_due());
    end_boot();
}

static void test_key(void) {
    settle();
    progress = JIT_WAITS;
    begin_boot(false, false);
    key_at = 0;
    CHECK(!jit_settle_due());
    for (int i = 0; i < 10; i++) {
        key_at = 4;
        CHECK(jit_settle_due());
        jit_settle();
        CHECK(trims == i + 1 && is_said("put off"));
        sees_new = true; /* what the attempt has run is no news */
        statistics.compiled = 7;
        key_at = -1;
    }
    CHECK(record.trims == 0);
    end_boot();
    begin_boot(false, false);
    CHECK(jit_settle_due());
    jit_settle();
    CHECK(trims == 1 && is_done);
}

/* What a program has not read of its input puts nothing off; what a dialogue has not read does. */
static void test_unread_input(void) {
    settle();
    unread = 3;
    boot(false, false);
    CHECK(trims == 0 && unread == 3);
    notes_progress = false;
    boot(false, false);
    CHECK(trims == 1 && unread == 0 && !is_said("put off"));
}

/* Three attempts, each after as many boots as before the first; then the native kernel is next. */
static void test_failure(void) {
    settle();
    outcome = FAILS;
    for (int i = 0; i < 3; i++) {
        boot(false, false);
        CHECK(trims == 1 && exports == 0 && is_said("warning: there is no room\n"));
        CHECK(!jit_settle_due());
        for (int j = 0; j < 2; j++) {
            boot(true, false);
            CHECK(trims == 0 && exports == 0);
        }
    }
    int attempts = 0;
    for (int i = 0; i < 50; i++) {
        boot(false, false);
        CHECK(trims == 0);
        attempts += exports;
    }
    CHECK(attempts == 3);
    int written = writes;
    quiet_boots(10);
    CHECK(writes == written);
}

/* Without room for the trimmed copy the native kernel is written all the same. */
static void test_export_after_failed_trim(void) {
    settle();
    outcome = FAILS;
    boot(false, false);
    CHECK(trims == 1);
    outcome = WRITES;
    boot(false, false);
    CHECK(trims == 0 && exports == 1);
}

/* The machine stops in each attempt: three such boots, and no more. */
static void test_crash(void) {
    settle();
    int attempts = 0;
    for (int i = 0; i < 20; i++) {
        begin_boot(false, false);
        if (!jit_settle_due())
            continue;
        char as_left[SETTLE_TEXT];
        struct settle_record begun = record;
        ++*(settle_record_step(&record, setting, can_trim) == SETTLE_TRIM ? &begun.trims
                                                                          : &begun.exports);
        disk_size = settle_record_format(&begun, as_left);
        memcpy(disk, as_left, disk_size);
        attempts++;
    }
    CHECK(attempts == 2 * SETTLE_TRIES);
}

static void test_copy_lacks_function(void) {
    settle();
    boot(false, false);
    CHECK(trims == 1);
    is_copy = true;
    outcome = LACKS;
    boot(false, false);
    CHECK(exports == 1 && left_to_parent == 1 && is_said("its parent boots next"));
    is_copy = false;
    outcome = WRITES;
    boot(false, false); /* at once */
    CHECK(trims == 0 && exports == 1 && !was_rehearsed && is_said("writes a native kernel"));

    settle(); /* and where compiling fails, which is survived */
    boot(false, false);
    is_copy = true;
    begin_boot(true, false);
    has_lacked = true;
    end_boot();
    CHECK(exports == 0 && left_to_parent == 1);
    is_copy = false;
    boot(true, true);
    quiet_boots(2);
    boot(false, false);
    CHECK(trims == 0 && exports == 1);
}

/* A kernel that the build has trimmed has no parent that could do it. */
static void test_no_parent(void) {
    settle();
    is_copy = true;
    has_parent = false;
    outcome = LACKS;
    int attempts = 0;
    for (int i = 0; i < 30; i++) {
        boot(false, false);
        attempts += exports;
    }
    CHECK(attempts == 3 && left_to_parent == 0);
}

static void test_successor_fails(void) {
    settle();
    boot(false, false);
    is_copy = true;
    boot(false, false);
    CHECK(exports == 1);
    came_up_for_another = true;
    boot(false, false);
    CHECK(exports == 0); /* it learns again */
    quiet_boots(1);
    boot(false, false);
    CHECK(exports == 1);
}

static void test_another_machine(void) {
    settle();
    cpu = "00000000000000000000000000000000";
    boot(true, true);
    quiet_boots(2);
    model = "dim=128"; /* nothing is compiled for it: it counts from here all the same */
    quiet_boots(2);
    boot(false, false);
    CHECK(trims == 1);
}

static void test_disk_fails(void) {
    settle();
    disk_is_gone = true;
    begin_boot(true, true);
    end_boot();
    CHECK(is_said("warning: /profile/SETTLED.TXT is not written: the disk is gone\n"));
}

static void test_record(void) {
    static const char text[] =
        "build=b\ncpu=c\nmodel=dim=1\ncovered=1\ncompiled=20\ntrims=3\nexports=0\nrehearsed=1\n";
    struct settle_record read;
    char formatted[SETTLE_TEXT];
    CHECK(settle_record_parse(&read, text, sizeof text - 1));
    CHECK(strcmp(read.model, "dim=1") == 0 && read.compiled == 20 && read.trims == 3);
    CHECK(settle_record_format(&read, formatted) == sizeof text - 1);
    CHECK(memcmp(formatted, text, sizeof text - 1) == 0);
    for (size_t size = 0; size < sizeof text - 1; size++)
        CHECK(!settle_record_parse(&read, text, size));
    CHECK(!settle_record_parse(&read, text, sizeof text)); /* with the zero */
    for (size_t i = 0; i < sizeof text - 1; i++) { /* whatever a byte is: it is read or refused */
        char bad[sizeof text];
        memcpy(bad, text, sizeof text);
        bad[i] ^= 0x15;
        settle_record_parse(&read, bad, sizeof text - 1);
    }
    static char long_id[SETTLE_TEXT];
    memset(long_id, 'x', sizeof long_id);
    memcpy(long_id, "build=", 6);
    long_id[100] = '\n';
    CHECK(!settle_record_parse(&read, long_id, 101));
}

int main(void) {
    test_whole_life();
    test_news_start_again();
    test_without_coverage();
    test_never();
    test_user_waits();
    test_key();
    test_unread_input();
    test_failure();
    test_export_after_failed_trim();
    test_crash();
    test_copy_lacks_function();
    test_no_parent();
    test_successor_fails();
    test_another_machine();
    test_disk_fails();
    test_record();
    puts("settle: passed");
    return 0;
}
