// sources: kernel_lib/jit/policy/autotune.c kernel_lib/jit/policy/budget.c
// sources: kernel_lib/jit/policy/call_times.c kernel_lib/jit/policy/gain.c
// sources: kernel_lib/jit/policy/idle.c kernel_lib/jit/policy/optimize.c
// sources: kernel_lib/jit/policy/state.c kernel_lib/jit/policy/tiers.c
// sources: kernel_lib/jit/policy/value_profile.c kernel_lib/jit/values.c
// sources: kernel_lib/jit/settings.c kernel_lib/jit/log.c kernel_lib/config/config.c
// sources: kernel_lib/config/parse.c kernel_lib/config/unknown_keys.c
// sources: kernel_lib/error.c tests/host/console.c kernel_lib/io/json_format.c kernel_lib/io/utf8.c
// sources: kernel_lib/io/format.c
/* What code is specialised for, and which of several versions is kept. */
#include "console.h"
#include "fake_engine.h"
#include "jit_configuration.h"

/* ---- Argument values ---- */

/* A call whose arguments are these. */
static void call_values(struct jit_function *f, uint64_t a, uint64_t b, uint64_t c) {
    const uint64_t values[JIT_ARGUMENTS] = {a, b, c};
    call_with(f, 2000, values);
}

static void test_frequent_values(void) {
    struct jit_function *f = fresh_function(3);
    for (uint64_t i = 0; i < 63; i++)
        call_values(f, 64, i % 3, 1);
    CHECK(f->values.count == 3 && f->values.arguments == 3 && f->level == JIT_O0);
    for (int i = 0; i < 3; i++)
        CHECK(f->values.frequent[i].calls == 21 && f->values.frequent[i].values[0] == 64 &&
              f->values.frequent[i].values[1] == (uint64_t)i &&
              f->values.frequent[i].values[2] == 1);
    CHECK(!f->specialised);
    /* Values of one call in a hundred get no clone. */
    call_values(f, 1, 2, 3);
    for (uint64_t i = 0; i < 936; i++)
        call_values(f, 64, i % 3, 1);
    CHECK(f->level == JIT_O2 && f->specialised && f->values.count == 3 &&
          !f->policy.tracking.too_varied);
}

/* Values of the start make room for those of later. */
static void test_change(void) {
    struct jit_function *f = fresh_function(2);
    for (uint64_t i = 0; i < 24; i++)
        call_values(f, 16, i % 6, 0);
    for (uint64_t i = 0; i < 970; i++)
        call_values(f, 1, i % 7, 0);
    CHECK(f->values.arguments == 2 && !f->policy.tracking.too_varied && f->values.count == 7);
    for (uint64_t i = 0; i < 20; i++)
        call_values(f, 1, i % 7, 0);
    CHECK(f->level == JIT_O2 && f->specialised && f->values.count == 7);
    for (int i = 0; i < 7; i++)
        CHECK(f->values.frequent[i].values[0] == 1);
}

/* What varies is left out from the end on; what always varies is not specialised for. */
static void test_overflow(void) {
    struct jit_function *f = fresh_function(3), *g = fresh_function(2);
    for (uint64_t i = 0; i < 1008; i++)
        call_values(f, 8, 64, i);
    CHECK(f->values.arguments == 2 && f->values.count == 1 && f->specialised &&
          !f->policy.tracking.too_varied);
    for (uint64_t i = 0; i < 1008; i++)
        call_values(g, i, 64, 0);
    CHECK(g->values.arguments == 0 && g->values.count == 0 && g->policy.tracking.too_varied);
    CHECK(g->level == JIT_O2 && !g->specialised);
    /* Nine that are equally frequent are one too many. */
    struct jit_function *nine = fresh_function(1), *eight = fresh_function(1);
    for (uint64_t i = 0; i < 1257; i++) {
        call_values(nine, i % 9, 0, 0);
        call_values(eight, i % 8, 0, 0);
    }
    CHECK(nine->level == JIT_O2 && !nine->specialised && nine->policy.tracking.too_varied);
    CHECK(eight->level == JIT_O2 && eight->specialised && eight->values.count == 8);
}

