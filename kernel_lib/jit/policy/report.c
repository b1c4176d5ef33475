/* What a person sees of the JIT: the table, and the status line. */
#include "kernel_lib/jit/code.h"
#include "kernel_lib/jit/policy/policy.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define STATUS_EVERY_MS 250
#define STATUS_BYTES 81

/* Cycles that had been spent by then, and when that was. */
struct moment {
    uint64_t time; /* TSC, without what was waited */
    uint64_t compiling, profiling, idle;
};
static struct moment printed; /* of the last table */

/* A number in at most six characters: 12345, 123k, 12345M, ... */
static void format_short(char text[8], uint64_t number) {
    static const char units[] = " kMGT";
    size_t unit = 0;
    for (; number > 99999 && units[unit + 1]; unit++)
        number /= 1000;
    snprintf(text, 8, unit ? "%u%c" : "%u", (unsigned)number, units[unit]);
}

/* Cycles that were the function's own. */
static uint64_t own_cycles(const struct jit_function *f) {
    const struct policy *p = policy_of((struct jit_function *)f);
    int64_t sum = p ? optimize_self(p) : 0;
    return sum > 0 ? (uint64_t)sum : 0;
}

static unsigned permille_of(uint64_t part, uint64_t all) {
    return (unsigned)(part / (all / 1000 + 1));
}

static void print_function(const struct jit_function *f, unsigned permille) {
    char text[8];
    format_short(text, f->calls);
    console_printf("%-17.17s%3u.%u %6s", f->name, permille / 10, permille % 10, text);
    for (int level = 0; level < JIT_LEVELS; level++) {
        const struct jit_times *times = &f->times[level];
        if (times->calls)
            format_short(text, times->total / times->calls);
        else
            strcpy(text, "-");
        console_printf(" %6s", text);
    }
    const char *level = f->level == JIT_INTERPRETER ? "-" : jit_level_name(f->level);
    console_printf(" %s%s %s%s%s\n", level, f->specialised ? "s" : "", f->reason ? f->reason : "",
                   f->body && f->body != f ? ": " : "",
                   f->body && f->body != f ? f->body->name : "");
}

/* Those that took longest first. */
static int compare_times(const void *left, const void *right) {
    uint64_t a = own_cycles(*(struct jit_function *const *)left),
             b = own_cycles(*(struct jit_function *const *)right);
    return (a < b) - (a > b);
}

static void print_functions(struct jit_function *functions, size_t count) {
    struct jit_function **sorted = malloc(count * sizeof(struct jit_function *));
    uint64_t all = 0;
    size_t called = 0;
    for (size_t i = 0; sorted && i < count; i++)
        if (functions[i].calls) {
            sorted[called++] = &functions[i];
            all += own_cycles(&functions[i]);
        }
    if (sorted)
        qsort(sorted, called, sizeof *sorted, compare_times);
    console_puts("                                average cycles of a call, with what it calls\n"
                 "function         own %  calls interp     O0     O1     O2     O3 now why\n");
    for (size_t i = 0; i < called; i++) {
        unsigned permille = permille_of(own_cycles(sorted[i]), all);
        if (permille == 0)
            break;
        print_function(sorted[i], permille);
    }
    console_printf("%zu functions have run; those that took less than 0.1 %% are left out.\n",
                   called);
    free(sorted);
}

static void count_levels(unsigned levels[JIT_LEVELS]) {
    size_t count;
    const struct jit_function *functions = jit_functions(&count);
    for (size_t i = 0; i < count; i++)
        if (functions[i].calls)
            levels[functions[i].level]++;
}

/* Prints so many cycles as milliseconds, and their share of all. */
static void print_share(const char *what, uint64_t cycles, uint64_t all) {
    unsigned long long ms = cycles / (cpu_cycles_per_second() / 1000);
    unsigned permille = permille_of(cycles, all);
    console_printf("%s %llu ms (%u.%u %%)", what, ms, permille / 10, permille % 10);
}

