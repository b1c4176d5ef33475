/* The application's settings, checked. */
#include "settings.h"
#include "kv_cache.h"
#include <errno.h>

/* Adds the exponent at text, if there is one; false if it is no whole number. */
static bool parse_exponent(const char *text, int *exponent) {
    enum { BEYOND_EVERY_FLOAT = 10000 };
    if (*text == '\0')
        return true;
    if (*text != 'e' && *text != 'E')
        return false;
    bool negative = *++text == '-';
    text += negative || *text == '+';
    int number = 0;
    const char *digits = text;
    for (; *text >= '0' && *text <= '9'; text++)
        if (number < BEYOND_EVERY_FLOAT)
            number = number * 10 + (*text - '0');
    *exponent += negative ? -number : number;
    return text > digits && *text == '\0';
}

/* Reads a number as people and programs write it: 0.9, .9, 0.30000000000000004, 1e-05. Its first
 * MAX_DIGITS digits count, which a double holds exactly. strtof would be a large part of the
 * program. */
static bool parse_decimal(const char *text, float *number) {
    enum { MAX_DIGITS = 15 };
    double digits = 0.0, divisor = 1.0;
    int count = 0, exponent = 0;
    bool point = false, any = false;
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        any = true;
        if (count < MAX_DIGITS) {
            digits = digits * 10.0 + (*text - '0');
            count += digits > 0.0;
            exponent -= point;
        } else {
            exponent += !point;
        }
    }
    if (!any || !parse_exponent(text, &exponent))
        return false;
    for (; exponent > 0; exponent--)
        digits *= 10.0;
    for (; exponent < 0; exponent++)
        divisor *= 10.0;
    *number = (float)(digits / divisor);
    return true;
}

/* Every setting: its key, its default, its meaning as /set prints it, its limits and its place. */
static const struct option {
    const char *key, *otherwise, *meaning;
    enum {
        TEXT,
        MODE,
        KV,
        CONTEXT,
        FIXED,
        WHOLE,
        WHOLE_64,
        DECIMAL
    } kind;            /* from WHOLE on: a number that may
                                                                  be set later, too */
    uint32_t min, max; /* WHOLE_64 has no other limits than its type's */
    size_t offset;     /* in struct settings: char *, enum mode, uint32_t, uint64_t or float */
} options[] = {
#define AT(member) offsetof(struct settings, member)
    {"mode", "auto", NULL, MODE, 0, 0, AT(mode)},
    {"model", "/model/model.bin", NULL, TEXT, 0, 0, AT(model)},
    {"tokenizer", NULL, NULL, TEXT, 0, 0, AT(tokenizer)},
    {"prompt", "", NULL, TEXT, 0, 0, AT(prompt)},
    {"prompt_ids", NULL, NULL, TEXT, 0, 0, AT(prompt_ids)},
    {"text", NULL, NULL, TEXT, 0, 0, AT(text)},
    {"kv", "auto", NULL, KV, 0, 0, AT(kv)},
    {"chat", "0", NULL, FIXED, 0, 1, AT(chat)},
    {"template", "auto", NULL, TEXT, 0, 0, AT(chat_template)},
    {"system", "", NULL, TEXT, 0, 0, AT(system)},
    {"context", "slide", NULL, CONTEXT, 0, 0, AT(context)},
    {"vector", "auto", NULL, TEXT, 0, 0, AT(vector)},
    {"ids", NULL, NULL, TEXT, 0, 0, AT(ids)},
    {"logits", NULL, NULL, TEXT, 0, 0, AT(logits)},
    {"positions", "4096", NULL, FIXED, 1, UINT32_MAX, AT(positions)},
    {"steps", "256", "most tokens of a text; 0: as many as the context has", WHOLE, 0, UINT32_MAX,
     AT(steps)},
    {"temperature", "0.7", "0: always the likeliest token", DECIMAL, 0, 100,
     AT(sampling.temperature)},
    {"top_k", "0", "only so many of the likeliest; 0: all", WHOLE, 0, UINT32_MAX,
     AT(sampling.top_k)},
    {"top_p", "0.9", "only the likeliest of this share together; 0 or 1: all", DECIMAL, 0, 1,
     AT(sampling.top_p)},
    {"min_p", "0", "only those this part as likely as the likeliest; 0: all", DECIMAL, 0, 1,
     AT(sampling.min_p)},
    {"repeat_penalty", "1", "on tokens that the text has had lately; 1: none", DECIMAL, 1, 10,
     AT(sampling.repeat_penalty)},
    {"repeat_last_n", "64", "how many tokens of the text that looks at", WHOLE, 0, UINT32_MAX,
     AT(sampling.repeat_last_n)},
    {"seed", "0", "of the random numbers; 0: from the clock", WHOLE_64, 0, 0, AT(seed)},
#undef AT
};
#define OPTIONS (sizeof options / sizeof *options)

/* The keys that some settings had at first; they go on to count. */
static const char *const older_keys[][2] = {
    {"topk", "top_k"}, {"topp", "top_p"}, {"minp", "min_p"}, {"repeat", "repeat_penalty"}};
#define OLDER_KEYS (sizeof older_keys / sizeof *older_keys)

static const char *newer_key(const char *key) {
    for (size_t i = 0; i < OLDER_KEYS; i++)
        if (strcmp(older_keys[i][0], key) == 0)
            return older_keys[i][1];
    return key;
}

/* The value in the configuration, or NULL. */
static const char *configured(const char *key) {
    const char *value = config_get(key);
    for (size_t i = 0; !value && i < OLDER_KEYS; i++)
        if (strcmp(older_keys[i][1], key) == 0)
            value = config_get(older_keys[i][0]);
    return value;
}

