/*
 * What compiling may cost. Its cycles are measured by level and by the function's size; so what the
 * next one takes can be expected, and compared with what running has taken and with the share that
 * is allowed.
 */
#include "kernel_lib/jit/policy.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define FIRST_GUESS_MS 10 /* for a usual function on O0, before anything was compiled */
#define USUAL_SIZE 100    /* instructions of a usual function */
#define FIXED_SIZE 40     /* so many more instructions would take what each compilation takes */
#define OPTIMISE_FACTOR 4 /* of O1 to O0, until both are known */
#define LEVEL_FACTOR 2    /* of O2 to O1, and of O3 to O2 */
#define START_MS 2000     /* of compiling what is worth it are free: at the start all is new */
#define MEMORY 4          /* an average of about so many compilations */
#define FIRST_FACTOR 4    /* the first on a level is slower: the compiler's own code is new */

static uint64_t average[JIT_LEVELS]; /* of a usual function */
static struct jit_statistics statistics;

struct jit_statistics *jit_statistics(void) {
    return &statistics;
}

static uint64_t of_usual(enum jit_level level) {
    if (average[level])
        return average[level];
    if (level > JIT_O0)
        return (level == JIT_O1 ? OPTIMISE_FACTOR : LEVEL_FACTOR) * of_usual(level - 1);
    return cpu_cycles_per_second() / 1000 * FIRST_GUESS_MS;
}

/* From O1 on nearly all of the compiler's code is the same. */
static bool is_first(enum jit_level level) {
    for (int other = JIT_O1; other < JIT_LEVELS; other++)
        if (average[other])
            return false;
    return level > JIT_O0;
}

/* Instructions that are compiled: the function's, and those of its copies. */
static uint64_t size_on(const struct jit_function *f, enum jit_level level) {
    uint64_t copies = level >= JIT_O2 && adaptive_can_specialise(f) ? f->tuple_count : 0;
    return f->size * (1 + copies) + FIXED_SIZE;
}

uint64_t budget_expect(const struct jit_function *f, enum jit_level level) {
    uint64_t usual = of_usual(level) * (is_first(level) ? FIRST_FACTOR : 1);
    return usual * size_on(f, level) / (USUAL_SIZE + FIXED_SIZE);
}

bool budget_allows(uint64_t cycles, bool worth, uint64_t now) {
    uint64_t percent = jit_settings()->budget, elapsed = now - statistics.begin;
    uint64_t free = worth ? cpu_cycles_per_second() / 1000 * START_MS : 0;
    return percent == 100 || statistics.compile_cycles + cycles <= elapsed / 100 * percent + free;
}

void budget_charge(const struct jit_function *f, enum jit_level level, uint64_t cycles) {
    uint64_t usual = cycles * (USUAL_SIZE + FIXED_SIZE) / size_on(f, level);
    statistics.compile_cycles += cycles;
    average[level] =
        average[level] ? (average[level] * (MEMORY - 1) + usual) / MEMORY : usual / FIRST_FACTOR;
    time_add_pause(cycles);
}
