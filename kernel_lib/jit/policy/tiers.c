/* Levels of functions. */
#include "kernel_lib/jit/policy/tiers.h"
#include "kernel_lib/jit/clock.h"
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit/policy/budget.h"
#include "kernel_lib/jit/policy/report.h"
#include "kernel_lib/jit/policy/value_profile.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"
#include <inttypes.h>

/* Compiled calls are timed when their number has none of these bits: one in 8 on O2, or of
 * functions that are due for O2 by their calls, one in 64 on O3. BURST calls in a row are timed:
 * single calls might always be the same one of several that take turns, such as the products with a
 * layer's matrices. */
#define BURST 32
static const uint32_t sample_masks[JIT_LEVELS] = {[JIT_O2] = 7 * BURST, [JIT_O3] = 63 * BURST};

enum jit_level tier_top(const struct jit_function *f) {
    enum jit_level most = jit_settings()->max_level;
    return f->highest < most ? f->highest : most;
}

enum jit_level tier_after_o0(void) {
    return cpu_features()->tcg ? JIT_O1 : JIT_O2;
}

enum jit_level tier_due(const struct jit_function *f, enum jit_level top) {
    enum jit_level level = top;
    while (level > JIT_INTERPRETER && f->calls < jit_settings()->thresholds[level])
        level--;
    return level;
}

uint32_t tier_sample_mask(const struct jit_function *f) {
    enum jit_level due = tier_due(f, JIT_O3);
    return sample_masks[f->level > due ? f->level : due];
}

static uint64_t ms_since_begin(uint64_t now) {
    return (now - jit_statistics()->begin) / (cpu_cycles_per_second() / 1000);
}

void tier_tell(const struct jit_function *f, uint64_t cycles) {
    uint64_t now = jit_clock(), ms = ms_since_begin(now);
    jit_log_event("{\"event\":\"tier\",\"function\":\"%s\",\"level\":\"%s\",\"specialised\":%s,"
                  "\"cycles\":%" PRIu64 ",\"reason\":\"%s\",\"ms\":%" PRIu64 "}",
                  f->name, jit_level_name(f->level), f->specialised ? "true" : "false", cycles,
                  f->reason, ms);
    report_status(now);
}

/* The level that failed is not tried again. With clones, they may be the reason: then the level is
 * tried without them. */
static void note_failure(struct jit_function *f, enum jit_level level, enum jit_level highest,
                         bool specialise) {
    jit_statistics()->failed++;
    if (specialise) {
        f->highest = highest;
        values_give_up(f);
    } else if (f->highest >= level) {
        f->highest = level - 1;
    }
}

static bool compile(struct jit_function *f, enum jit_level level, bool specialise, bool limited,
                    const char *reason) {
    enum jit_level highest = f->highest;
    uint64_t begin = jit_clock();
    if (specialise)
        values_select(f);
    report_compiling(f, level);
    bool good = jit_compile(f, level, specialise, reason);
    uint64_t cycles = jit_clock() - begin;
    if (limited)
        budget_charge(f, level, specialise, cycles);
    else
        budget_charge_outside(f, level, cycles);
    if (!good) {
        note_failure(f, level, highest, specialise);
        return false;
    }
    budget_count();
    f->sample_mask = tier_sample_mask(f);
    values_compiled(f);
    tier_tell(f, cycles);
    return true;
}

bool tier_compile(struct jit_function *f, enum jit_level level, const char *reason) {
    return compile(f, level, level >= JIT_O2 && values_can_specialise(f), true, reason);
}

bool tier_compile_general(struct jit_function *f, enum jit_level level, const char *reason) {
    return compile(f, level, false, true, reason);
}

bool tier_compile_outside(struct jit_function *f, enum jit_level level, const char *reason) {
    return compile(f, level, false, false, reason);
}

void *tier_continue(struct jit_function *f, uint32_t loop, enum jit_level level) {
    uint64_t begin = jit_clock();
    report_compiling(f, level);
    void *code = jit_make_continuation(f, loop, level);
    uint64_t now = jit_clock();
    budget_charge_outside(f, level, now - begin);
    if (!code) {
        note_failure(f, level, f->highest, false);
        return NULL;
    }
    budget_count();
    f->policy.continued = level;
    jit_log_event("{\"event\":\"continue\",\"function\":\"%s\",\"loop\":%" PRIu32
                  ",\"level\":\"%s\",\"cycles\":%" PRIu64 ",\"ms\":%" PRIu64 "}",
                  f->name, loop, jit_level_name(level), now - begin, ms_since_begin(now));
    report_status(now);
    return code;
}

void jit_note_first_code(struct jit_function *f, bool compiled, uint64_t cycles) {
    budget_charge(f, compiled ? f->level : JIT_O0, false, cycles);
    if (!compiled) {
        jit_statistics()->failed++;
        return;
    }
    budget_count();
    tier_tell(f, cycles);
}
