/* Reading the profile's text (profile_file.h): whatever it says, it is checked. */
#include "kernel_lib/crc32.h"
#include "kernel_lib/jit/store/function_names.h"
#include "kernel_lib/jit/store/profile_file.h"
#include <string.h>

#define CRC_LINE 13 /* "crc 01234567\n" */

struct text {
    const char *at, *end;
};

/* Takes these characters if they come next. */
static bool take(struct text *text, const char *characters) {
    size_t length = strlen(characters);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, characters, length) != 0)
        return false;
    text->at += length;
    return true;
}

static bool take_number(struct text *text, uint64_t max, uint64_t *number) {
    const char *begin = text->at;
    uint64_t value = 0;
    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text->at - '0'), &value))
            return false;
    *number = value;
    return text->at > begin && value <= max;
}

/* " KEY NUMBER" */
static bool take_member(struct text *text, const char *key, uint64_t max, uint64_t *number) {
    return take(text, " ") && take(text, key) && take(text, " ") && take_number(text, max, number);
}

/* Characters up to the next one of stop, which is not taken. */
static bool take_until(struct text *text, char stop, struct text *taken) {
    const char *end = memchr(text->at, stop, (size_t)(text->end - text->at));
    if (!end)
        return false;
    *taken = (struct text){text->at, end};
    text->at = end;
    return true;
}

/* What the lines are read into. */
struct reading {
    struct function_names names;
    struct jit_function *function; /* whose lines are read; NULL before the first one */
};

static struct jit_function *find_function(const struct reading *reading, struct text name) {
    return function_names_find(&reading->names, name.at, (size_t)(name.end - name.at));
}

static bool parse_function(struct reading *reading, struct text *text) {
    struct text name, reason;
    uint64_t level, specialised, arguments;
    if (!take_until(text, ' ', &name) || !(reading->function = find_function(reading, name)))
        return false;
    struct jit_history *entry = &reading->function->earlier;
    if (entry->calls || !take_member(text, "calls", UINT64_MAX, &entry->calls) || !entry->calls ||
        !take_member(text, "level", JIT_LEVELS - 1, &level) ||
        !take_member(text, "specialised", 1, &specialised) ||
        !take_member(text, "arguments", JIT_ARGUMENTS, &arguments) || !take(text, " because ") ||
        !take_until(text, '\n', &reason) || reason.end - reason.at >= JIT_REASON)
        return false;
    entry->level = (enum jit_level)level;
    entry->specialised = specialised;
    entry->values.arguments = (uint8_t)arguments;
    memcpy(entry->reason, reason.at, (size_t)(reason.end - reason.at));
    return true;
}

static bool parse_times(struct jit_history *entry, struct text *text) {
    uint64_t level;
    if (!take_number(text, JIT_LEVELS - 1, &level) || entry->times[level].calls)
        return false;
    struct jit_times *times = &entry->times[level];
    return take_member(text, "calls", UINT64_MAX, &times->calls) && times->calls &&
           take_member(text, "total", UINT64_MAX, &times->total) &&
           take_member(text, "min", UINT64_MAX, &times->min) &&
           take_member(text, "max", UINT64_MAX, &times->max) && times->min <= times->max;
}

/* Begins at " calls": all that is behind the line's first word is in members. */
static bool parse_values(struct jit_value_profile *profile, struct text *text) {
    if (profile->count == JIT_FREQUENT || profile->arguments == 0)
        return false;
    struct jit_argument_values *values = &profile->frequent[profile->count++];
    if (!take_member(text, "calls", UINT64_MAX, &values->calls) || !take(text, " values"))
        return false;
    for (unsigned i = 0; i < profile->arguments; i++)
        if (!take(text, " ") || !take_number(text, UINT64_MAX, &values->values[i]))
            return false;
    return true;
}

static bool parse_candidate(const struct reading *reading, struct jit_candidates *candidates,
                            struct text *text) {
    struct text body;
    uint64_t options, chosen;
    if (candidates->count == JIT_CANDIDATES)
        return false;
    struct jit_candidate *candidate = &candidates->list[candidates->count++];
    if (!take_until(text, ' ', &body) || !(candidate->body = find_function(reading, body)) ||
        !take_member(text, "shape", UINT32_MAX, &options) ||
        !take_member(text, "cycles", UINT64_MAX, &candidate->cycles) ||
        !take_member(text, "chosen", 1, &chosen))
        return false;
    candidate->options = (unsigned)options;
    candidate->chosen = chosen;
    return true;
}

