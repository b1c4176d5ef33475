// sources: kernel_lib/jit/policy/autotune.c
// sources: kernel_lib/jit/policy/call_times.c kernel_lib/jit/policy/gain.c
// sources: kernel_lib/jit/policy/idle.c kernel_lib/jit/policy/optimize.c
// sources: kernel_lib/jit/policy/state.c kernel_lib/jit/policy/tiers.c
// sources: kernel_lib/jit/policy/value_profile.c kernel_lib/jit/values.c
// sources: kernel_lib/jit/settings.c kernel_lib/jit/log.c kernel_lib/config/config.c
// sources: kernel_lib/config/parse.c kernel_lib/config/unknown_keys.c
// sources: kernel_lib/error.c tests/host/console.c kernel_lib/io/json_format.c kernel_lib/io/utf8.c
// sources: kernel_lib/io/format.c
/* What compiling may cost: at the start, later on, and while the application waits for input. */
#include "policy_calls.h"

#undef USUAL_SIZE
#include "kernel_lib/jit/policy/budget.c"

/* The start may compile as much as 200 usual functions on O0, while 130 of them would be compiled;
 * then it is 5 % of the time, of at most a minute, and what the start owes is paid first. */
static void test_start(void) {
    struct error error;
    struct jit_function usual = {.size = USUAL_SIZE};
    CHECK(configure_at_begin("jit.budget = 5", &error));
    uint64_t unit = budget_unit();
    CHECK(unit == 10 * MS && budget_in_start(fake_clock));
    CHECK(budget_allows(200 * unit, fake_clock) && !budget_allows(200 * unit + 1, fake_clock));
    fake_clock += 220 * unit;
    budget_charge(&usual, JIT_O1, false, 220 * unit);
    CHECK(budget_running(fake_clock) == 0 && !budget_allows(1, fake_clock));
    uint64_t begin = fake_clock;
    fake_clock += 1000 * unit;
    jit_note_waiting(begin); /* which changes nothing */
    fake_clock += 129 * unit;
    CHECK(budget_running(fake_clock) == 129 * unit && budget_in_start(fake_clock));
    fake_clock += unit;
    CHECK(!budget_in_start(fake_clock) && !budget_allows(1, fake_clock));
    fake_clock += 20 * 20 * unit;
    CHECK(budget_allows(0, fake_clock) && !budget_allows(1, fake_clock));
    fake_clock += 20 * unit;
    CHECK(budget_allows(unit, fake_clock) && !budget_allows(unit + 1, fake_clock));
    fake_clock += 1000 * HZ;
    CHECK(budget_allows(3 * HZ, fake_clock) && !budget_allows(3 * HZ + 1, fake_clock));
    fake_clock += 3 * HZ;
    budget_charge(&usual, JIT_O1, false, 3 * HZ);
    CHECK(!budget_allows(HZ, fake_clock));
    /* What is compiled while waiting is nobody's. */
    budget_set_idle(true);
    budget_charge(&usual, JIT_O1, false, 1000 * HZ);
    budget_set_idle(false);
    CHECK(jit_statistics()->idle_cycles == 1000 * HZ);
    CHECK(jit_statistics()->compile_cycles == 220 * unit + 3 * HZ);
    jit_statistics()->compile_cycles = jit_statistics()->waiting_cycles = 0;
    memset(average, 0, sizeof average);
    CHECK(configure_at_begin("jit.budget = 100", &error));
}

/* What the start has not used may be used later. */
static void test_start_with_little_to_compile(void) {
    struct error error;
    struct jit_function usual = {.size = USUAL_SIZE};
    fake_clock = BEGIN;
    started = false;
    outside = 0;
    CHECK(configure_at_begin("jit.budget = 5", &error));
    uint64_t unit = budget_unit();
    fake_clock += 50 * unit;
    budget_charge(&usual, JIT_O1, false, 50 * unit);
    fake_clock += 130 * unit;
    CHECK(!budget_in_start(fake_clock));
    CHECK(budget_allows(150 * unit, fake_clock) && !budget_allows(150 * unit + 1, fake_clock));
    fake_clock += 20 * unit;
    CHECK(budget_allows(151 * unit, fake_clock) && !budget_allows(151 * unit + 1, fake_clock));
    jit_statistics()->compile_cycles = 0;
    memset(average, 0, sizeof average);
    CHECK(configure_at_begin("jit.budget = 100", &error));
}

