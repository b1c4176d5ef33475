// sources: kernel_lib/jit/policy/call_times.c kernel_lib/jit/policy/value_profile.c
// sources: kernel_lib/jit/settings.c kernel_lib/jit/log.c kernel_lib/config/config.c
// sources: kernel_lib/error.c tests/host/console.c kernel_lib/io/json_format.c kernel_lib/io/utf8.c
/* What is compiled when, and what it may cost. */
#include "console.h"
#include "fake_engine.h"
#include "kernel_lib/config/config.h"

#define BEGIN (1000 * HZ)

static void call(struct jit_function *f, uint64_t cycles) {
    static const uint64_t none[JIT_ARGUMENTS];
    call_with(f, cycles, none);
}

static void call_often(struct jit_function *f, int times, uint64_t cycles) {
    for (int i = 0; i < times; i++)
        call(f, cycles);
}

static void no_report(void *context, unsigned line, const char *message) {
    (void)context, (void)line, (void)message;
    CHECK(false);
}

static bool configure(const char *text, struct error *error) {
    config_clear();
    config_parse(text, strlen(text), no_report, NULL);
    bool good = jit_configure(error);
    jit_statistics()->begin = BEGIN;
    return good;
}

static void check_wrong(const char *text, const char *message) {
    struct error error = {""};
    CHECK(!configure(text, &error));
    if (strcmp(error.text, message) != 0)
        fprintf(stderr, "said: %s\nwant: %s\n", error.text, message);
    CHECK(strcmp(error.text, message) == 0);
}

static void test_settings(void) {
    struct error error;
    CHECK(configure("", &error) && jit_settings()->thresholds[JIT_O2] == 1000);
    CHECK(configure("jit.thresholds = 1,2,2,30\njit.max_level = O2\njit.specialise = off\n"
                    "jit.cost_ms = 7\njit.tier0 = O0\nsteps = 4",
                    &error));
    const struct jit_settings *s = jit_settings();
    CHECK(s->thresholds[JIT_O0] == 1 && s->thresholds[JIT_O1] == 2 && s->thresholds[JIT_O3] == 30);
    CHECK(s->max_level == JIT_O2 && !s->specialise && s->cost_ms == 7 && s->tier0 == JIT_O0);
#define NOT_FOUR                                                                                   \
    ": not four ascending numbers of calls, for O0, O1, O2 and O3, like 10,100,1000,10000"
    check_wrong("jit.thresholds = 10,100,1000", "jit.thresholds = 10,100,1000" NOT_FOUR);
    check_wrong("jit.thresholds = 10,100,99,1000", "jit.thresholds = 10,100,99,1000" NOT_FOUR);
    check_wrong("jit.thresholds = 0,1,2,3", "jit.thresholds = 0,1,2,3" NOT_FOUR);
    check_wrong("jit.thresholds = 1,2,3,4,", "jit.thresholds = 1,2,3,4," NOT_FOUR);
    check_wrong("jit.thresholds = 1,2,3,18446744073709551616",
                "jit.thresholds = 1,2,3,18446744073709551616" NOT_FOUR);
    check_wrong("jit.tier0 = O1", "jit.tier0 = O1: there are interpreter and O0");
    check_wrong("jit.max_level = 2", "jit.max_level = 2: there are interpreter, O0, O1, O2 and O3");
    check_wrong("jit.cache = yes", "jit.cache = yes: there are on and off");
    check_wrong("jit.budget = 101", "jit.budget = 101: not a whole number from 0 to 100");
    check_wrong("jit.budget = 5%", "jit.budget = 5%: not a whole number from 0 to 100");
    check_wrong(
        "jit.tier = O0",
        "there is no setting \"jit.tier\"; of the JIT there are tier0 max_level thresholds "
        "cost_ms interpret_loops budget specialise cache cache_mb profile compile_all idle");
#define NOT_ALL ": there are off, failures, copies, on, and parts like 1/2"
    check_wrong("jit.compile_all = all", "jit.compile_all = all" NOT_ALL);
    check_wrong("jit.compile_all = 0/2", "jit.compile_all = 0/2" NOT_ALL);
    check_wrong("jit.compile_all = 3/2", "jit.compile_all = 3/2" NOT_ALL);
    check_wrong("jit.compile_all = 1/2/3", "jit.compile_all = 1/2/3" NOT_ALL);
    CHECK(configure("jit.compile_all = copies", &error) && s->compile_all == JIT_COMPILE_COPIES);
    CHECK(s->compile_part == 1 && s->compile_parts == 1);
    CHECK(configure("jit.compile_all = 2/3", &error) && s->compile_all == JIT_COMPILE_ALL);
    CHECK(s->compile_part == 2 && s->compile_parts == 3);
    CHECK(configure("jit.compile_all = failures", &error));
    CHECK(s->compile_all == JIT_COMPILE_FAILURES);
    CHECK(configure("jit.compile_all = on", &error) && s->compile_all == JIT_COMPILE_ALL);
    CHECK(configure("jit.compile_all = off", &error) && s->compile_all == JIT_COMPILE_NONE);
    CHECK(configure("jit.tier0 = interpreter\njit.max_level = O3\njit.specialise = on\n"
                    "jit.thresholds = 10,100,1000,10000\njit.cost_ms = 50\njit.budget = 100\n",
                    &error));
}

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
    console[0] = '\0';
    jit_print_log();
    CHECK(strstr(console, "{\"event\":\"tier\",\"function\":\"f0\",\"level\":\"O2\","
                          "\"specialised\":false,\"cycles\":0,\"reason\":\"calls\",\"ms\":"));
    console[0] = '\0';
    jit_print_log();
    CHECK(console[0] == '\0');
}

