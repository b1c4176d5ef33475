/*
 * Which arguments code is specialised for. The values of a function's integer arguments are noted
 * together, as a tuple, and the most frequent tuples kept. Where they are too few of the calls, the
 * last argument is left out, as long as there is one: functions have the arguments that vary, a
 * position in a text for example, behind those that depend on the model alone.
 */
#include "kernel_lib/jit/policy/policy.h"
#include "kernel_lib/jit/settings.h"
#include <string.h>

#define JUDGE_EVERY 64 /* noted arguments */
#define TOO_MANY 4     /* of them, one in so many without a tuple, or without a copy, is too many */
#define BAD_TIMES 2    /* judged so in a row, an argument is dropped, or copies are made anew */
#define MANY_EVICTED 16 /* tuples, while REMEMBER times were judged: what varies does so slowly */
#define FEW_MISSED 6    /* of JUDGE_EVERY: so many may come again without counting as evicted */
#define REMEMBER 64
#define RENEWALS 3 /* of copies: it does so more slowly still, but for ever */
#define RARE 32    /* one call in so many is not worth a copy */

static int find_tuple(const struct jit_function *f, const uint64_t *values) {
    for (int i = 0; i < f->tuple_count; i++)
        if (memcmp(f->tuples[i].values, values, f->arguments * sizeof *values) == 0)
            return i;
    return -1;
}

static uint64_t hash(const struct jit_function *f, const uint64_t *values) {
    uint64_t hash = 0xCBF29CE484222325; /* FNV-1a's, by words */
    for (int i = 0; i < f->arguments; i++)
        hash = (hash ^ values[i]) * 0x100000001B3;
    return hash;
}

static bool was_evicted(const struct policy *p, uint64_t hash) {
    for (int i = 0; i < JIT_GONE; i++)
        if (p->gone[i] == hash)
            return true;
    return false;
}

/* A place for a new tuple: a free one, or the least frequent one's. Tuples that come again and
 * again, as those of every prompt and the rarer ones between two prompts, do not vary. */
static int make_place(struct jit_function *f, struct policy *p, const uint64_t *values) {
    int least = 0;
    if (f->tuple_count < JIT_TUPLES)
        return f->tuple_count++;
    for (int i = 1; i < JIT_TUPLES; i++)
        if (f->tuples[i].calls < f->tuples[least].calls)
            least = i;
    p->missed++;
    p->evicted += p->missed > FEW_MISSED || !was_evicted(p, hash(f, values));
    p->gone[p->gone_next++ % JIT_GONE] = hash(f, f->tuples[least].values);
    p->copies &= (uint8_t)~(1u << least);
    return least;
}

static void forget_tuples(struct jit_function *f, struct policy *p) {
    memset(f->tuples, 0, sizeof f->tuples);
    f->tuple_count = 0;
    p->copies = 0;
    p->evicted = 0;
    p->last_tuple = -1;
}

/* Older calls count less and less: tuples of an earlier phase, a prompt's for example, must not
 * keep those of the next one from a place. */
static void age_tuples(struct jit_function *f) {
    for (int i = 0; i < f->tuple_count; i++)
        f->tuples[i].calls /= 2;
}

/* Without the last argument there are fewer tuples. */
static void drop_argument(struct jit_function *f, struct policy *p) {
    f->arguments--;
    f->too_many_tuples = f->arguments == 0;
    p->bad_times = p->renewals = 0;
    p->judged = 0;
}

/* After so many notes: do the tuples cover the calls, and do the copies? The first time that they
 * do not, the tuples may just be those of an earlier phase, and the calls those of a rare one, such
 * as a prompt's, that happened to be timed. */
static void judge(struct jit_function *f, struct policy *p) {
    bool too_fresh = f->level >= JIT_O2 && p->fresh * TOO_MANY > p->noted;
    p->fresh_times = too_fresh ? p->fresh_times + 1 : 0;
    p->wants_new_copies = p->fresh_times >= BAD_TIMES;
    if (p->missed * TOO_MANY > p->noted) {
        p->wants_new_copies = false;
        forget_tuples(f, p);
        if (++p->bad_times == BAD_TIMES)
            drop_argument(f, p);
    } else if (p->evicted >= MANY_EVICTED) {
        p->wants_new_copies = false;
        forget_tuples(f, p);
        drop_argument(f, p);
    } else {
        p->bad_times = 0;
        age_tuples(f);
    }
    if (++p->judged == REMEMBER)
        p->judged = p->evicted = 0;
    p->noted = p->missed = p->fresh = 0;
}

void jit_note_arguments(struct jit_function *f, const uint64_t *values) {
    struct policy *p = policy_of(f);
    time_begin_call();
    if (!p || f->arguments == 0)
        return;
    p->last_tuple = find_tuple(f, values);
    if (p->last_tuple < 0 && !p->trial) { /* whose measurements belong to tuples as they are */
        p->last_tuple = make_place(f, p, values);
        struct jit_tuple *tuple = &f->tuples[p->last_tuple];
        *tuple = (struct jit_tuple){.calls = 0};
        memcpy(tuple->values, values, f->arguments * sizeof *values);
    }
    if (p->last_tuple >= 0) {
        f->tuples[p->last_tuple].calls++;
        p->fresh += !(p->copies >> p->last_tuple & 1);
    }
    if (++p->noted >= JUDGE_EVERY && !p->trial)
        judge(f, p);
}

bool adaptive_can_specialise(const struct jit_function *f) {
    return jit_settings()->specialise && f->arguments > 0 && f->tuple_count > 0 &&
           !f->too_many_tuples;
}

void adaptive_choose_tuples(struct jit_function *f) {
    struct policy *p = policy_of(f);
    uint64_t calls = 0;
    uint8_t kept = 0;
    for (int i = 0; i < f->tuple_count; i++)
        calls += f->tuples[i].calls;
    for (int i = 0; i < f->tuple_count; i++)
        if (f->tuples[i].calls * RARE >= calls)
            f->tuples[kept++] = f->tuples[i];
    memset(f->tuples + kept, 0, (size_t)(f->tuple_count - kept) * sizeof *f->tuples);
    f->tuple_count = kept;
    if (p)
        p->last_tuple = -1;
}

void adaptive_renew(struct jit_function *f) {
    struct policy *p = policy_of(f);
    p->wants_new_copies = false;
    if (++p->renewals <= RENEWALS)
        return;
    forget_tuples(f, p);
    drop_argument(f, p);
}

void adaptive_compiled(struct jit_function *f) {
    struct policy *p = policy_of(f);
    if (!p)
        return;
    p->copies = f->specialised ? (uint8_t)((1u << f->tuple_count) - 1) : 0;
    p->noted = p->missed = p->fresh = 0;
    p->fresh_times = 0;
    p->wants_new_copies = false;
}