/* Code whose copies are for other arguments than those of now is made anew. */
static void test_new_arguments(void) {
    struct jit_function *f = fresh_function(1);
    f->highest = JIT_O2;
    for (uint64_t i = 0; i < 1008; i++)
        call_values(f, 64, 0, 0);
    CHECK(f->level == JIT_O2 && f->specialised && f->values.count == 1);
    int before = compilations;
    for (uint64_t i = 0; i < 4000; i++)
        call_values(f, 64, 0, 0);
    CHECK(compilations == before);
    for (uint64_t i = 0; i < 1000; i++)
        call_values(f, 128, 0, 0);
    CHECK(compilations == before + 1 && f->level == JIT_O2);
    CHECK(strcmp(f->reason, "new arguments") == 0 && f->values.count == 2);
}

/* What never comes back is left out too, though it changes so seldom that the tuples always cover
 * most calls; the code is not made anew for ever. */
static void test_slow_change(void) {
    struct jit_function *f = fresh_function(2);
    f->highest = JIT_O2;
    int before = compilations;
    for (uint64_t i = 0; i < 9000; i++)
        call_values(f, 64, i / 300, 0);
    CHECK(f->level == JIT_O2 && f->specialised && f->values.arguments == 1 && f->values.count == 1);
    CHECK(compilations - before <= 3 + 3 + 1); /* levels, renewals, without the argument */
    before = compilations;
    for (uint64_t i = 0; i < 900; i++)
        call_values(f, 64, 1000 + i / 300, 0);
    CHECK(compilations == before);
}

/* A few tuples more than there is room for, of which some come in bursts, as every prompt's do,
 * cost no argument, however long that goes on: they come again. */
static void test_returning(void) {
    struct jit_function *f = fresh_function(2);
    f->highest = JIT_O1;
    for (uint64_t story = 0; story < 40; story++) {
        for (uint64_t i = 0; i < 10; i++)
            call_values(f, i % 5, 7, 0);
        for (uint64_t i = 0; i < 600; i++)
            call_values(f, i % 20 ? i % 4 : 4, 1, 0);
    }
    CHECK(f->values.arguments == 2 && f->values.count == 8 && !f->policy.tracking.too_varied);
}

/* The same, sooner: before any code is made for what does not come back. */
static void test_slow_change_early(void) {
    struct jit_function *f = fresh_function(2);
    for (uint64_t i = 0; i < 1257; i++)
        call_values(f, 64, i / 20, 0);
    CHECK(f->level == JIT_O2 && f->specialised && f->values.arguments == 1 && f->values.count == 1);
    CHECK(!f->policy.tracking.renewals);
}

/* ---- Autotuning ---- */

/* Cycles of a call of the version that is installed, on real calls of two sizes: which version is
 * the fastest depends on the size, and on average it is the one of the alternative. */
static struct jit_function *alternative;
static struct jit_function *best_on_o2;

static uint64_t cycles_of(const struct jit_function *f, uint64_t size) {
    const struct jit_version *version = installed[f - program];
    if (f == best_on_o2 && f->level == JIT_O2)
        return 900;
    if (f->level < JIT_O3 || !version)
        return 5000;
    if (version->body == alternative)
        return size == 1 ? 1100 : 2000;
    if (version->options == JIT_FREE_LOOPS)
        return size == 1 ? 1000 : 4000;
    if (version->options == (JIT_ALL_FEATURES | JIT_FREE_LOOPS))
        return size == 1 ? 1400 : 2400;
    return 3000;
}

/* The noise is of the kind that a machine makes: now and then a call takes longer. */
static void run_until_decided(struct jit_function *f, int calls) {
    static int i;
    for (int end = i + calls; i < end; i++) {
        uint64_t size = i % 4 == 0 ? 2 : 1;
        uint64_t noise = i % 7 == 0 ? 10000 : (uint64_t)i % 3 * 50;
        call_with(f, cycles_of(f, size) + noise, &size);
    }
}

static void run_until_autotuning(struct jit_function *f) {
    while (!f->policy.autotune) {
        CHECK(f->calls < 10300);
        run_until_decided(f, 1);
    }
}

/* In rounds that are spread over many calls. */
static void run_autotuning(struct jit_function *f) {
    for (int calls = 0; f->policy.autotune; calls++) {
        CHECK(calls < 32 * (5 * 28 + 2 * 1024));
        run_until_decided(f, 1);
    }
}

/* What an event says about a candidate. */
static uint64_t cycles_logged(const char *candidate) {
    const char *at = strstr(console, candidate);
    CHECK(at && (at = strstr(at, "\"cycles\":")));
    return strtoull(at + strlen("\"cycles\":"), NULL, 10);
}

static bool near(uint64_t cycles, uint64_t expected) {
    return cycles >= expected * 95 / 100 && cycles <= expected * 105 / 100;
}

