// sources: kernel_lib/jit/policy/autotune.c kernel_lib/jit/policy/budget.c
// sources: kernel_lib/jit/policy/call_times.c kernel_lib/jit/policy/gain.c
// sources: kernel_lib/jit/policy/idle.c kernel_lib/jit/policy/optimize.c
// sources: kernel_lib/jit/policy/state.c kernel_lib/jit/policy/tiers.c
// sources: kernel_lib/jit/policy/value_profile.c kernel_lib/jit/values.c
// sources: kernel_lib/jit/settings.c kernel_lib/jit/log.c kernel_lib/config/config.c
// sources: kernel_lib/config/parse.c kernel_lib/config/unknown_keys.c
// sources: kernel_lib/error.c tests/host/console.c kernel_lib/io/json_format.c kernel_lib/io/utf8.c
// sources: kernel_lib/io/format.c
/* Which level a function is compiled for, and at which call. */
#include "console.h"
#include "policy_calls.h"

/* Compiling that costs nothing happens at the very call that reaches the threshold, or at the next
 * one that is timed, which from O2 on are 32 of 256. */
static void test_thresholds(void) {
    struct jit_function *f = fresh_function(0);
    const struct {
        int calls;
        enum jit_level level;
    } steps[] = {{9, JIT_INTERPRETER}, {1, JIT_O0},    {89, JIT_O0},  {1, JIT_O1},   {899, JIT_O1},
                 {1, JIT_O2},          {8999, JIT_O2}, {257, JIT_O3}, {5000, JIT_O3}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        call_often(f, steps[i].calls, 100);
        CHECK(f->level == steps[i].level);
    }
    CHECK(f->times[JIT_INTERPRETER].calls == 10 && f->times[JIT_O0].calls == 90);
    CHECK(f->times[JIT_O1].calls == 900);
    CHECK(f->times[JIT_O2].calls >= 9000 / 8 - 32 && f->times[JIT_O2].calls <= 9000 / 8 + 32);
    CHECK(f->times[JIT_O1].total == 900 * 100 && f->times[JIT_O1].min == 100);
    CHECK(strcmp(f->reason, "calls") == 0);
    CHECK(strcmp(jit_get_optimization_level(f->name), "O3") == 0);
    CHECK(jit_get_optimization_level("nobody") == NULL);
    char event[128];
    snprintf(event, sizeof event,
             "{\"event\":\"tier\",\"function\":\"%s\",\"level\":\"O2\",\"specialised\":false,"
             "\"cycles\":0,\"reason\":\"calls\",\"ms\":",
             f->name);
    console[0] = '\0';
    jit_print_log();
    CHECK(strstr(console, event));
    console[0] = '\0';
    jit_print_log();
    CHECK(console[0] == '\0');
}

/* What earlier starts left at O0, and the cache has, stays there for twice as many calls as they
 * made; what the cache has lost is compiled as if it were new. */
static void test_settled(void) {
    struct jit_function *known = fresh_function(0), *lost = fresh_function(0);
    for (int i = 0; i < 2; i++) {
        struct jit_function *f = i ? lost : known;
        f->earlier.level = JIT_O0;
        f->earlier.calls = 2 * 500;
    }
    known->level = JIT_O0;
    policy_set_up(known, 2, JIT_O3);
    policy_set_up(lost, 2, JIT_O3);
    call_often(known, 999, 100);
    call_often(lost, 999, 100);
    CHECK(known->level == JIT_O0 && lost->level == JIT_O1);
    CHECK(known->times[JIT_O0].calls == 999);
    call_often(known, 1, 100);
    CHECK(known->level == JIT_O0);
    call_often(known, 24, 100); /* the next one that is timed is the 1024th */
    CHECK(known->level == JIT_O2);
}

/* What earlier starts left on a level is compiled all the same when its time would have paid twice
 * for the next one: their budget was used up. What is paid for only once stays, and what is seldom
 * called, which may have been interrupted. */
static void test_settled_without_budget(void) {
    const double saved[] = {[JIT_INTERPRETER] = 1, [JIT_O0] = 0.5}; /* gain.c guesses so */
    for (enum jit_level level = JIT_INTERPRETER; level <= JIT_O0; level++) {
        struct jit_function *once = fresh_function(0), *twice = fresh_function(0);
        for (int i = 0; i < 2; i++) {
            struct jit_function *f = i ? once : twice;
            f->earlier.level = f->level = level;
            f->earlier.calls = 2 * 500;
            policy_set_up(f, 2, JIT_O3);
        }
        uint64_t pays = (uint64_t)((double)budget_expect(once, level + 1) / saved[level]);
        call_often(once, 500, pays / 500 * 19 / 10);
        call_often(twice, 500, pays / 500 * 21 / 10);
        CHECK(once->level == level && twice->level > level);
        struct jit_function *seldom = fresh_function(0);
        seldom->level = level;
        seldom->policy.usual_calls = 99;
        call_often(seldom, 99, pays / 20);
        CHECK(seldom->level == level);
    }
}

