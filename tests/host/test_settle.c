// sources: kernel_lib/jit/settle/settle_record.c kernel_lib/error.c tests/host/console.c
// sources: kernel_lib/io/format.c
/* When a machine writes its successor by itself: whole lives of boots, on a disk that may fail. */
#include "settle_machine.h"

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
    puts("settle: passed");
    return 0;
}