/* What earlier starts left at O0, and the cache has, stays there for twice as many calls as they
 * made; what the cache has lost is compiled as if it were new. */
static void test_settled(void) {
    struct jit_function *known = fresh_function(0), *lost = fresh_function(0);
    last_levels[known - program] = last_levels[lost - program] = known->level = JIT_O0;
    usual_calls[known - program] = usual_calls[lost - program] = 500;
    call_often(known, 999, 100);
    call_often(lost, 999, 100);
    CHECK(known->level == JIT_O0 && lost->level == JIT_O1);
    CHECK(known->times[JIT_O0].calls == 999);
    call_often(known, 1, 100);
    CHECK(known->level == JIT_O0);
    call_often(known, 24, 100); /* the next one that is timed is the 1024th */
    CHECK(known->level == JIT_O2);
}

/* What a start with a lower jit.max_level left at that level, is as if it were new. */
static void test_settled_below_limit(void) {
    struct jit_function *f = fresh_function(0);
    last_levels[f - program] = f->level = JIT_O1;
    usual_calls[f - program] = 500;
    struct policy *same = make_policies(program, FUNCTIONS);
    last_max_level = JIT_O1;
    struct policy *raised = make_policies(program, FUNCTIONS);
    last_max_level = JIT_O3;
    CHECK(same[f - program].usual_calls == 500 && raised[f - program].usual_calls == 0);
    free(same);
    free(raised);
}

static void test_max_level(void) {
    struct error error;
    struct jit_function *f = fresh_function(0);
    CHECK(configure("jit.max_level = O1", &error));
    call_often(f, 20000, 100);
    CHECK(f->level == JIT_O1);
    CHECK(configure("jit.max_level = O3", &error));
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
    CHECK(configure("jit.thresholds = 10,100,1000,10000", &error));
}

/* One interpreted call of 50 ms compiles; one of 49, or one that only waits for others, does not.
 */
