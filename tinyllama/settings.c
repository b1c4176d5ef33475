/* The application's settings, checked. */
#include "settings.h"
#include <errno.h>

/* All keys of a configuration; "disk" and "coverage" are kernel_lib's, and so is what begins with
 * "jit.", which the JIT checks itself. */
static const char *const known_keys[] = {
    "mode", "model",  "tokenizer", "prompt", "steps", "temperature", "topk", "topp",
    "minp", "repeat", "seed",      "vector", "ids",   "logits",      "disk", "coverage",
};
#define KNOWN_KEYS (sizeof known_keys / sizeof *known_keys)

static bool is_known(const char *key) {
    if (strncmp(key, "jit.", 4) == 0)
        return true;
    for (size_t i = 0; i < KNOWN_KEYS; i++)
        if (strcmp(key, known_keys[i]) == 0)
            return true;
    return false;
}

static void report_unknown_keys(void) {
    enum { MOST_REPORTS = 10 };
    const char *key;
    unsigned unknown = 0;
    for (size_t i = 0; (key = config_key(i)); i++) {
        if (is_known(key) || ++unknown > MOST_REPORTS)
            continue;
        console_printf("warning: unknown setting \"%s\"; there are", key);
        for (size_t k = 0; k < KNOWN_KEYS; k++)
            console_printf(" %s", known_keys[k]);
        console_puts("\n");
    }
    if (unknown > MOST_REPORTS)
        console_printf("warning: and %u more unknown settings\n", unknown - MOST_REPORTS);
}

static const char *get_text(const char *key, const char *otherwise) {
    const char *value = config_get(key);
    return value ? value : otherwise;
}

/* Reads the exponent at text, of which there may be none; false when it is no whole number. */
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

/* Reads a number as people and programs write it: 0.9, .9, 0.30000000000000004, 1e-05. Of its
 * digits the first MAX_DIGITS count, which a double holds exactly. (strtof would be a good part of
 * the program.) */
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

/* The numbers: where they are kept, what they are without a setting, and what they may be. */
static const struct number {
    const char *key, *otherwise, *meaning;
    enum { WHOLE, WHOLE_64, DECIMAL } kind;
    uint32_t min, max; /* WHOLE_64 has no other limits than its type's */
    size_t offset;     /* in struct settings: uint32_t, uint64_t or float */
} numbers[] = {
    {"steps", "256", "most tokens of a text; 0: as many as the context has", WHOLE, 0, UINT32_MAX,
     offsetof(struct settings, steps)},
    {"temperature", "0.7", "0: always the likeliest token", DECIMAL, 0, 100,
     offsetof(struct settings, sampling.temperature)},
    {"topk", "0", "only so many of the likeliest; 0: all", WHOLE, 0, UINT32_MAX,
     offsetof(struct settings, sampling.topk)},
    {"topp", "0.9", "only the likeliest of this share together; 0 or 1: all", DECIMAL, 0, 1,
     offsetof(struct settings, sampling.topp)},
    {"minp", "0", "only those this part as likely as the likeliest; 0: all", DECIMAL, 0, 1,
     offsetof(struct settings, sampling.minp)},
    {"repeat", "1", "penalty on tokens that the text has already; 1: none", DECIMAL, 1, 10,
     offsetof(struct settings, sampling.repeat)},
    {"seed", "0", "of the random numbers; 0: from the clock", WHOLE_64, 0, 0,
     offsetof(struct settings, seed)},
};
#define NUMBERS (sizeof numbers / sizeof *numbers)

static bool set_decimal(float *at, const struct number *n, const char *value, struct error *error) {
    float number;
    if (!parse_decimal(value, &number) || number < (float)n->min || number > (float)n->max)
        return error_set(error, "%s = %s: not a number like %s, from %u to %u", n->key, value,
                         n->min > 0 ? "1.1" : "0.9", (unsigned)n->min, (unsigned)n->max);
    *at = number;
    return true;
}

static bool set_whole(void *at, const struct number *n, const char *value, struct error *error) {
    uint64_t max = n->kind == WHOLE_64 ? UINT64_MAX : n->max;
    char *end;
    errno = 0;
    uint64_t number = strtoull(value, &end, 10);
    bool digits_only = *value >= '0' && *value <= '9' && *end == '\0';
    if (!digits_only || errno != 0 || number > max)
        return error_set(error, "%s = %s: not a whole number from 0 to %llu", n->key, value,
                         (unsigned long long)max);
    if (n->kind == WHOLE_64)
        *(uint64_t *)at = number;
    else
        *(uint32_t *)at = (uint32_t)number;
    return true;
}

static bool set_number(struct settings *settings, const struct number *n, const char *value,
                       struct error *error) {
    void *at = (char *)settings + n->offset;
    return n->kind == DECIMAL ? set_decimal(at, n, value, error) : set_whole(at, n, value, error);
}

bool settings_set(struct settings *settings, const char *key, const char *value,
                  struct error *error) {
    for (size_t i = 0; i < NUMBERS; i++)
        if (strcmp(numbers[i].key, key) == 0)
            return set_number(settings, &numbers[i], value, error);
    error_set(error, "there is no setting \"%.40s\"; there are", key);
    for (size_t i = 0; i < NUMBERS; i++) {
        strcat(error->text, " ");
        strcat(error->text, numbers[i].key);
    }
    return false;
}

/* The text of a number: a decimal one to four places, a small one to seven. */
static void format_number(char text[32], const struct settings *settings, const struct number *n) {
    const void *at = (const char *)settings + n->offset;
    if (n->kind != DECIMAL) {
        uint64_t number = n->kind == WHOLE ? *(const uint32_t *)at : *(const uint64_t *)at;
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
    for (size_t i = 0; i < NUMBERS; i++) {
        char text[32];
        format_number(text, settings, &numbers[i]);
        console_printf("%-12s %-8s %s\n", numbers[i].key, text, numbers[i].meaning);
    }
}

static bool get_mode(enum mode *mode, struct error *error) {
    static const char *const names[] = {
        [MODE_INTERACTIVE] = "interactive", [MODE_GENERATE] = "generate", [MODE_BENCH] = "bench"};
    const char *value = get_text("mode", names[MODE_INTERACTIVE]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(value, names[i]) == 0) {
            *mode = (enum mode)i;
            return true;
        }
    return error_set(error, "mode = %s: there are interactive, generate and bench", value);
}

bool settings_read(struct settings *s, struct error *error) {
    report_unknown_keys();
    *s = (struct settings){
        .model = get_text("model", "/model/model.bin"),
        .tokenizer = get_text("tokenizer", "/model/tokenizer.bin"),
        .prompt = get_text("prompt", ""),
        .vector = get_text("vector", "auto"),
        .ids = config_get("ids"),
        .logits = config_get("logits"),
    };
    if (!get_mode(&s->mode, error))
        return false;
    for (size_t i = 0; i < NUMBERS; i++)
        if (!set_number(s, &numbers[i], get_text(numbers[i].key, numbers[i].otherwise), error))
            return false;
    return true;
}
