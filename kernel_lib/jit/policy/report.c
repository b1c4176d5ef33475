/* What a person sees of the JIT: the table, and the status line. */
#include "kernel_lib/jit/policy/report.h"
#include "kernel_lib/jit/clock.h"
#include "kernel_lib/jit/code.h"
#include "kernel_lib/jit/policy/call_times.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"
#include <inttypes.h>

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
    int64_t self = time_self(f);
    return self > 0 ? (uint64_t)self : 0;
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
    uint64_t a = own_cycles(*(const struct jit_function *const *)left),
             b = own_cycles(*(const struct jit_function *const *)right);
    return (a < b) - (a > b);
}

static void print_functions(struct jit_function *const *functions, size_t count) {
    const struct jit_function **sorted = malloc(count * sizeof *sorted);
    uint64_t all = 0;
    size_t called = 0;
    for (size_t i = 0; sorted && i < count; i++)
        if (functions[i]->calls) {
            sorted[called++] = functions[i];
            all += own_cycles(functions[i]);
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
    struct jit_function *const *functions = jit_functions(&count);
    for (size_t i = 0; i < count; i++)
        if (functions[i]->calls)
            levels[functions[i]->level]++;
}

/* Prints so many cycles as milliseconds, and their share of all. */
static void print_share(const char *what, uint64_t cycles, uint64_t all) {
    uint64_t ms = cycles / (cpu_cycles_per_second() / 1000);
    unsigned permille = permille_of(cycles, all);
    console_printf("%s %" PRIu64 " ms (%u.%u %%)", what, ms, permille / 10, permille % 10);
}

/* Prints the time that the JIT took from one moment to another. */
static void print_shares(const char *when, const struct moment *from, const struct moment *to) {
    uint64_t elapsed = to->time - from->time;
    console_puts(when);
    print_share(": compiling", to->compiling - from->compiling, elapsed);
    print_share(", profiling", to->profiling - from->profiling, elapsed);
    uint64_t per_ms = cpu_cycles_per_second() / 1000;
    console_printf(" of %" PRIu64 " ms; idle: compiling %" PRIu64 " ms\n", elapsed / per_ms,
                   (to->idle - from->idle) / per_ms);
}

void jit_print(void) {
    const struct jit_statistics *s = jit_statistics();
    const struct jit_costs costs = jit_costs();
    unsigned levels[JIT_LEVELS] = {0};
    size_t count;
    struct jit_function *const *functions = jit_functions(&count);
    print_functions(functions, count);
    count_levels(levels);
    console_printf("%u interpreted, %u O0, %u O1, %u O2, %u O3 (s: specialised)\n", levels[0],
                   levels[1], levels[2], levels[3], levels[4]);
    console_printf("compiled %" PRIu64 ", idle %" PRIu64 ", failed %" PRIu64
                   ", from the cache %" PRIu64 "; %" PRIu64 " KiB of code\n",
                   s->compiled, s->idle_compiled, s->failed, s->from_cache,
                   costs.code_bytes / 1024);
    const struct moment start = {.time = s->begin};
    struct moment now = {jit_clock() - s->waiting_cycles, s->compile_cycles, s->profiling_cycles,
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
    console_event(
        "{\"event\":\"jit\",\"compiled\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"from_cache\":%" PRIu64
        ",\"cycles\":%" PRIu64 ",\"compile_cycles\":%" PRIu64 ",\"profiling_cycles\":%" PRIu64
        ",\"waiting_cycles\":%" PRIu64 ",\"idle_compiled\":%" PRIu64 ",\"idle_cycles\":%" PRIu64
        ",\"code_bytes\":%" PRIu64 ",\"heap_used\":%" PRIu64 ",\"heap_peak\":%" PRIu64 "}",
        s->compiled, s->failed, s->from_cache, jit_clock() - s->begin, s->compile_cycles,
        s->profiling_cycles, s->waiting_cycles, s->idle_compiled, s->idle_cycles, costs.code_bytes,
        memory.used, memory.peak);
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
    shown = jit_clock();
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