static bool is_number(const struct option *option) {
    return option->kind >= WHOLE;
}

/* Finds value among the names of an enum's values. */
static bool find_name(const char *const *names, size_t count, const char *value, size_t *found) {
    for (*found = 0; *found < count; ++*found)
        if (strcmp(value, names[*found]) == 0)
            return true;
    return false;
}

static bool set_mode(enum mode *mode, const char *value, struct error *error) {
    static const char *const names[] = {
        [MODE_AUTO] = "auto",   [MODE_INTERACTIVE] = "interactive",
        [MODE_CHAT] = "chat",   [MODE_GENERATE] = "generate",
        [MODE_BENCH] = "bench", [MODE_PERPLEXITY] = "perplexity",
    };
    size_t found;
    if (!find_name(names, sizeof names / sizeof *names, value, &found))
        return error_set(
            error, "mode = %s: there are auto, interactive, chat, generate, bench and perplexity",
            value);
    *mode = (enum mode)found;
    return true;
}

static bool set_context(enum full_context *context, const char *value, struct error *error) {
    static const char *const names[] = {[CONTEXT_SLIDE] = "slide", [CONTEXT_STOP] = "stop"};
    size_t found;
    if (!find_name(names, sizeof names / sizeof *names, value, &found))
        return error_set(error, "context = %s: there are slide and stop", value);
    *context = (enum full_context)found;
    return true;
}

static bool set_kv(enum kv_type *kv, const char *value, struct error *error) {
    size_t found;
    bool known = find_name(kv_type_names, KV_TYPES, value, &found);
    *kv = (enum kv_type)found;
    return known || strcmp(value, "auto") == 0 ||
           error_set(error, "kv = %s: there are auto, f32, f16 and q8", value);
}

static bool set_decimal(float *at, const struct option *option, const char *value,
                        struct error *error) {
    float number;
    if (!parse_decimal(value, &number) || number < (float)option->min ||
        number > (float)option->max)
        return error_set(error, "%s = %s: not a number like %s, from %u to %u", option->key, value,
                         option->min > 0 ? "1.1" : "0.9", (unsigned)option->min,
                         (unsigned)option->max);
    *at = number;
    return true;
}

static bool set_whole(void *at, const struct option *option, const char *value,
                      struct error *error) {
    uint64_t max = option->kind == WHOLE_64 ? UINT64_MAX : option->max;
    char *end;
    errno = 0;
    uint64_t number = strtoull(value, &end, 10);
    bool digits_only = *value >= '0' && *value <= '9' && *end == '\0';
    if (!digits_only || errno != 0 || number < option->min || number > max)
        return error_set(error, "%s = %s: not a whole number from %u to %llu", option->key, value,
                         (unsigned)option->min, (unsigned long long)max);
    if (option->kind == WHOLE_64)
        *(uint64_t *)at = number;
    else
        *(uint32_t *)at = (uint32_t)number;
    return true;
}

static bool set(struct settings *settings, const struct option *option, const char *value,
                struct error *error) {
    void *at = (char *)settings + option->offset;
    switch (option->kind) {
    case TEXT:
        *(const char **)at = value;
        return true;
    case MODE:
        return set_mode(at, value, error);
    case KV:
        return set_kv(at, value, error);
    case CONTEXT:
        return set_context(at, value, error);
    case FIXED:
    case WHOLE:
    case WHOLE_64:
        return set_whole(at, option, value, error);
    case DECIMAL:
        break;
    }
    return set_decimal(at, option, value, error);
}

bool settings_set(struct settings *settings, const char *key, const char *value,
                  struct error *error) {
    for (size_t i = 0; i < OPTIONS; i++)
        if (is_number(&options[i]) && strcmp(options[i].key, newer_key(key)) == 0)
            return set(settings, &options[i], value, error);
    error_set(error, "there is no setting \"%.40s\"; there are", key);
    for (size_t i = 0; i < OPTIONS; i++)
        if (is_number(&options[i])) {
            strcat(error->text, " ");
            strcat(error->text, options[i].key);
        }
    return false;
}

/* The text of a number: a decimal one to four places, a small one to seven. */
static void format_number(char text[32], const struct settings *settings,
                          const struct option *option) {
    const void *at = (const char *)settings + option->offset;
    if (option->kind != DECIMAL) {
        uint64_t number = option->kind == WHOLE ? *(const uint32_t *)at : *(const uint64_t *)at;
        snprintf(text, 32, "%llu", (unsigned long long)number);
        return;
    }
    float decimal = *(const float *)at;
    bool small = decimal < 0.01f;
    unsigned one = small ? 10000000 : 10000;
    unsigned parts = (unsigned)(decimal * (float)one + 0.5f);
    size_t length = (size_t)snprintf(text, 32, "%u.%0*u", parts / one, small ? 7 : 4, parts % one);
    while (text[length - 1] == '0' && text[length - 2] != '.')
        text[--length] = '\0';
}

void settings_print(const struct settings *settings) {
    for (size_t i = 0; i < OPTIONS; i++) {
        char text[32];
        if (!is_number(&options[i]))
            continue;
        format_number(text, settings, &options[i]);
        console_printf("%-14s %-8s %s\n", options[i].key, text, options[i].meaning);
    }
}

bool settings_read(struct settings *settings, struct error *error) {
    const char *values[OPTIONS];
    for (size_t i = 0; i < OPTIONS; i++)
        values[i] = configured(options[i].key);
    config_report_unknown(""); /* the kernel and the JIT have asked for theirs before */
    for (size_t i = 0; i < OPTIONS; i++)
        if (!set(settings, &options[i], values[i] ? values[i] : options[i].otherwise, error))
            return false;
    return true;
}