/* The first compilation on a level, which is slow, counts a quarter. */
static void test_expectation(void) {
    struct jit_function usual = {.size = 100}, large = {.size = 100 + 140};
    CHECK(budget_expect(&usual, JIT_O0) == 10 * MS);
    CHECK(budget_expect(&usual, JIT_O2) == (uint64_t)4 * 2 * 40 * MS); /* it would be the first */
    budget_charge(&usual, JIT_O1, false, 400 * MS);
    CHECK(budget_expect(&usual, JIT_O1) == 100 * MS && budget_expect(&usual, JIT_O2) == 200 * MS);
    CHECK(budget_expect(&large, JIT_O1) == 200 * MS); /* each takes what 40 instructions take */
    budget_charge(&large, JIT_O1, false, 400 * MS);
    CHECK(budget_expect(&usual, JIT_O1) == 125 * MS);
    /* Clones are compiled, too, from O2 on. */
    large.values.arguments = large.values.count = 2;
    CHECK(budget_expect(&large, JIT_O1) == 250 * MS);
    CHECK(budget_expect(&large, JIT_O2) == (uint64_t)250 * MS * (3 * 240 + 40) / 140);
}

/* What interrupts a compilation is neither expected of the next one nor paid from the budget beyond
 * four times what was expected. */
static void test_interrupted(void) {
    struct jit_function usual = {.size = USUAL_SIZE};
    struct error error;
    memset(average, 0, sizeof average);
    for (int i = 0; i < 50; i++) /* until the average is this */
        budget_charge(&usual, JIT_O1, false, 100 * MS);
    CHECK(configure_at_begin("jit.budget = 5", &error));
    fake_clock += 100000 * HZ; /* a minute's share is there: 3 s */
    CHECK(budget_allows(3 * HZ, fake_clock));
    uint64_t expected = budget_expect(&usual, JIT_O1), before = jit_statistics()->compile_cycles;
    CHECK(expected > 98 * MS && expected < 102 * MS);
    budget_charge(&usual, JIT_O1, false, 60 * HZ);
    CHECK(budget_allows(3 * HZ - 4 * expected, fake_clock));
    CHECK(!budget_allows(3 * HZ - 4 * expected + 1, fake_clock));
    CHECK(budget_expect(&usual, JIT_O1) <= (3 + 4) * expected / 4);
    CHECK(jit_statistics()->compile_cycles == before + 60 * HZ); /* what it took is told */
    budget_charge(&usual, JIT_O1, false, 390 * MS);              /* it was slow by itself */
    CHECK(!budget_allows(3 * HZ - 4 * expected - 390 * MS + 1, fake_clock));
    memset(average, 0, sizeof average);
    jit_statistics()->compile_cycles = before;
    CHECK(configure_at_begin("jit.budget = 100", &error));
}

/* Without calls enough, time pays when it is as much as compiling takes; from O0 on for O1, when
 * the part that this saves is as much. */
static void test_time(void) {
    struct jit_function *f = fresh_function(0);
    compile_cycles[JIT_O0] = compile_cycles[JIT_O2] = 100 * MS;
    for (int i = 0; i < 40; i++) { /* until the averages are these */
        budget_charge(f, JIT_O0, false, 100 * MS);
        budget_charge(f, JIT_O2, false, 300 * MS);
    }
    uint64_t expected = budget_expect(f, JIT_O0);
    CHECK(expected >= 99 * MS && expected < 101 * MS);
    fake_clock += 1000 * HZ; /* that is 5 % of it, and more */
    call_often(f, 4, 24 * MS);
    CHECK(f->level == JIT_INTERPRETER);
    call(f, 6 * MS);
    CHECK(f->level == JIT_O0 && strcmp(f->reason, "time") == 0 && f->calls == 5);
    uint64_t saves = (uint64_t)((double)budget_expect(f, JIT_O1) / gain_part(f));
    call_often(f, 9, saves / 10);
    CHECK(f->level == JIT_O0);
    call(f, saves / 10 + MS);
    CHECK(f->level == JIT_O1);
}

/* What is due waits when compiling has had more than its share, until it has paid for itself. */
static void test_budget(void) {
    struct jit_function *f = fresh_function(0);
    while (budget_allows(0, fake_clock))
        budget_charge(f, JIT_O0, false, 100 * MS);
    int before = compilations;
    call_often(f, 1000, 30000);
    CHECK(f->level == JIT_INTERPRETER && compilations == before);
    fake_clock += 1000 * HZ; /* and now compiling is below 5 % again */
    call(f, 30000);
    CHECK(f->level != JIT_INTERPRETER);
    CHECK(jit_statistics()->compile_cycles <= fake_clock / 20 + HZ);
}

/* Who has been called often is expected to keep its share of the time: it need not have taken yet
 * what compiling takes. Without a loop of its own that gains too little. */
static void test_goes_on(void) {
    struct jit_function *f = fresh_function(0), *waits = fresh_function(0);
    memset(compile_cycles, 0, sizeof compile_cycles);
    f->level = waits->level = JIT_O0;
    waits->policy.loop = LOOP_NONE;
    fake_clock += 100000 * HZ; /* enough for what there was before */
    memset(average, 0, sizeof average);
    uint64_t cost = budget_expect(f, JIT_O1);
    for (int i = 0; i < 200 && f->level == JIT_O0; i++) {
        fake_clock += cost / 400; /* others */
        call(waits, cost / 400);
        call(f, cost / 400);
    }
    CHECK(f->level == JIT_O1 && f->calls < 150 && waits->level == JIT_O0);
    CHECK(f->policy.self[JIT_O0] < (int64_t)cost / 2);
}

