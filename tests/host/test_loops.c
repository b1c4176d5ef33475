// sources: kernel_lib/jit/policy/autotune.c kernel_lib/jit/policy/budget.c
// sources: kernel_lib/jit/policy/call_times.c kernel_lib/jit/policy/gain.c
// sources: kernel_lib/jit/policy/loops.c kernel_lib/jit/policy/optimize.c
// sources: kernel_lib/jit/policy/state.c kernel_lib/jit/policy/tiers.c
// sources: kernel_lib/jit/policy/value_profile.c kernel_lib/jit/values.c
// sources: kernel_lib/jit/settings.c kernel_lib/jit/log.c kernel_lib/config/config.c
// sources: kernel_lib/config/parse.c kernel_lib/config/unknown_keys.c
// sources: kernel_lib/error.c tests/host/console.c kernel_lib/io/format.c
// sources: kernel_lib/io/json_format.c kernel_lib/io/utf8.c
/* When a call that does not leave a loop goes on in better code. */
#include "console.h"
#include "policy_calls.h"

#define COST 100 /* ms that compiling for O2 takes */
#define BUSY 300 /* s that pass before the test: the budget's beginning is over */

static void set_up(const char *settings) {
    struct error error;
    CHECK(configure_at_begin(settings, &error));
    compile_cycles[JIT_O2] = COST * MS;
    failing = JIT_LEVELS;
    /* From now on the policy knows what compiling takes. */
    struct jit_function *known = fresh_function(0);
    for (int i = 0; i < 50; i++) /* the first ones count as slower */
        budget_charge(known, JIT_O2, false, COST * MS);
}

/* The budget has room for half of COST at most from now on; how much it is. */
static uint64_t leave_little_room(void) {
    struct jit_function *other = fresh_function(0);
    fake_clock += BUSY * HZ;
    uint64_t room = 0;
    while (budget_allows(room + 10 * MS, fake_clock))
        room += 10 * MS;
    for (; room >= COST / 2 * MS; room -= 10 * MS)
        budget_charge(other, JIT_O1, false, 10 * MS);
    return room;
}

static struct jit_function *begin_call(enum jit_level level) {
    static const uint64_t none[JIT_ARGUMENTS];
    struct jit_function *f = fresh_function(0);
    f->level = level;
    jit_note_arguments(f, none);
    return f;
}

/* Rounds of the loop for so many ms, one question each; whether they are left. */
static bool loop_for(struct jit_function *f, uint32_t loop, int ms) {
    for (int i = 0; i < ms; i++) {
        fake_clock += MS;
        f->rounds = 0;
        bool leaves = jit_note_rounds(f, loop) != NULL;
        CHECK(f->rounds == JIT_ROUNDS);
        if (leaves)
            return true;
    }
    return false;
}

/* After as long as compiling takes. */
static void test_worth(void) {
    for (enum jit_level level = JIT_INTERPRETER; level <= JIT_O0; level++) {
        struct jit_function *f = begin_call(level);
        CHECK(!loop_for(f, 0, COST - 5) && loop_for(f, 0, 10));
    }
}

/* A call whose loops take so many ms in all. */
static bool looping_call(struct jit_function *f, uint32_t loop, int ms) {
    uint64_t begin = fake_clock;
    static const uint64_t none[JIT_ARGUMENTS];
    enum jit_level level = f->level;
    f->calls++;
    jit_note_arguments(f, none);
    bool leaves = loop_for(f, loop, ms);
    jit_note_call(f, level, fake_clock - begin);
    return leaves;
}

/* Calls that end soon need no continuation, which would cost as much as the function: that is
 * compiled, outside of the budget, too. A call that does not end is left all the same. */
static void test_calls_that_end(void) {
    uint64_t room = leave_little_room();
    struct jit_function *f = begin_call(JIT_O0);
    int before = compilations;
    for (int i = 0; i < 30 && f->level == JIT_O0; i++)
        CHECK(!looping_call(f, 0, COST / 20));
    CHECK(f->level == JIT_O2 && strcmp(f->reason, "a long loop") == 0);
    CHECK(compilations == before + 1 && !jit_continuation(f, 0));
    CHECK(budget_allows(room, fake_clock));
    f->calls += 2 * 16;              /* in the new code */
    CHECK(loop_for(f, 0, 2 * COST)); /* the call that began first */
    CHECK(compilations == before + 2);
    cpu.tcg = true; /* where O1 comes first */
    f = fresh_function(0);
    f->level = JIT_O0;
    for (int i = 0; i < 30 && f->level == JIT_O0; i++)
        CHECK(!looping_call(f, 0, COST / 20));
    CHECK(f->level == JIT_O1);
    cpu.tcg = false;
}

/* What is there is used at once, and by other calls; another loop has to wait again. */
static void test_kept(void) {
    struct jit_function *f = begin_call(JIT_INTERPRETER);
    CHECK(loop_for(f, 3, 2 * COST));
    int before = compilations;
    CHECK(loop_for(f, 3, 1));
    CHECK(!loop_for(f, 4, COST - 5) && compilations == before && loop_for(f, 4, 10));
}

/* The time of what the loop calls is not the loop's. */
static void test_callees(void) {
    struct jit_function *f = begin_call(JIT_INTERPRETER), *callee = fresh_function(0);
    callee->level = callee->highest = JIT_O0;
    for (int i = 0; i < 20; i++) {
        call_often(callee, 2, COST / 2 * MS);
        CHECK(!loop_for(f, 0, 1));
    }
}

/* Outside of the budget: the call has no other way. Code for new calls has to fit into it. */
static void test_budget(void) {
    set_up("jit.budget = 1");
    struct jit_function *f = begin_call(JIT_O0);
    CHECK(loop_for(f, 0, 3 * COST) && f->level == JIT_O0);
    set_up("jit.budget = 5");
    uint64_t room = leave_little_room(); /* so that there is no code for new calls */
    CHECK(loop_for(begin_call(JIT_O0), 0, 3 * COST) && budget_allows(room, fake_clock));
    set_up("jit.budget = 100");
    f = begin_call(JIT_O0);
    CHECK(loop_for(f, 0, 3 * COST) && f->level == JIT_O2);
    CHECK(strcmp(f->reason, "a long loop") == 0);
    set_up("jit.budget = 5");
}

static void test_limits(void) {
    set_up("jit.max_level = O1");
    CHECK(!loop_for(begin_call(JIT_O0), 0, 10 * COST));
    set_up("jit.max_level = O3");
    failing = JIT_O2;
    struct jit_function *f = begin_call(JIT_O0);
    int before = compilations;
    CHECK(!loop_for(f, 0, 10 * COST));
    CHECK(f->highest == JIT_O1 && compilations == before + 1);
    failing = JIT_LEVELS;
}

static void test_event(void) {
    jit_print_log();
    CHECK(loop_for(begin_call(JIT_INTERPRETER), 7, 2 * COST));
    console[0] = '\0';
    jit_print_log();
    CHECK(strstr(console, "{\"event\":\"continue\",\"function\":\"f") &&
          strstr(console, ",\"loop\":7,\"level\":\"O2\",\"cycles\":100000000,\"ms\":"));
}

int main(void) {
    fake_clock = BEGIN + BUSY * HZ;
    set_up("");
    test_worth();
    test_calls_that_end();
    test_kept();
    test_callees();
    test_budget();
    test_limits();
    test_event();
    return 0;
}