/* Whose code was the fastest, by what was recorded for the profile. */
static const struct jit_function *chosen_of(const struct jit_function *f) {
    const struct jit_function *chosen = NULL;
    for (unsigned i = 0; i < f->candidates.count; i++) {
        const struct jit_candidate *candidate = &f->candidates.list[i];
        CHECK(candidate->cycles > 0 && candidate->options <= (JIT_ALL_FEATURES | JIT_FREE_LOOPS));
        CHECK(!candidate->chosen || !chosen);
        if (candidate->chosen)
            chosen = candidate->body;
    }
    return chosen;
}

static void test_autotuning(void) {
    struct jit_function *f = fresh_function(1);
    alternative = fresh_function(1);
    CHECK(jit_add_alternative(f, alternative));
    CHECK(!jit_add_alternative(f, &cpu) && !jit_add_alternative(&cpu, f));
    int versions_before = versions;
    console[0] = '\0';
    jit_print_log();
    run_until_decided(f, 9999);
    CHECK(f->level == JIT_O2 && !f->policy.autotune);
    run_until_autotuning(f);
    CHECK(f->level == JIT_O3 && f->sample_mask == 0);
    CHECK(strcmp(f->reason, "autotuning") == 0 && f->specialised);
    run_autotuning(f);
    CHECK(!f->policy.autotune && f->sample_mask != 0 && strcmp(f->reason, "calls") == 0);
    CHECK(f->body == alternative && f->specialised);
    CHECK(versions == versions_before + 1); /* the others are freed */
    CHECK(f->candidates.count == 2 && chosen_of(f) == alternative);
    console[0] = '\0';
    jit_print_log();
    /* 3 of 4 calls have size 1, nearly so of those that were timed. */
    char of_alternative[40];
    snprintf(of_alternative, sizeof of_alternative, "\"body\":\"%s\"", alternative->name);
    CHECK(near(cycles_logged(of_alternative), (3 * 1100 + 2000) / 4));
    CHECK(near(cycles_logged("\"features\":\"as written\""), 3000));
    CHECK(strstr(console, "\"chosen\":true") > strstr(console, of_alternative));
    CHECK(strstr(console, "\"level\":\"O3\",\"specialised\":true"));
}

/* Attention: its work grows with a position that none of its arguments tells. The alternative is
 * slower up to position 33, and faster beyond. */
#define CALLS_OF_POSITION 20

static uint64_t cycles_at(const struct jit_function *f, uint64_t position) {
    const struct jit_version *version = installed[f - program];
    if (version && version->body == alternative)
        return 300 + 4 * position;
    return (f->level == JIT_O3 ? 100 : 120) + 10 * position;
}

/* Autotuning begins at a text's begin, in texts of so many positions, and now and then a call is
 * interrupted. Returns whose code is chosen. */
static const struct jit_function *chosen_in_texts_of(uint64_t positions) {
    static const uint64_t size = 8;
    struct jit_function *f = fresh_function(1);
    CHECK(jit_add_alternative(f, alternative));
    while (!f->policy.autotune)
        call_with(f, 5000, &size);
    for (uint64_t i = 0; f->policy.autotune; i++) {
        CHECK(i < 100000);
        uint64_t interrupted = i % 331 == 0 ? 40000 : 0;
        call_with(f, cycles_at(f, i / CALLS_OF_POSITION % positions) + interrupted, &size);
    }
    CHECK(f->level == JIT_O3 && f->specialised);
    return f->body ? f->body : f;
}

static void test_autotuning_with_hidden_work(void) {
    for (uint64_t positions = 8; positions <= 48; positions += 20)
        CHECK(chosen_in_texts_of(positions) != alternative);
    CHECK(chosen_in_texts_of(100) == alternative);
    CHECK(chosen_in_texts_of(256) == alternative);
    CHECK(chosen_in_texts_of(500) == alternative);
    CHECK(chosen_in_texts_of(512) == alternative);
}

/* From the first candidate on no call has values that were frequent before. */
static void test_autotuning_with_new_values(void) {
    struct jit_function *f = fresh_function(1);
    CHECK(jit_add_alternative(f, alternative));
    run_until_autotuning(f);
    for (uint64_t size = 3; f->policy.autotune; size++)
        call_with(f, cycles_of(f, 1), &size);
    CHECK(f->body == alternative && chosen_of(f) == alternative);
}

