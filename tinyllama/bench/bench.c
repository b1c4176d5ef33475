/* Measurements. */
#include "bench.h"
#include "bench_matmul.h"
#include "bench_memory.h"
#include "bench_workloads.h"
#include "kernel_lib/jit_runtime.h"
#include "tinyllama/optimization.h"
#include "tinyllama/profiling.h"

#define DIRECT_CALLS 1000

static const struct workload {
    const char *name;
    uint64_t (*function)(uint64_t);
    uint64_t argument;
    unsigned calls;
    uint64_t result;
} workloads[] = {
    {"fibonacci(10)", fibonacci, 10, 10, 55},
    {"sum_to_n(1000)", sum_to_n, 1000, 100, 500500},
    {"count_primes(100)", count_primes, 100, 5, 25},
};

static void run_workload(const struct workload *w) {
    struct jit_profile *timer = jit_profile_get(w->name);
    for (unsigned i = 0; i < w->calls; i++) {
        uint64_t argument = opaque(w->argument);
        uint64_t begin = cpu_rdtsc();
        uint64_t result = opaque(w->function(argument));
        jit_profile_add(timer, cpu_rdtsc() - begin);
        if (result != w->result)
            panic("bench: %s is %llu", w->name, (unsigned long long)result);
    }
    unsigned long long average = timer->times.total / timer->times.calls, min = timer->times.min,
                       max = timer->times.max;
    console_printf("%-20s %8u %10llu %10llu %10llu\n", w->name, w->calls, average, min, max);
    console_event("{\"event\":\"bench\",\"name\":\"%s\",\"calls\":%u,\"average\":%llu,\"min\":%llu,"
                  "\"max\":%llu}",
                  w->name, w->calls, average, min, max);
}

/* Cycles of DIRECT_CALLS iterations of a loop, with a call in it or without. */
static uint64_t time_loop(bool with_call) {
    uint64_t begin = cpu_rdtsc();
    if (with_call)
        for (uint64_t i = 0; i < DIRECT_CALLS; i = opaque(i + 1))
            do_nothing();
    else
        for (uint64_t i = 0; i < DIRECT_CALLS; i = opaque(i + 1))
            ;
    return cpu_rdtsc() - begin;
}

/* What a call and its return add to a loop, in hundredths of a cycle. */
static uint64_t direct_call_centicycles(void) {
    uint64_t with = UINT64_MAX, without = UINT64_MAX;
    for (int i = 0; i < 5; i++) {
        uint64_t cycles = time_loop(true);
        with = cycles < with ? cycles : with;
        cycles = time_loop(false);
        without = cycles < without ? cycles : without;
    }
    return with > without ? (with - without) * 100 / DIRECT_CALLS : 0;
}

#define PAIRS 100

static void read_clock_twice(void) {
    for (int i = 0; i < PAIRS; i++) {
        uint64_t first = opaque(cpu_rdtsc());
        opaque(cpu_rdtsc() - first);
    }
}

static void time_nothing(void) {
    for (int i = 0; i < PAIRS; i++) {
        jit_profile_begin("begin and end");
        jit_profile_end("begin and end");
    }
}

/* Cycles of one of the PAIRS pairs that the function has, in hundredths: the least of 20 runs. */
static uint64_t pair_centicycles(void (*pairs)(void)) {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 20; i++) {
        uint64_t begin = cpu_rdtsc();
        pairs();
        uint64_t cycles = cpu_rdtsc() - begin;
        least = cycles < least ? cycles : least;
    }
    return least * 100 / PAIRS;
}

static void print_cycles(const char *what, uint64_t centicycles) {
    console_printf("%-20s %19llu.%02llu\n", what, (unsigned long long)(centicycles / 100),
                   (unsigned long long)(centicycles % 100));
    console_event("{\"event\":\"bench\",\"name\":\"%s\",\"cycles\":%llu.%02llu}", what,
                  (unsigned long long)(centicycles / 100), (unsigned long long)(centicycles % 100));
}

static void bench_functions(void) {
    console_puts("cycles                  calls    average        min        max\n");
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        run_workload(&workloads[i]);
    print_cycles("direct call", direct_call_centicycles());
    print_cycles("clock read twice", pair_centicycles(read_clock_twice));
    print_cycles("profile begin, end", pair_centicycles(time_nothing));
}

static bool bench_model(const struct generator *generator, const char *prompt,
                        struct error *error) {
    struct generation generation = {.prompt = prompt, .quiet = true, .begin = cpu_rdtsc()};
    if (!generate(generator, &generation, error))
        return false;
    uint64_t rate = generation_rate(&generation);
    const char *name = generator->inference->kernels->name;
    console_printf("%-20s %8u tokens, %llu.%02llu tokens/s\n", name, (unsigned)generation.tokens,
                   (unsigned long long)(rate / 100), (unsigned long long)(rate % 100));
    console_event("{\"event\":\"bench\",\"name\":\"model\",\"vector\":\"%s\",\"tokens\":%u,"
                  "\"tokens_per_s\":%llu.%02llu,\"cycles\":%llu}",
                  name, (unsigned)generation.tokens, (unsigned long long)(rate / 100),
                  (unsigned long long)(rate % 100), (unsigned long long)generation.cycles);
    return true;
}

bool bench_run(const struct generator *generator, const char *prompt, bool all_widths,
               uint64_t begin, uint64_t initialised, struct error *error) {
    bench_functions();
    bench_matmul(generator->inference);
    bench_memory(generator->inference->model);
    const struct kernels *chosen = generator->inference->kernels;
    for (size_t i = 0; i < OPTIMIZATION_WIDTHS; i++) {
        const struct kernels *kernels = optimization_kernels[i];
        if (!(all_widths ? optimization_usable(kernels) : kernels == chosen))
            continue;
        generator->inference->kernels = kernels;
        if (!bench_model(generator, prompt, error))
            return false;
    }
    generator->inference->kernels = chosen;

    profiling_enable_all();
    struct generation generation = {.prompt = prompt, .quiet = true, .begin = cpu_rdtsc()};
    bool good = generate(generator, &generation, error);
    profiling_enable(false);
    profiling_print();
    print_cycles("initialisation", (initialised - begin) * 100);
    print_cycles("total", (cpu_rdtsc() - begin) * 100);
    return good;
}
