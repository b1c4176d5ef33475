/* The JIT's settings, checked. */
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"
#include "kernel_lib/runtime.h"
#include <stddef.h>

#define FIRST_COMPILED JIT_O0

static struct jit_settings settings = {
    .tier0 = JIT_INTERPRETER,
    .max_level = JIT_O3,
    .thresholds = {[JIT_O0] = 10, [JIT_O1] = 100, [JIT_O2] = 1000, [JIT_O3] = 10000},
    .cost_ms = 50,
    .interpret_loops = 1,
    .budget = 5,
    .idle = true,
    .cache_mb = 8,
    .specialise = true,
    .cache = true,
    .profile = true,
    .export_profile = "",
    .write_native = false,
    .compile_all = JIT_COMPILE_NONE,
    .compile_part = 1,
    .compile_parts = 1,
};

/* What can be set, how it is read, where it is kept, and the most that it may be. */
struct option;
typedef bool reader(const struct option *option, const char *value, struct error *error);
static reader read_level, read_thresholds, read_number, read_switch, read_text, read_compile_all;
static const struct option {
    const char *key;
    reader *read;
    void *at;
    uint64_t most;
} options[] = {
    {"jit.tier0", read_level, &settings.tier0, 0},
    {"jit.max_level", read_level, &settings.max_level, 0},
    {"jit.thresholds", read_thresholds, settings.thresholds, 0},
    {"jit.cost_ms", read_number, &settings.cost_ms, 1000000},
    {"jit.interpret_loops", read_number, &settings.interpret_loops, 1000},
    {"jit.budget", read_number, &settings.budget, 100},
    {"jit.idle", read_switch, &settings.idle, 0},
    {"jit.specialise", read_switch, &settings.specialise, 0},
    {"jit.cache", read_switch, &settings.cache, 0},
    {"jit.cache_mb", read_number, &settings.cache_mb, 1000},
    {"jit.profile", read_switch, &settings.profile, 0},
    {"jit.export_profile", read_text, &settings.export_profile, 0},
    {"jit.write_native", read_switch, &settings.write_native, 0},
    {"jit.compile_all", read_compile_all, &settings.compile_all, 0},
};

const struct jit_settings *jit_settings(void) {
    return &settings;
}

const char *jit_level_name(enum jit_level level) {
    static const char *const names[JIT_LEVELS] = {"interpreter", "O0", "O1", "O2", "O3"};
    return names[level];
}

/* Reads digits up to the end character; where they end, or NULL when there are none or the number
 * has no room. */
static const char *parse_number(const char *text, uint64_t *number) {
    const char *at = text;
    for (*number = 0; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (*number > (UINT64_MAX - digit) / 10)
            return NULL;
        *number = *number * 10 + digit;
    }
    return at > text ? at : NULL;
}

static bool read_number(const struct option *option, const char *value, struct error *error) {
    uint64_t number;
    const char *end = parse_number(value, &number);
    if (!end || *end || number > option->most)
        return error_set(error, "%s = %.60s: not a whole number from 0 to %llu", option->key, value,
                         (unsigned long long)option->most);
    *(uint64_t *)option->at = number;
    return true;
}

static bool read_switch(const struct option *option, const char *value, struct error *error) {
    bool on = strcmp(value, "on") == 0;
    if (!on && strcmp(value, "off") != 0)
        return error_set(error, "%s = %.60s: there are on and off", option->key, value);
    *(bool *)option->at = on;
    return true;
}

static bool read_text(const struct option *option, const char *value, struct error *error) {
    (void)error;
    *(const char **)option->at = value;
    return true;
}

static bool read_level(const struct option *option, const char *value, struct error *error) {
    for (enum jit_level i = JIT_INTERPRETER; i < JIT_LEVELS; i++)
        if (strcmp(value, jit_level_name(i)) == 0) {
            *(enum jit_level *)option->at = i;
            return true;
        }
    return error_set(error, "%s = %.60s: there are interpreter, O0, O1, O2 and O3", option->key,
                     value);
}

static bool read_thresholds(const struct option *option, const char *value, struct error *error) {
    uint64_t calls[JIT_LEVELS] = {0};
    const char *at = value;
    for (enum jit_level i = FIRST_COMPILED; at && i < JIT_LEVELS; i++) {
        at = parse_number(at, &calls[i]);
        if (at && (calls[i] == 0 || calls[i] < calls[i - 1] ||
                   *at++ != (i + 1 < JIT_LEVELS ? ',' : '\0')))
            at = NULL;
    }
    if (!at)
        return error_set(error,
                         "%s = %.60s: not four ascending numbers of calls, for O0, O1, O2 and O3, "
                         "like 10,100,1000,10000",
                         option->key, value);
    memcpy(option->at, calls, sizeof calls);
    return true;
}

/* A name, or of "on" a part: 1/2. */
static bool read_compile_all(const struct option *option, const char *value, struct error *error) {
    static const char *const names[] = {[JIT_COMPILE_NONE] = "off",
                                        [JIT_COMPILE_FAILURES] = "failures",
                                        [JIT_COMPILE_COPIES] = "copies",
                                        [JIT_COMPILE_ALL] = "on"};
    enum jit_compile_all which = JIT_COMPILE_NONE;
    uint64_t part = 1, parts = 1;
    while (which <= JIT_COMPILE_ALL && strcmp(value, names[which]) != 0)
        which++;
    if (which > JIT_COMPILE_ALL) {
        const char *end = parse_number(value, &part);
        if (end && *end == '/')
            end = parse_number(end + 1, &parts);
        if (!end || *end != '\0' || part == 0 || part > parts)
            return error_set(error,
                             "%s = %.60s: there are off, failures, copies, on, and parts like 1/2",
                             option->key, value);
        which = JIT_COMPILE_ALL;
    }
    *(enum jit_compile_all *)option->at = which;
    settings.compile_part = part;
    settings.compile_parts = parts;
    return true;
}

bool jit_configure(struct error *error) {
    jit_statistics()->begin = cpu_rdtsc();
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const char *value = config_get(options[i].key);
        if (value && !options[i].read(&options[i], value, error))
            return false;
    }
    return config_report_unknown("jit.") == 0 ||
           error_set(error, "a setting of the JIT is unknown");
}

bool jit_set_threshold(uint64_t warm, uint64_t hot, uint64_t very_hot) {
    if (warm < 1 || hot < warm || very_hot < hot)
        return false;
    if (settings.thresholds[JIT_O0] > warm)
        settings.thresholds[JIT_O0] = warm;
    settings.thresholds[JIT_O1] = warm;
    settings.thresholds[JIT_O2] = hot;
    settings.thresholds[JIT_O3] = very_hot;
    return true;
}
