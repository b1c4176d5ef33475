/*
 * What compiling may cost. Its cycles are measured by level and by the function's size. So what the
 * next compilation takes can be predicted, and compared with what it saves and with the share of
 * the running time that is allowed. Running is everything but compiling and waiting for input.
 */
#include "kernel_lib/jit/policy/budget.h"
#include "kernel_lib/jit/clock.h"
#include "kernel_lib/jit/policy/call_times.h"
#include "kernel_lib/jit/policy/value_profile.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define FIRST_GUESS_MS 10 /* for a usual function on O0, before anything was compiled */
#define USUAL_SIZE 100    /* instructions of a usual function */
#define FIXED_SIZE 40     /* so many more instructions would take what each compilation takes */
#define OPTIMISE_FACTOR 4 /* of O1 to O0, until both are known */
#define LEVEL_FACTOR 2    /* of O2 to O1, and of O3 to O2 */
#define MEMORY 4          /* an average of about so many compilations */
#define INTERRUPTED 4     /* times what is expected: what takes longer was interrupted */
#define FIRST_FACTOR 4    /* the first on a level is slower: the compiler's own code is new */

/* At the start, when all is new, the share of the time is no limit: in START_RUNNING units of
 * running, START_COMPILING may be compiled. A unit is what compiling a usual function for O0 takes
 * on this machine. From then on the share counts. What is not used of both is kept, but no more
 * than the share of LONGEST_MS. */
#define START_RUNNING 130
#define START_COMPILING 200
#define LONGEST_MS 60000

static uint64_t average[JIT_LEVELS]; /* of a usual function */
static struct jit_statistics statistics;
static struct {
    uint64_t cycles, size; /* of all compilations on O0 but the first */
    bool any;
} simple;
static bool idle;           /* the application waits for input */
static bool started;        /* the start is over */
static int64_t left;        /* then: cycles that may be spent ... */
static uint64_t counted_to; /* ... by so much of the time that was not waited */
static uint64_t outside;    /* cycles of compiling that no budget limits */
static uint64_t earlier_first;

struct jit_statistics *jit_statistics(void) {
    return &statistics;
}

static uint64_t of_ms(uint64_t ms) {
    return cpu_cycles_per_second() / 1000 * ms;
}

/* The mean of O0 is over all compilations, so that one that was interrupted does not count much. */
static uint64_t of_usual(enum jit_level level) {
    if (average[level])
        return average[level];
    if (level > JIT_O1)
        return LEVEL_FACTOR * of_usual(level - 1);
    if (level == JIT_O1)
        return OPTIMISE_FACTOR * (simple.cycles ? budget_unit() : of_usual(JIT_O0));
    return of_ms(FIRST_GUESS_MS);
}

/* From O1 on nearly all of the compiler's code is the same. */
static bool is_first(enum jit_level level) {
    for (int other = JIT_O1; other < JIT_LEVELS; other++)
        if (average[other])
            return false;
    return level > JIT_O0;
}

/* Instructions that are compiled: the function's, and those of its clones. */
static uint64_t size_of(const struct jit_function *f, bool clones) {
    return f->size * (1 + (clones ? f->values.count : 0ull)) + FIXED_SIZE;
}

static uint64_t expect_later(const struct jit_function *f, enum jit_level level, bool clones) {
    return of_usual(level) * size_of(f, clones) / (USUAL_SIZE + FIXED_SIZE);
}

static uint64_t factor_on(enum jit_level level) {
    return is_first(level) ? FIRST_FACTOR : 1;
}

uint64_t budget_expect(const struct jit_function *f, enum jit_level level) {
    bool clones = level >= JIT_O2 && values_can_specialise(f);
    return expect_later(f, level, clones) * factor_on(level);
}

uint64_t budget_expect_general(const struct jit_function *f, enum jit_level level) {
    return expect_later(f, level, false) * factor_on(level);
}