/* A candidate in its turn is nothing to keep; what runs between two rounds is the best so far. */
static void test_autotuning_on_turn(void) {
    struct jit_function *f = fresh_function(1);
    CHECK(jit_add_alternative(f, alternative));
    run_until_autotuning(f);
    CHECK(f->autotuning);
    while (f->autotuning)
        run_until_decided(f, 1);
    CHECK(f->policy.autotune && f->body == alternative && f->sample_mask != 0);
    CHECK(strcmp(f->reason, "calls") == 0);
    while (!f->autotuning)
        run_until_decided(f, 1);
    run_autotuning(f);
    CHECK(!f->autotuning && f->body == alternative);
}

/* Without an alternative the function itself is compiled for all that the CPU can, too. */
static void test_autotuning_alone(void) {
    struct jit_function *f = fresh_function(1);
    run_until_autotuning(f);
    console[0] = '\0';
    jit_print_log();
    run_autotuning(f);
    CHECK(!f->policy.autotune && f->body == f);
    CHECK(installed[f - program]->options == (JIT_ALL_FEATURES | JIT_FREE_LOOPS));
    console[0] = '\0';
    jit_print_log();
    CHECK(near(cycles_logged("\"features\":\"all\",\"loops\":\"free\""), (3 * 1400 + 2400) / 4));
    CHECK(near(cycles_logged("\"features\":\"as written\",\"loops\":\"free\""),
               (3 * 1000 + 4000) / 4));
    CHECK(near(cycles_logged("\"features\":\"all\",\"loops\":\"as written\""), 3000));
}

/* Under emulation nothing wide is even made. */
static void test_autotuning_emulated(void) {
    struct jit_function *f = fresh_function(1);
    cpu.tcg = true;
    CHECK(jit_add_alternative(f, alternative));
    run_until_autotuning(f);
    int before = compilations;
    run_autotuning(f);
    CHECK(!f->policy.autotune && compilations == before + 2);
    CHECK(f->body == f && installed[f - program]->options == JIT_FREE_LOOPS);
    cpu.tcg = false;
}

/* What ran before stays, when nothing is faster; and no higher level is tried again. */
static void test_autotuning_keeps(void) {
    struct jit_function *f = fresh_function(1);
    run_until_autotuning(f);
    best_on_o2 = f;
    run_autotuning(f);
    CHECK(!f->policy.autotune && f->level == JIT_O2 && f->highest == JIT_O2 && f->specialised);
    int before = compilations;
    run_until_decided(f, 20000);
    CHECK(compilations == before && f->level == JIT_O2);
}

static int makes_left;

static void fail_later(void) {
    failing = makes_left-- > 0 ? JIT_LEVELS : JIT_O0;
}

/* Candidates that cannot be made are left out; without any, the level is not reached. */
static void test_autotuning_failures(void) {
    struct jit_function *f = fresh_function(0), *g = fresh_function(0);
    run_until_decided(f, 9990);
    run_until_decided(g, 9990);
    while_compiling = fail_later;
    makes_left = 1;
    run_until_autotuning(f);
    run_autotuning(f);
    CHECK(!f->policy.autotune && f->level == JIT_O3 && f->body == f);
    makes_left = 0;
    run_until_decided(g, 300);
    CHECK(!g->policy.autotune && g->level == JIT_O2 && g->highest == JIT_O2);
    while_compiling = NULL;
    failing = JIT_LEVELS;
}

/* The usual function, on every level: so long that no function is compiled for its time. */
static void compiling_takes(uint64_t cycles) {
    static const struct jit_function usual = {.size = USUAL_SIZE};
    for (int level = JIT_O0; level < JIT_LEVELS; level++) {
        compile_cycles[level] = cycles;
        for (int i = 0; i < 40; i++) /* until the averages are these */
            budget_charge(&usual, level, false, cycles);
    }
}

int main(void) {
    struct error error;
    CHECK(configure("jit.budget = 100", &error)); /* the thresholds to the letter */
    fake_clock = HZ;
    compiling_takes(15 * MS);
    test_frequent_values();
    test_change();
    test_overflow();
    test_new_arguments();
    test_slow_change();
    test_slow_change_early();
    test_returning();
    compiling_takes(65 * MS);
    test_autotuning();
    test_autotuning_with_hidden_work();
    test_autotuning_with_new_values();
    test_autotuning_on_turn();
    test_autotuning_alone();
    test_autotuning_keeps();
    compiling_takes(8 * MS); /* eight times what it takes must be gained */
    test_autotuning_emulated();
    compiling_takes(65 * MS);
    test_autotuning_failures();
    for (int i = 0; i < FUNCTIONS; i++)
        free(installed[i]);
    config_clear();
    puts("value profile: passed");
}