static void test_long_call(void) {
    struct jit_function *f = fresh_function(0), *outer = fresh_function(0);
    compile_cycles[JIT_O0] = 200 * MS;
    budget_charge(f, JIT_O0, 200 * MS); /* so that the total does not pay after two calls */
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
    CHECK(policy_of(outer)->self[JIT_INTERPRETER] == 10 * MS);
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

/* The start may compile as much as 200 usual functions on O0, while 130 of them would be compiled;
 * then it is 5 % of the time, of at most a minute, and what the start owes is paid first. */
static void test_start(void) {
    struct error error;
    struct jit_function usual = {.size = USUAL_SIZE};
    CHECK(configure("jit.budget = 5", &error));
    uint64_t unit = budget_unit();
    CHECK(unit == 10 * MS && budget_in_start(fake_clock));
    CHECK(budget_allows(200 * unit, fake_clock) && !budget_allows(200 * unit + 1, fake_clock));
    fake_clock += 220 * unit;
    budget_charge(&usual, JIT_O1, 220 * unit);
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
    budget_charge(&usual, JIT_O1, 3 * HZ);
    CHECK(!budget_allows(HZ, fake_clock));
    /* What is compiled while waiting is nobody's. */
    budget_set_idle(true);
    budget_charge(&usual, JIT_O1, 1000 * HZ);
    budget_set_idle(false);
    CHECK(jit_statistics()->idle_cycles == 1000 * HZ);
    CHECK(jit_statistics()->compile_cycles == 220 * unit + 3 * HZ);
    jit_statistics()->compile_cycles = jit_statistics()->waiting_cycles = 0;
    memset(average, 0, sizeof average);
    CHECK(configure("jit.budget = 100", &error));
}

/* Without calls enough, time pays when it is as much as compiling takes; from O0 on for O1, when
 * the part that this saves is as much. */
static void test_time(void) {
    struct jit_function *f = fresh_function(0);
    compile_cycles[JIT_O0] = compile_cycles[JIT_O2] = 100 * MS;
    for (int i = 0; i < 40; i++) { /* until the averages are these */
        budget_charge(f, JIT_O0, 100 * MS);
        budget_charge(f, JIT_O2, 300 * MS);
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

/* Who has been called often is expected to keep its share of the time: it need not have taken yet
 * what compiling takes. Without a loop of its own that gains too little. */
static void test_goes_on(void) {
    struct jit_function *f = fresh_function(0), *waits = fresh_function(0);
    memset(compile_cycles, 0, sizeof compile_cycles);
    f->level = waits->level = JIT_O0;
    policy_of(waits)->loop = LOOP_NONE;
    fake_clock += 100000 * HZ; /* enough for what there was before */
    memset(average, 0, sizeof average);
    uint64_t cost = budget_expect(f, JIT_O1);
    for (int i = 0; i < 200 && f->level == JIT_O0; i++) {
        fake_clock += cost / 400; /* others */
        call(waits, cost / 400);
        call(f, cost / 400);
    }
    CHECK(f->level == JIT_O1 && f->calls < 150 && waits->level == JIT_O0);
    CHECK(policy_of(f)->self[JIT_O0] < (int64_t)cost / 2);
}

/* While the application waits, what has run lately is compiled, one function after the other, what
 * gains most first; and that is nobody's time. */
static void test_idle(void) {
    struct jit_function *f = fresh_function(0), *more = fresh_function(0), *old = fresh_function(0);
    struct error error;
    CHECK(configure("jit.budget = 0", &error));
    budget_charge(f, JIT_O1, 1000 * HZ); /* too much for anything to be compiled for calls */
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
    int trials = 0;
    while (jit_use_idle_time())
        trials += policy_of(more)->trial && !policy_of(f)->trial;
    CHECK(trials > 0); /* more came first */
    CHECK(policy_of(f)->trial && policy_of(more)->trial && old->level == JIT_O0);
    CHECK(jit_statistics()->compiled == compiled);
    CHECK(jit_statistics()->compile_cycles == cycles && jit_statistics()->idle_compiled == 4);
    /* The trials themselves compile nothing any more. */
    int before = compilations;
    const uint64_t most = 32 * (2 * 28 + 2 * 1024);
    for (uint64_t i = 0; i < most && (policy_of(f)->trial || policy_of(more)->trial); i++) {
        call(f, 100);
        call(more, 100);
    }
    CHECK(!policy_of(f)->trial && !policy_of(more)->trial && compilations == before);
    CHECK(f->level == JIT_O3 && strcmp(f->reason, "idle") == 0);
    CHECK(configure("jit.idle = off", &error) && !jit_use_idle_time());
    memset(compile_cycles, 0, sizeof compile_cycles);
}

/* The first compilation on a level, which is slow, counts a quarter. */
static void test_expectation(void) {
    struct jit_function usual = {.size = 100}, large = {.size = 100 + 140};
    CHECK(budget_expect(&usual, JIT_O0) == 10 * MS);
    CHECK(budget_expect(&usual, JIT_O2) == (uint64_t)4 * 2 * 40 * MS); /* it would be the first */
    budget_charge(&usual, JIT_O1, 400 * MS);
    CHECK(budget_expect(&usual, JIT_O1) == 100 * MS && budget_expect(&usual, JIT_O2) == 200 * MS);
    CHECK(budget_expect(&large, JIT_O1) == 200 * MS); /* each takes what 40 instructions take */
    budget_charge(&large, JIT_O1, 400 * MS);
    CHECK(budget_expect(&usual, JIT_O1) == 125 * MS);
    /* Copies for tuples are compiled, too, from O2 on. */
    large.arguments = large.tuple_count = 2;
    CHECK(budget_expect(&large, JIT_O1) == 250 * MS);
    CHECK(budget_expect(&large, JIT_O2) == (uint64_t)250 * MS * (3 * 240 + 40) / 140);
}

/* What is due waits when compiling has had more than its share, until it has paid for itself. */
static void test_budget(void) {
    struct jit_function *f = fresh_function(0);
    while (budget_allows(0, fake_clock))
        budget_charge(f, JIT_O0, 100 * MS);
    int before = compilations;
    call_often(f, 1000, 30000);
    CHECK(f->level == JIT_INTERPRETER && compilations == before);
    fake_clock += 1000 * HZ; /* and now compiling is below 5 % again */
    call(f, 30000);
    CHECK(f->level != JIT_INTERPRETER);
    CHECK(jit_statistics()->compile_cycles <= fake_clock / 20 + HZ);
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
    /* Copies for tuples that cannot be made are given up, the level is not. */
    struct jit_function *g = fresh_function(1);
    failing_copies = true;
    call_often(g, 1000, 100);
    CHECK(g->level == JIT_O1 && g->highest == JIT_O3);
    call_often(g, 257, 100);
    CHECK(g->level == JIT_O2 && !g->specialised && g->too_many_tuples && g->highest == JIT_O3);
    failing_copies = false;
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
    budget_charge(hot, JIT_O0, 1000 * HZ);
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
    test_settings();
    test_start();
    fake_clock += 10000 * HZ;
    test_settled(); /* first: the policy looks once at what was before */
    test_settled_below_limit();
    test_expectation();
    test_thresholds();
    test_max_level();
    test_set_threshold();
    test_long_call();
    test_calls_within();
    test_failure();
    test_entered_again();
    struct error error;
    CHECK(configure("jit.budget = 5", &error));
    test_time();
    test_budget();
    test_hot_functions();
    test_goes_on();
    test_idle();
    CHECK(versions == 2); /* those that were chosen by the trials in it */
    for (int i = 0; i < FUNCTIONS; i++)
        free(installed[i]);
    config_clear();
    puts("optimize: passed");
}