/* A start that has compiled nothing begins with it when that pays for the compiler's start, too: as
 * much as the first compilation of an earlier start has taken. */
static void test_settled_without_compiler(void) {
    struct jit_function *small = fresh_function(0), *large = fresh_function(0);
    uint64_t cost = budget_expect(small, JIT_O0);
    budget_set_earlier_first(10 * cost);
    compile_cycles[JIT_O1] = 1;
    jit_statistics()->first_cycles = 0;
    small->policy.usual_calls = large->policy.usual_calls = 500;
    call_often(small, 500, 2 * 11 * cost / 500 * 19 / 20);
    CHECK(small->level == JIT_INTERPRETER && jit_statistics()->first_cycles == 0);
    call_often(large, 500, 2 * 11 * cost / 500 * 21 / 20);
    CHECK(large->level == JIT_O1 && jit_statistics()->first_cycles > 0);
    call(small, cost / 500); /* now that the compiler has started */
    CHECK(small->level == JIT_O1);
    compile_cycles[JIT_O1] = 0;
    budget_set_earlier_first(0);
}

/* What a start with a lower jit.max_level left at that level, is as if it were new. */
static void test_settled_below_limit(void) {
    struct jit_function *f = fresh_function(0);
    f->earlier.level = f->level = JIT_O1;
    f->earlier.calls = 2 * 500;
    policy_set_up(f, 2, JIT_O3);
    CHECK(f->policy.usual_calls == 500);
    policy_set_up(f, 2, JIT_O1);
    CHECK(f->policy.usual_calls == 0);
}

static void test_max_level(void) {
    struct error error;
    struct jit_function *f = fresh_function(0);
    CHECK(configure_at_begin("jit.max_level = O1", &error));
    call_often(f, 20000, 100);
    CHECK(f->level == JIT_O1);
    CHECK(configure_at_begin("jit.max_level = O3", &error));
    struct jit_function *low = fresh_function(0);
    low->highest = JIT_O0;
    call_often(low, 20000, 100);
    CHECK(low->level == JIT_O0);
}

static void test_set_threshold(void) {
    CHECK(!jit_set_threshold(0, 1, 2) && !jit_set_threshold(5, 4, 6) &&
          !jit_set_threshold(1, 3, 2));
    CHECK(jit_settings()->thresholds[JIT_O1] == 100);
    CHECK(jit_set_threshold(3, 5, 7));
    struct jit_function *f = fresh_function(0);
    call_often(f, 2, 100);
    CHECK(f->level == JIT_INTERPRETER);
    call(f, 100);
    CHECK(f->level == JIT_O1);
    call_often(f, 2, 100);
    CHECK(f->level == JIT_O2);
    struct error error;
    CHECK(configure_at_begin("jit.thresholds = 10,100,1000,10000", &error));
}

/* One interpreted call of 50 ms compiles. One of 49 ms, or one that only waits for others, does
 * not. */
static void test_long_call(void) {
    struct jit_function *f = fresh_function(0), *outer = fresh_function(0);
    compile_cycles[JIT_O0] = 200 * MS;
    budget_charge(f, JIT_O0, false, 200 * MS); /* so that the total does not pay after two calls */
    call(f, 49 * MS);
    CHECK(f->level == JIT_INTERPRETER);
    uint64_t begin = fake_clock;
    static const uint64_t none[JIT_ARGUMENTS];
    jit_note_arguments(outer, none);
    call(f, 50 * MS);
    CHECK(f->level == JIT_O0 && strcmp(f->reason, "a long call") == 0);
    /* The outer call contains f's, f's compiling, and 10 ms of its own. */
    fake_clock += 10 * MS;
    outer->calls++;
    jit_note_call(outer, JIT_INTERPRETER, fake_clock - begin);
    CHECK(outer->level == JIT_INTERPRETER);
    CHECK(outer->times[JIT_INTERPRETER].total == 60 * MS); /* without the compiling */
    CHECK(outer->policy.self[JIT_INTERPRETER] == 10 * MS);
}

/* Each call's own cycles add up to all, however deep calls are. */
static int64_t descend(int depth) {
    uint64_t begin = fake_clock, paused;
    time_begin_call();
    fake_clock += 3;
    int64_t sum = 0;
    for (int i = 0; depth > 0 && i < 2; i++)
        sum += descend(i == 0 ? depth - 1 : 0);
    fake_clock += 4;
    time_add_pause(4);
    int64_t self = time_end_call(fake_clock - begin, &(struct sample){1, 0}, &paused);
    CHECK(depth < 50 || (self == 3 && paused == 4 * (2 * (uint64_t)depth + 1)));
    return sum + self;
}

