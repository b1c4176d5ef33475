#include "settle.h"
#include "kernel_lib/generations.h"
#include "kernel_lib/jit/settle/settle_record.h"
#include "kernel_lib/jit/store/cpu_id.h"
#include "kernel_lib/jit/store/persist.h"
#include "kernel_lib/jit/store/run_mark.h"
#include "kernel_lib/jit/successors.h"
#include "kernel_lib/jit_runtime.h"
#include "kernel_lib/life/settle_setting.h"
#include "kernel_lib/life/trim/self_trim.h"
#include "kernel_lib/removed/removed_functions.h"
#include "kernel_lib/runtime.h"

#define PATH "/profile/SETTLED.TXT"

#pragma weak boot_slots_fall_back /* only where machines boot */

static struct settle_record before; /* that of the earlier boots */
static struct settle_record record; /* with this boot */
static char on_disk[SETTLE_TEXT];
static bool is_read, can_trim, successor_failed;
static bool has_tried; /* a step: what that runs and compiles is not news */
static bool is_done;   /* with steps, in this boot */
static bool key_pressed;

void jit_settle_start(void) {
    successor_failed = snapshots_successor_failed();
}

static bool is_same(const struct settle_record *a, const struct settle_record *b) {
    return strcmp(a->build, b->build) == 0 && strcmp(a->cpu, b->cpu) == 0 &&
           strcmp(a->model, b->model) == 0;
}

/* Reads what earlier boots have noted, if they were of this build, CPU and model. When a successor
 * did not come up, its parent learns again. */
static void read_record(void) {
    size_t size;
    struct error ignored;
    struct settle_record now = {0};
    snprintf(now.build, sizeof now.build, "%s", platform_code_id());
    snprintf(now.cpu, sizeof now.cpu, "%s", jit_cpu_id());
    snprintf(now.model, sizeof now.model, "%s", jit_model());
    char *text = (char *)generation_read(PATH, SETTLE_TEXT - 1, &size, &ignored);
    if (text && settle_record_parse(&before, text, size))
        memcpy(on_disk, text, size);
    if (!on_disk[0] || !is_same(&before, &now))
        before = now;
    free(text);
    if (successor_failed)
        before.covered = before.compiled = 0;
    if (kernel_is_trimmed_copy() && before.trims == 0)
        before.trims = 1; /* this one, whoever asked for it */
    can_trim = self_trim_possible(&ignored);
    record = before;
    is_read = true;
}

static unsigned one_more(unsigned boots) {
    return boots < life_settle() ? boots + 1 : life_settle();
}

/* What this boot adds so far. */
static void count(void) {
    const struct jit_statistics *statistics = jit_statistics();
    bool has_compiled = statistics->compiled + statistics->idle_compiled > 0;
    record.compiled = has_compiled ? 0 : one_more(before.compiled);
    record.rehearsed = before.rehearsed && !has_compiled;
    if (self_trim_sees_new_functions() || jit_has_lacked_functions())
        record.covered = 0;
    else if (can_trim)
        record.covered = one_more(before.covered);
}

static void write_record(void) {
    char text[SETTLE_TEXT] = "";
    struct error error;
    size_t size = settle_record_format(&record, text);
    if (strcmp(text, on_disk) == 0 || files_stopped())
        return;
    if (generation_write(PATH, text, size, &error))
        memcpy(on_disk, text, sizeof text);
    else
        console_printf("warning: %s is not written: %s\n", PATH, error.text);
}

static void note_boot(void) {
    if (life_settle() == 0 || !jit_has_had_result())
        return;
    if (!is_read)
        read_record();
    if (!has_tried)
        count();
    write_record();
}

/* A trimmed copy that lacks what it needs leaves the machine to its parent, which has it. Whether
 * the next boot is the parent's. */
static bool leave_to_parent(void) {
    struct error error;
    if (!kernel_is_trimmed_copy() || !boot_slots_fall_back || !boot_slots_fall_back(&error))
        return false;
    is_done = true;
    console_puts("This copy lacks functions that it needs: its parent boots next.\n");
    return true;
}

void jit_settle_at_exit(void) {
    note_boot();
    if (is_read && !is_done && snapshots_is_next() && jit_has_lacked_functions())
        leave_to_parent();
}

static enum settle_step step_due(void) {
    note_boot();
    if (!is_read || is_done || !snapshots_is_next() || files_stopped())
        return SETTLE_NOTHING;
    return settle_record_step(&record, life_settle(), can_trim);
}

bool jit_settle_due(void) {
    return step_due() != SETTLE_NOTHING && !console_wait(0);
}

static bool go_on(void) {
    key_pressed = key_pressed || console_wait(0);
    return !key_pressed;
}

static unsigned *tries_of(enum settle_step step) {
    return step == SETTLE_TRIM ? &record.trims : &record.exports;
}

/* After a step that has written nothing. */
static void not_written(enum settle_step step, const struct error *error) {
    if (key_pressed) {
        --*tries_of(step);
        console_puts("That is put off, because a key was pressed.\n");
        return;
    }
    jit_print_log();
    console_printf("warning: %s\n", error->text);
    if (jit_lacked_function() && leave_to_parent())
        --*tries_of(step); /* the parent does it, as soon as it boots */
    else
        *(step == SETTLE_TRIM ? &record.covered : &record.compiled) = 0;
    is_done = true;
}

/* Tells programs. The peak is that of the heap before the step. */
static void announce(enum settle_step step, bool written, uint64_t begin, uint64_t peak) {
    const char *otherwise = key_pressed ? "put off" : "failed";
    console_event("{\"event\":\"settle\",\"step\":\"%s\",\"result\":\"%s\",\"cycles\":%llu,"
                  "\"peak_before\":%llu}",
                  step == SETTLE_TRIM ? "trim" : "export", written ? "written" : otherwise,
                  (unsigned long long)(cpu_rdtsc() - begin), (unsigned long long)peak);
}

static void take(enum settle_step step) {
    struct error error;
    uint64_t begin = cpu_rdtsc(), peak = memory_usage().peak;
    has_tried = true;
    key_pressed = false;
    ++*tries_of(step);
    write_record(); /* before: if the machine stops in the middle, that was one try */
    console_printf("This machine has settled: it writes %s; a key puts that off ...\n",
                   step == SETTLE_TRIM ? "a trimmed copy of its kernel" : "a native kernel");
    bool is_rehearsed = record.rehearsed && kernel_is_trimmed_copy();
    bool written = step == SETTLE_TRIM ? jit_write_trimmed(go_on, &error)
                                       : jit_write_native(is_rehearsed, go_on, &error);
    record.rehearsed |= written && step == SETTLE_TRIM;
    if (written)
        is_done = true;
    else
        not_written(step, &error);
    announce(step, written, begin, peak);
    write_record();
}

void jit_settle(void) {
    enum settle_step step = step_due();
    if (step != SETTLE_NOTHING)
        take(step);
}

/* A program may have left input, such as its end: that is no key that was pressed. */
static void discard_input(void) {
    while (console_wait(0) && console_read() >= 0)
        ;
}

void jit_settle_at_end(int code) {
    if (code != 0)
        return;
    snapshots_report_success();
    if (jit_last_progress() == JIT_WAITS)
        return;
    if (!jit_notes_progress())
        discard_input();
    if (jit_settle_due())
        jit_settle();
}
