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
    .coverage = true,
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

static bool read_number(const char *key, uint64_t *number, uint64_t most, struct error *error) {
    const char *value = config_get(key);
    uint64_t given;
    if (!value)
        return true;
    const char *end = parse_number(value, &given);
    if (!end || *end || given > most)
        return error_set(error, "%s = %.60s: not a whole number from 0 to %llu", key, value,
                         (unsigned long long)most);
    *number = given;
    return true;
}

static bool read_switch(const char *key, bool *on, struct error *error) {
    const char *value = config_get(key);
    if (!value)
        return true;
    *on = strcmp(value, "on") == 0;
    return *on || strcmp(value, "off") == 0 ||
           error_set(error, "%s = %.60s: there are on and off", key, value);
}

static bool read_level(const char *key, enum jit_level *level, enum jit_level most,
                       struct error *error) {
    const char *value = config_get(key);
    if (!value)
        return true;
    for (enum jit_level i = JIT_INTERPRETER; i <= most; i++)
        if (strcmp(value, jit_level_name(i)) == 0) {
            *level = i;
            return true;
        }
    return error_set(error, "%s = %.60s: there are interpreter%s and %s", key, value,
                     most == JIT_O3 ? ", O0, O1, O2" : "", jit_level_name(most));
}

static bool read_thresholds(struct error *error) {
    const char *value = config_get("jit.thresholds");
    uint64_t calls[JIT_LEVELS] = {0};
    const char *at = value;
    if (!value)
        return true;
    for (enum jit_level i = FIRST_COMPILED; at && i < JIT_LEVELS; i++) {
        at = parse_number(at, &calls[i]);
        if (at && (calls[i] == 0 || calls[i] < calls[i - 1] ||
                   *at++ != (i + 1 < JIT_LEVELS ? ',' : '\0')))
            at = NULL;
    }
    if (!at)
        return error_set(error,
                         "jit.thresholds = %.60s: not four ascending numbers of calls, for O0, "
                         "O1, O2 and O3, like 10,100,1000,10000",
                         value);
    memcpy(settings.thresholds, calls, sizeof calls);
    return true;
}

/* A name, or of "on" a part: 1/2. */
static bool read_compile_all(struct error *error) {
    static const char *const names[] = {"off", "failures", "copies", "on"};
    const char *value = config_get("jit.compile_all"), *end;
    settings.compile_part = settings.compile_parts = 1;
    settings.compile_all = JIT_COMPILE_NONE;
    if (!value)
        return true;
    for (int i = JIT_COMPILE_NONE; i <= JIT_COMPILE_ALL; i++) {
        settings.compile_all = (enum jit_compile_all)i;
        if (strcmp(value, names[i]) == 0)
            return true;
    }
    end = parse_number(value, &settings.compile_part);
    if (end && *end == '/')
        end = parse_number(end + 1, &settings.compile_parts);
    return (end && *end == '\0' && settings.compile_part > 0 &&
            settings.compile_part <= settings.compile_parts) ||
           error_set(error,
                     "jit.compile_all = %.60s: there are off, failures, copies, on, and parts like "
                     "1/2",
                     value);
}

static bool check_keys(struct error *error) {
    static const char *const known[] = {"tier0",           "max_level", "thresholds",  "cost_ms",
                                        "interpret_loops", "budget",    "specialise",  "cache",
                                        "cache_mb",        "profile",   "compile_all", "idle"};
    const char *key;
    for (size_t i = 0; (key = config_key(i)); i++) {
        if (strncmp(key, "jit.", 4) != 0)
            continue;
        size_t k = 0;
        while (k < sizeof known / sizeof *known && strcmp(key + 4, known[k]) != 0)
            k++;
        if (k < sizeof known / sizeof *known)
            continue;
        error_set(error, "there is no setting \"%.40s\"; of the JIT there are", key);
        for (k = 0; k < sizeof known / sizeof *known; k++) {
            strcat(error->text, " ");
            strcat(error->text, known[k]);
        }
        return false;
    }
    return true;
}

bool jit_configure(struct error *error) {
    jit_statistics()->begin = cpu_rdtsc();
    return check_keys(error) && read_level("jit.tier0", &settings.tier0, JIT_O0, error) &&
           read_level("jit.max_level", &settings.max_level, JIT_O3, error) &&
           read_thresholds(error) &&
           read_number("jit.cost_ms", &settings.cost_ms, 1000000, error) &&
           read_number("jit.interpret_loops", &settings.interpret_loops, 1000, error) &&
           read_number("jit.budget", &settings.budget, 100, error) &&
           read_switch("jit.idle", &settings.idle, error) &&
           read_switch("jit.specialise", &settings.specialise, error) &&
           read_switch("jit.cache", &settings.cache, error) &&
           read_number("jit.cache_mb", &settings.cache_mb, 1000, error) &&
           read_switch("jit.profile", &settings.profile, error) && read_compile_all(error) &&
           read_switch("coverage", &settings.coverage, error);
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