static void test_calls_within(void) {
    CHECK(descend(10) == 21 * 3);
    CHECK(descend(300) == 601 * 3); /* deeper than they are told apart */
    CHECK(descend(200) == 401 * 3);
    /* One call of eight is timed: on average nothing is left of what contains them. */
    uint64_t paused;
    int64_t sum = 0;
    for (int i = 0; i < 64; i++) {
        time_begin_call();
        if (i % 8 == 0) {
            time_begin_call();
            CHECK(time_end_call(100, &(struct sample){8, 1000}, &paused) == 800);
        }
        sum += time_end_call(100 + 7, &(struct sample){1, 0}, &paused);
    }
    CHECK(sum == 64 * 7);
    /* What interrupted one call did not interrupt those that it stands for. */
    time_begin_call();
    CHECK(time_end_call(5000, &(struct sample){8, 200}, &paused) == 5000 + 7 * 200);
}

/* What cannot be compiled for a level stays below it, and is not tried again. */
static void test_failure(void) {
    struct jit_function *f = fresh_function(0);
    memset(compile_cycles, 0, sizeof compile_cycles);
    fake_clock += 10000 * HZ;
    failing = JIT_O1;
    uint64_t failed = jit_statistics()->failed;
    call_often(f, 20000, 100);
    CHECK(f->level == JIT_O0 && f->highest == JIT_O0 && jit_statistics()->failed == failed + 1);
    failing = JIT_LEVELS;
    /* So is the first code of a function that is not interpreted: no level is told. */
    struct jit_statistics before = *jit_statistics();
    console[0] = '\0';
    jit_print_log();
    console[0] = '\0';
    jit_note_first_code(f, false, 5);
    jit_print_log();
    CHECK(console[0] == '\0' && jit_statistics()->compiled == before.compiled);
    CHECK(jit_statistics()->failed == before.failed + 1);
    CHECK(jit_statistics()->compile_cycles == before.compile_cycles + 5);
    jit_note_first_code(f, true, 5);
    jit_print_log();
    CHECK(strstr(console, "\"level\":\"O0\"") && jit_statistics()->compiled == before.compiled + 1);
    /* Clones that cannot be made are given up, the level is not. */
    struct jit_function *g = fresh_function(1);
    failing_clones = true;
    call_often(g, 1000, 100);
    CHECK(g->level == JIT_O1 && g->highest == JIT_O3);
    call_often(g, 257, 100);
    CHECK(g->level == JIT_O2 && !g->specialised && g->policy.tracking.too_varied &&
          g->highest == JIT_O3);
    failing_clones = false;
}

static struct jit_function *inner;

static void call_inner(void) {
    call_often(inner, 30, 100);
}

/* Calls that compiling makes are counted, and compile nothing. */
static void test_entered_again(void) {
    struct jit_function *f = fresh_function(0);
    inner = fresh_function(0);
    while_compiling = call_inner;
    int before = compilations;
    call_often(f, 10, 100);
    CHECK(f->level == JIT_O0 && compilations == before + 1);
    CHECK(inner->calls == 30 && inner->times[JIT_INTERPRETER].calls == 30);
    CHECK(inner->level == JIT_INTERPRETER);
    while_compiling = NULL;
    call(inner, 100);
    CHECK(inner->level == JIT_O0);
}

static void test_hot_functions(void) {
    struct jit_function *hot = fresh_function(0), *cold = fresh_function(0);
    compile_cycles[JIT_O0] = 1000 * HZ; /* it is not due by time */
    budget_charge(hot, JIT_O0, false, 1000 * HZ);
    call(cold, 10);
    fake_clock += HZ;
    call_often(hot, 5, 40 * MS);
    for (int i = 0; i < 1000; i++)
        call(hot, 1);
    CHECK(cold->level == JIT_INTERPRETER);
    jit_optimize_hot_functions();
    CHECK(hot->level == JIT_O3 && cold->level == JIT_INTERPRETER);
    CHECK(strcmp(hot->reason, "asked for") == 0);
}

int main(void) {
    cpu.tcg = true;
    fake_clock = BEGIN;
    struct error error;
    CHECK(configure_at_begin("jit.budget = 100", &error));
    fake_clock += 10000 * HZ;
    test_settled_without_budget(); /* first: gain.c looks seldom at what is on higher levels */
    test_settled_without_compiler();
    test_settled();
    test_settled_below_limit();
    test_thresholds();
    test_max_level();
    test_set_threshold();
    test_long_call();
    test_calls_within();
    test_failure();
    test_entered_again();
    CHECK(configure_at_begin("jit.budget = 5", &error));
    test_hot_functions();
    config_clear();
    puts("optimize: passed");
}