uint64_t budget_expect_later(const struct jit_function *f, enum jit_level level) {
    return expect_later(f, level, false);
}

static uint64_t not_waited(uint64_t now) {
    return now - statistics.begin - statistics.waiting_cycles;
}

uint64_t budget_running(uint64_t now) {
    return not_waited(now) - statistics.compile_cycles;
}

uint64_t budget_start(void) {
    return statistics.first_cycles ? 0 : earlier_first;
}

void budget_set_earlier_first(uint64_t cycles) {
    earlier_first = cycles;
}

uint64_t budget_unit(void) {
    return simple.size ? simple.cycles * (USUAL_SIZE + FIXED_SIZE) / simple.size
                       : of_ms(FIRST_GUESS_MS);
}

bool budget_in_start(uint64_t now) {
    return !started && budget_running(now) < START_RUNNING * budget_unit();
}

/* What may be spent by now. */
static int64_t allowed(uint64_t now) {
    uint64_t spent = statistics.compile_cycles - outside;
    int64_t start = (int64_t)(START_COMPILING * budget_unit() - spent);
    uint64_t elapsed = not_waited(now), percent = jit_settings()->budget;
    if (budget_in_start(now))
        return start;
    if (!started) { /* what the start has not used is kept: it may have gone into reading files */
        started = true;
        left = start;
        counted_to = elapsed;
    }
    int64_t most = (int64_t)(of_ms(LONGEST_MS) / 100 * percent);
    left += (int64_t)((elapsed - counted_to) * percent / 100);
    left = left < most ? left : most;
    counted_to = elapsed;
    return left;
}

bool budget_allows(uint64_t cycles, uint64_t now) {
    return jit_settings()->budget == 100 || (int64_t)cycles <= allowed(now);
}

void budget_set_idle(bool on) {
    idle = on;
}

void budget_count(void) {
    if (idle)
        statistics.idle_compiled++;
    else
        statistics.compiled++;
}

static void learn(enum jit_level level, uint64_t size, uint64_t cycles) {
    uint64_t usual = cycles * (USUAL_SIZE + FIXED_SIZE) / size;
    if (level == JIT_O0 && simple.any) {
        simple.cycles += cycles;
        simple.size += size;
    }
    simple.any |= level == JIT_O0;
    average[level] =
        average[level] ? (average[level] * (MEMORY - 1) + usual) / MEMORY : usual / FIRST_FACTOR;
}

/* What a compilation has taken without what has interrupted it. */
static uint64_t without_interruption(const struct jit_function *f, enum jit_level level,
                                     bool clones, uint64_t cycles) {
    uint64_t most = INTERRUPTED * expect_later(f, level, clones);
    return average[level] && cycles > most ? most : cycles;
}

static void charge(const struct jit_function *f, enum jit_level level, bool clones, bool limited,
                   uint64_t cycles) {
    uint64_t own = without_interruption(f, level, clones, cycles), counts = limited ? own : 0;
    if (statistics.first_cycles == 0)
        statistics.first_cycles = cycles;
    learn(level, size_of(f, clones), own);
    if (idle) {
        statistics.idle_cycles += cycles;
        return; /* it is a part of the waiting, which jit_note_waiting() counts as a whole */
    }
    statistics.compile_cycles += cycles;
    outside += cycles - counts;
    left -= (int64_t)counts;
    time_add_pause(cycles);
}

void budget_charge(const struct jit_function *f, enum jit_level level, bool clones,
                   uint64_t cycles) {
    charge(f, level, clones, true, cycles);
}

void budget_charge_outside(const struct jit_function *f, enum jit_level level, uint64_t cycles) {
    charge(f, level, false, false, cycles);
}

void jit_note_waiting(uint64_t begin) {
    uint64_t cycles = jit_clock() - begin;
    if (statistics.begin > begin) /* nothing has run yet */
        return;
    statistics.waiting_cycles += cycles;
    time_add_pause(cycles);
}