static void call_eight_ways(struct jit_function *f, int times, uint64_t cycles) {
    for (int i = 0; i < times; i++) {
        const uint64_t values[JIT_ARGUMENTS] = {(uint64_t)i % 8};
        call_with(f, cycles, values);
    }
}

/* Where the budget has room for the function, but not for eight clones of it as well, it leaves O0
 * without them. They do not come at O2, when there is room, but with the next level. */
static void test_clones_without_room(void) {
    struct jit_function *f = fresh_function(1);
    struct error error;
    cpu.tcg = false;
    memset(average, 0, sizeof average);
    for (int i = 0; i < 50; i++) /* until the averages are these */
        for (enum jit_level level = JIT_O2; level <= JIT_O3; level++)
            budget_charge(f, level, false, 100 * MS);
    CHECK(configure_at_begin("jit.budget = 5", &error));
    f->level = JIT_O0;
    call_eight_ways(f, 99, 10000); /* to O1's threshold its time is too short */
    CHECK(f->level == JIT_O0 && f->values.count == 8);
    fake_clock += 1000 * HZ;
    while (budget_allows(budget_expect(f, JIT_O2), fake_clock))
        budget_charge(f, JIT_O2, false, 100 * MS);
    CHECK(budget_allows(budget_expect_general(f, JIT_O2), fake_clock));
    call_eight_ways(f, 100, 20 * MS);
    CHECK(f->level == JIT_O2 && !f->specialised);
    fake_clock += 1000 * HZ;
    call_eight_ways(f, 2000, 10);
    CHECK(f->level == JIT_O2 && !f->policy.tracking.wants_new_clones);
    call_eight_ways(f, 2000, 20 * MS);
    CHECK(f->level == JIT_O3 && f->specialised);
    call_eight_ways(f, 1000000, MS);
    CHECK(!f->policy.autotune);
    cpu.tcg = true;
}

/* While the application waits, what has run lately is compiled, one function after the other, what
 * gains most first; and that is nobody's time. */
static void test_idle(void) {
    struct jit_function *f = fresh_function(0), *more = fresh_function(0), *old = fresh_function(0);
    struct error error;
    CHECK(configure_at_begin("jit.budget = 0", &error));
    budget_charge(f, JIT_O1, false, 1000 * HZ); /* too much for anything to be compiled for calls */
    f->level = more->level = old->level = JIT_O0;
    call_often(old, 50, 10 * MS);
    jit_statistics()->waiting_cycles = 0;
    for (int i = 0; i < FUNCTIONS; i++)
        if (program[i].level < JIT_O3 && &program[i] != f && &program[i] != more &&
            &program[i] != old)
            program[i].highest = program[i].level;
    fake_clock += 2 * (fake_clock - BEGIN);
    uint64_t step = budget_unit() * 10;
    for (int i = 0; i < 50; i++) {
        call(f, step);
        call(more, 2 * step);
    }
    CHECK(f->level == JIT_O0 && more->level == JIT_O0);
    uint64_t compiled = jit_statistics()->compiled, cycles = jit_statistics()->compile_cycles;
    compile_cycles[JIT_O3] = 7 * MS;
    int begun = 0;
    while (jit_use_idle_time())
        begun += more->policy.autotune && !f->policy.autotune;
    CHECK(begun > 0); /* more came first */
    CHECK(f->policy.autotune && more->policy.autotune && old->level == JIT_O0);
    CHECK(jit_statistics()->compiled == compiled);
    CHECK(jit_statistics()->compile_cycles == cycles && jit_statistics()->idle_compiled == 4);
    /* Autotuning itself compiles nothing any more. */
    int before = compilations;
    const uint64_t most = 32 * (2 * 28 + 2 * 1024);
    for (uint64_t i = 0; i < most && (f->policy.autotune || more->policy.autotune); i++) {
        call(f, 100);
        call(more, 100);
    }
    CHECK(!f->policy.autotune && !more->policy.autotune && compilations == before);
    CHECK(f->level == JIT_O3 && strcmp(f->reason, "idle") == 0);
    CHECK(configure_at_begin("jit.idle = off", &error) && !jit_use_idle_time());
    memset(compile_cycles, 0, sizeof compile_cycles);
}

int main(void) {
    cpu.tcg = true;
    fake_clock = BEGIN;
    test_start();
    test_start_with_little_to_compile();
    fake_clock += 10000 * HZ;
    test_interrupted();
    test_expectation();
    struct error error;
    CHECK(configure_at_begin("jit.budget = 5", &error));
    test_time();
    test_budget();
    test_goes_on();
    test_clones_without_room();
    test_idle();
    CHECK(versions == 3); /* those that autotuning has chosen */
    for (int i = 0; i < FUNCTIONS; i++)
        free(installed[i]);
    config_clear();
    puts("budget: passed");
}
