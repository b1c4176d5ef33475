/* The timers of the parts of the forward pass. */
#include "profiling.h"
#include "kernel_lib/jit_runtime.h"

/* One token in so many is timed. A prime number: in texts of equal length other positions are timed
 * each time. */
#define SAMPLE_EVERY 13

bool profiling_enabled, profiling_now;
static unsigned every, token; /* tokens since the last one that was timed */
static uint64_t part_begin;   /* TSC when the part that now runs began */
static struct jit_profile *timers[PART_COUNT];

static const char *const names[PART_COUNT] = {
    [PART_EMBEDDING] = "embedding",
    [PART_NORM] = "rmsnorm",
    [PART_QKV] = "qkv",
    [PART_ROTATION] = "rope",
    [PART_ATTENTION] = "attention",
    [PART_ATTENTION_OUT] = "attention out",
    [PART_GATE_UP] = "gate, up",
    [PART_SWIGLU] = "swiglu",
    [PART_DOWN] = "down",
    [PART_CLASSIFIER] = "classifier",
    [PART_SAMPLER] = "sampler",
};

void profiling_enable(bool enable) {
    for (int i = 0; i < PART_COUNT; i++)
        timers[i] = jit_profile_get(names[i]);
    profiling_enabled = enable;
    profiling_now = false;
    every = SAMPLE_EVERY;
    token = every - 1; /* the next one is timed: texts may be short */
}

void profiling_enable_all(void) {
    profiling_enable(true);
    every = 1;
    token = 0;
}

void profiling_token(void) {
    token = (token + 1) % every;
    profiling_now = token == 0;
}

void profiling_start(void) {
    part_begin = cpu_rdtsc();
}

void profiling_part(enum part part) {
    uint64_t now = cpu_rdtsc();
    jit_profile_add(timers[part], now - part_begin);
    part_begin = now;
}

void profiling_print_layer(void) {
    for (int i = PART_NORM; i <= PART_DOWN; i++)
        console_printf("%s%s %llu", i == PART_NORM ? "" : "; ", names[i],
                       (unsigned long long)jit_get_avg_cycles(names[i]));
    console_puts("\n");
}

void profiling_print(void) {
    uint64_t all = 0;
    for (int i = 0; i < PART_COUNT; i++)
        all += timers[i]->times.total;
    console_puts("part              calls    average        min        max  share\n");
    for (int i = 0; i < PART_COUNT; i++) {
        const struct jit_times *p = &timers[i]->times;
        if (p->calls == 0)
            continue;
        unsigned long long permille = p->total * 1000 / all;
        console_printf("%-14s %8llu %10llu %10llu %10llu  %llu.%llu %%\n", timers[i]->name,
                       (unsigned long long)p->calls, (unsigned long long)(p->total / p->calls),
                       (unsigned long long)p->min, (unsigned long long)p->max, permille / 10,
                       permille % 10);
    }
}
