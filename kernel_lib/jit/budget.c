/*
 * What compiling may cost. Its cycles are measured by level; so what the next one takes can be
 * expected, and compared with what running has taken and with the share that is allowed.
 */
#include "kernel_lib/jit/policy.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define FIRST_GUESS_MS 10 /* on O0, before anything was compiled */
#define LEVEL_FACTOR 2    /* of a level that was never used, to the one below */
#define START_SECONDS 5   /* of compiling that are free: at the start all is new */
#define MEMORY 4          /* an average of about so many compilations */
#define FIRST_FACTOR 4    /* the first on a level is slower: the compiler's own code is new then */

static uint64_t average[JIT_LEVELS];
static struct jit_statistics statistics;

struct jit_statistics *jit_statistics(void) {
    return &statistics;
}

uint64_t budget_expect(enum jit_level level) {
    if (average[level])
        return average[level];
    if (level > JIT_O0)
        return LEVEL_FACTOR * budget_expect(level - 1);
    return cpu_cycles_per_second() / 1000 * FIRST_GUESS_MS;
}

bool budget_allows(uint64_t cycles, unsigned part, uint64_t now) {
    uint64_t percent = jit_settings()->budget, elapsed = now - statistics.begin;
    uint64_t allowed = elapsed / 100 * percent + cpu_cycles_per_second() * START_SECONDS;
    return percent == 100 || statistics.compile_cycles + cycles <= allowed / part;
}

void budget_charge(enum jit_level level, uint64_t cycles) {
    statistics.compile_cycles += cycles;
    average[level] =
        average[level] ? (average[level] * (MEMORY - 1) + cycles) / MEMORY : cycles / FIRST_FACTOR;
    time_add_pause(cycles);
}