/* Prints the time that the JIT took from one moment to another. */
static void print_shares(const char *when, const struct moment *from, const struct moment *to) {
    uint64_t elapsed = to->time - from->time;
    console_puts(when);
    print_share(": compiling", to->compiling - from->compiling, elapsed);
    print_share(", profiling", to->profiling - from->profiling, elapsed);
    uint64_t per_ms = cpu_cycles_per_second() / 1000;
    console_printf(" of %llu ms; idle: compiling %llu ms\n", (unsigned long long)(elapsed / per_ms),
                   (unsigned long long)((to->idle - from->idle) / per_ms));
}

void jit_print(void) {
    const struct jit_statistics *s = jit_statistics();
    const struct jit_costs costs = jit_costs();
    unsigned levels[JIT_LEVELS] = {0};
    size_t count;
    struct jit_function *functions = jit_functions(&count);
    print_functions(functions, count);
    count_levels(levels);
    console_printf("%u interpreted, %u O0, %u O1, %u O2, %u O3 (s: specialised)\n", levels[0],
                   levels[1], levels[2], levels[3], levels[4]);
    console_printf("compiled %llu, idle %llu, failed %llu, from the cache %llu; %llu KiB of code\n",
                   (unsigned long long)s->compiled, (unsigned long long)s->idle_compiled,
                   (unsigned long long)s->failed, (unsigned long long)s->from_cache,
                   (unsigned long long)(costs.code_bytes / 1024));
    const struct moment start = {.time = s->begin};
    struct moment now = {cpu_rdtsc() - s->waiting_cycles, s->compile_cycles, s->profiling_cycles,
                         s->idle_cycles};
    print_shares("since the start", &start, &now);
    if (printed.time)
        print_shares("since the last /jit", &printed, &now);
    printed = now;
}

void jit_report_costs(void) {
    const struct jit_statistics *s = jit_statistics();
    const struct jit_costs costs = jit_costs();
    struct memory_usage memory = memory_usage();
    console_event("{\"event\":\"jit\",\"compiled\":%llu,\"failed\":%llu,\"from_cache\":%llu,"
                  "\"cycles\":%llu,\"compile_cycles\":%llu,\"profiling_cycles\":%llu,"
                  "\"waiting_cycles\":%llu,\"idle_compiled\":%llu,\"idle_cycles\":%llu,"
                  "\"code_bytes\":%llu,\"heap_used\":%llu,\"heap_peak\":%llu}",
                  (unsigned long long)s->compiled, (unsigned long long)s->failed,
                  (unsigned long long)s->from_cache, (unsigned long long)(cpu_rdtsc() - s->begin),
                  (unsigned long long)s->compile_cycles, (unsigned long long)s->profiling_cycles,
                  (unsigned long long)s->waiting_cycles, (unsigned long long)s->idle_compiled,
                  (unsigned long long)s->idle_cycles, (unsigned long long)costs.code_bytes,
                  (unsigned long long)memory.used, (unsigned long long)memory.peak);
}

/* ---- The status line ---- */

static char application[32];
static uint64_t shown; /* TSC */

void jit_status(const char *text) {
    snprintf(application, sizeof application, "%s", text);
}

static void show(const char *doing) {
    unsigned levels[JIT_LEVELS] = {0};
    char text[STATUS_BYTES];
    count_levels(levels);
    snprintf(text, sizeof text, "JIT: %u interpreted, %u O0, %u O1, %u O2, %u O3   %s   %s",
             levels[0], levels[1], levels[2], levels[3], levels[4], application, doing);
    console_status(text);
    shown = cpu_rdtsc();
}

void report_status(uint64_t now) {
    if (now - shown >= cpu_cycles_per_second() / 1000 * STATUS_EVERY_MS)
        show("");
}

void report_compiling(const struct jit_function *f, enum jit_level level) {
    char text[48];
    snprintf(text, sizeof text, "%s: %.24s", jit_level_name(level), f->name);
    show(text);
}
