/*
 * Which argument values code is specialised for. The values that a function's arguments have
 * together in a call are noted, and the most frequent ones kept. When these are too few of the
 * calls, the last argument is left out, as long as there is one. Functions should therefore have
 * arguments that vary, such as a position in a text, behind those that depend on the model alone.
 */
#include "kernel_lib/jit/policy/value_profile.h"
#include "kernel_lib/jit/policy/call_times.h"
#include "kernel_lib/jit/policy/tiers.h"
#include "kernel_lib/jit/settings.h"
#include <string.h>

#define JUDGE_EVERY 64 /* noted calls */
/* One call in TOO_MANY that is missed, or finds no clone, is too many; when that is so BAD_TIMES in
 * a row, an argument is dropped, or clones for other values are made. */
#define TOO_MANY 4
#define BAD_TIMES 2
/* An argument whose values change slowly is noticed by MANY_EVICTIONS while the values are judged
 * REMEMBER times. */
#define MANY_EVICTIONS 16
#define REMEMBER 64
#define FEW_MISSED 6 /* of JUDGE_EVERY: up to so many may come back without counting as evictions */
#define RENEWALS 3   /* of clones: more mean that the values change without end */

static int find_values(const struct jit_value_profile *profile, const uint64_t *values) {
    for (int i = 0; i < profile->count; i++)
        if (memcmp(profile->frequent[i].values, values, profile->arguments * sizeof *values) == 0)
            return i;
    return -1;
}

static uint64_t hash(const struct jit_value_profile *profile, const uint64_t *values) {
    uint64_t hash = 0xCBF29CE484222325; /* FNV-1a's, by words */
    for (int i = 0; i < profile->arguments; i++)
        hash = (hash ^ values[i]) * 0x100000001B3;
    return hash;
}

static bool was_evicted(const struct jit_value_tracking *tracking, uint64_t hash) {
    for (int i = 0; i < JIT_EVICTED; i++)
        if (tracking->evicted[i] == hash)
            return true;
    return false;
}

/* Evicts the least frequent values, whose place is returned. New values that were evicted before
 * do not count as an eviction: what comes again and again, such as the values of every prompt,
 * does not vary. */
static int evict(struct jit_function *f, const uint64_t *values) {
    struct jit_value_profile *profile = &f->values;
    struct jit_value_tracking *t = &f->policy.tracking;
    int least = 0;
    for (int i = 1; i < profile->count; i++)
        if (profile->frequent[i].calls < profile->frequent[least].calls)
            least = i;
    t->missed++;
    t->evictions += t->missed > FEW_MISSED || !was_evicted(t, hash(profile, values));
    t->evicted[t->evicted_next++ % JIT_EVICTED] = hash(profile, profile->frequent[least].values);
    t->clones &= (uint8_t)~(1u << least);
    return least;
}

static int insert(struct jit_function *f, const uint64_t *values) {
    struct jit_value_profile *profile = &f->values;
    int place = profile->count < JIT_FREQUENT ? profile->count++ : evict(f, values);
    profile->frequent[place] = (struct jit_argument_values){.calls = 0};
    memcpy(profile->frequent[place].values, values, profile->arguments * sizeof *values);
    return place;
}

static void forget_values(struct jit_function *f) {
    memset(f->values.frequent, 0, sizeof f->values.frequent);
    f->values.count = 0;
    f->policy.tracking.clones = 0;
    f->policy.tracking.evictions = 0;
    f->policy.tracking.last = -1;
}

/* Older calls count less and less, so that values of an earlier phase, such as a prompt, make room
 * for those of the next one. */
static void age_values(struct jit_value_profile *profile) {
    for (int i = 0; i < profile->count; i++)
        profile->frequent[i].calls /= 2;
}

/* Without the last argument there are fewer different values. */
static void drop_argument(struct jit_function *f) {
    struct jit_value_tracking *t = &f->policy.tracking;
    f->values.arguments--;
    t->too_varied = f->values.arguments == 0;
    t->bad_times = t->renewals = 0;
    t->judged = 0;
}

/* After JUDGE_EVERY calls: do the frequent values cover them, and do the clones? A version that has
 * none gets them on the highest level. The first time that they do not, the values may be those of
 * an earlier phase, and the calls those of a short one, such as a prompt, that happened to be
 * timed. */
static void judge(struct jit_function *f) {
    struct jit_value_tracking *t = &f->policy.tracking;
    bool has_clones = f->specialised || (f->level >= JIT_O2 && f->level == tier_top(f));
    bool too_general = has_clones && t->general * TOO_MANY > t->noted;
    t->general_times = too_general ? t->general_times + 1 : 0;
    t->wants_new_clones = t->general_times >= BAD_TIMES;
    if (t->missed * TOO_MANY > t->noted) {
        t->wants_new_clones = false;
        forget_values(f);
        if (++t->bad_times == BAD_TIMES)
            drop_argument(f);
    } else if (t->evictions >= MANY_EVICTIONS) {
        t->wants_new_clones = false;
        forget_values(f);
        drop_argument(f);
    } else {
        t->bad_times = 0;
        age_values(&f->values);
    }
    if (++t->judged == REMEMBER)
        t->judged = t->evictions = 0;
    t->noted = t->missed = t->general = 0;
}

void jit_note_arguments(struct jit_function *f, const uint64_t *values) {
    struct jit_value_tracking *t = &f->policy.tracking;
    bool is_fixed = f->policy.autotune; /* whose measurements belong to the values as they are */
    time_begin_call();
    if (f->values.arguments == 0)
        return;
    t->last = find_values(&f->values, values);
    if (t->last < 0 && !is_fixed)
        t->last = insert(f, values);
    if (t->last >= 0) {
        f->values.frequent[t->last].calls++;
        t->general += !(t->clones >> t->last & 1);
    }
    if (++t->noted >= JUDGE_EVERY && !is_fixed)
        judge(f);
}

bool values_can_specialise(const struct jit_function *f) {
    return jit_settings()->specialise && f->values.arguments > 0 && f->values.count > 0 &&
           !f->policy.tracking.too_varied;
}

void values_select(struct jit_function *f) {
    jit_values_select(&f->values);
    f->policy.tracking.last = -1;
}

void values_renew(struct jit_function *f) {
    f->policy.tracking.wants_new_clones = false;
    if (++f->policy.tracking.renewals <= RENEWALS)
        return;
    forget_values(f);
    drop_argument(f);
}

void values_compiled(struct jit_function *f) {
    struct jit_value_tracking *t = &f->policy.tracking;
    t->clones = f->specialised ? (uint8_t)((1u << f->values.count) - 1) : 0;
    t->noted = t->missed = t->general = 0;
    t->general_times = 0;
    t->wants_new_clones = false;
}

void values_give_up(struct jit_function *f) {
    f->policy.tracking.too_varied = true;
}