/* One line, without its end. */
static bool parse_line(struct reading *reading, struct text *text) {
    if (take(text, "function "))
        return parse_function(reading, text);
    struct jit_history *entry = reading->function ? &reading->function->earlier : NULL;
    if (!entry)
        return false;
    return take(text, "times ")       ? parse_times(entry, text)
           : take(text, "tuple")      ? parse_values(&entry->values, text)
           : take(text, "candidate ") ? parse_candidate(reading, &entry->candidates, text)
                                      : false;
}

/* Whether it is this id; NULL: any is. */
static bool is(struct text text, const char *id) {
    return !id ||
           ((size_t)(text.end - text.at) == strlen(id) && memcmp(text.at, id, strlen(id)) == 0);
}

static bool copy(char *to, size_t size, struct text text) {
    size_t length = (size_t)(text.end - text.at);
    if (length >= size)
        return false;
    memcpy(to, text.at, length);
    to[length] = '\0';
    return true;
}

/* A line that may be missing: then `to` stays. */
static bool take_line(struct text *text, const char *key, char *to, size_t size) {
    struct text value;
    return !take(text, key) ||
           (take_until(text, '\n', &value) && copy(to, size, value) && take(text, "\n"));
}

/* The lines up to the functions. */
static bool parse_head(struct profile *profile, struct text *text, struct error *why) {
    struct text build, cpu;
    uint64_t max_level;
    if (!take(text, "build ") || !take_until(text, '\n', &build) || !take(text, "\ncpu ") ||
        !take_until(text, '\n', &cpu) || !take(text, "\nboots ") ||
        !take_number(text, UINT64_MAX, &profile->boots) ||
        !take_member(text, "max_level", JIT_LEVELS - 1, &max_level) || !take(text, "\n"))
        return error_set(why, "its head is not understood");
    if (!is(build, profile->build_id))
        return error_set(why, "it is of another build, %.*s", (int)(build.end - build.at),
                         build.at);
    if (!is(cpu, profile->cpu_id))
        return error_set(why, "it is of another CPU, %.*s", (int)(cpu.end - cpu.at), cpu.at);
    profile->max_level = (enum jit_level)max_level;
    return (copy(profile->made_by, sizeof profile->made_by, build) &&
            take_line(text, "features ", profile->features, sizeof profile->features) &&
            take_line(text, "model ", profile->model, sizeof profile->model) &&
            (!take(text, "first_compilation ") ||
             (take_number(text, UINT64_MAX, &profile->first_cycles) && take(text, "\n")))) ||
           error_set(why, "its head is not understood");
}

static bool check_crc(struct text *text) {
    static const char digits[] = "0123456789abcdef";
    if (text->end - text->at < CRC_LINE)
        return false;
    text->end -= CRC_LINE;
    uint32_t crc = crc32_update(0, text->at, (size_t)(text->end - text->at));
    char line[CRC_LINE + 1] = "crc 00000000\n";
    for (int i = 0; i < 8; i++)
        line[4 + i] = digits[crc >> (28 - 4 * i) & 0xF];
    return memcmp(text->end, line, CRC_LINE) == 0;
}

static bool parse(struct profile *profile, struct text text, struct error *why) {
    struct text whole = text;
    if (!take(&text, "bareflow jit profile 1\n"))
        return error_set(why, "it is of another version, or no profile");
    if (!check_crc(&whole))
        return error_set(why, "it is damaged or cut short");
    text.end = whole.end;
    if (!parse_head(profile, &text, why))
        return false;
    struct reading reading = {.function = NULL};
    if (!function_names_init(&reading.names, profile->functions, profile->count))
        return error_set(why, "there is no memory to read it");
    bool good = true;
    unsigned line = 1;
    for (const char *at = whole.at; at < text.at; at++)
        line += *at == '\n';
    for (; good && text.at < text.end; line++)
        if (!parse_line(&reading, &text) || !take(&text, "\n"))
            good = error_set(why, "its line %u is not understood", line);
    function_names_free(&reading.names);
    return good;
}

bool profile_parse(struct profile *profile, const char *text, size_t size, struct error *why) {
    if (parse(profile, (struct text){text, text + size}, why))
        return true;
    profile->boots = profile->first_cycles = 0;
    for (size_t i = 0; i < profile->count; i++)
        profile->functions[i]->earlier = (struct jit_history){0};
    return false;
}
