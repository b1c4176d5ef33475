// sources: kernel_lib/config/config.c kernel_lib/config/parse.c
// sources: kernel_lib/config/unknown_keys.c tests/host/console.c
/* The configuration's syntax, and which keys are known. */
#include "check.h"
#include "console.h"
#include "kernel_lib/config/config.h"
#include "kernel_lib/runtime.h"

/* What was reported last, and how often. */
struct reports {
    unsigned count, line;
    char message[200];
};

static void report(void *context, unsigned line, const char *message) {
    struct reports *reports = context;
    reports->count++;
    reports->line = line;
    snprintf(reports->message, sizeof reports->message, "%s", message);
}

static struct reports parse(const char *text) {
    struct reports reports = {0};
    /* In memory of just its size, so that reading beyond the end shows. */
    size_t size = strlen(text);
    char *copy = malloc(size + !size);
    CHECK(copy);
    memcpy(copy, text, size);
    config_parse(copy, size, report, &reports);
    free(copy);
    return reports;
}

static bool is(const char *key, const char *value) {
    const char *found = config_get(key);
    return found && strcmp(found, value) == 0;
}

/* Of the settings: how many are set. */
static void count(void *context, const struct setting *setting) {
    *(size_t *)context += setting->value != NULL;
}

static size_t set_keys(void) {
    size_t keys = 0;
    config_visit(count, &keys);
    return keys;
}

static void test_values(void) {
    config_clear();
    CHECK(
        parse(
            "# a comment\n"
            "\n"
            "mode = generate\n"
            "  steps=256   # how many\r\n"
            "\tprompt\t=\t\"Once upon\\ta \\\"time\\\" # no\\\\comment\\n\\x41\\xc3\\xA9\"  # yes\n"
            "empty =\n"
            "empty2 = \"\"#x\n"
            "path.of-1 = /model/my file.bin \t\n"
            "temperature = 0.5")
            .count == 0);
    CHECK(is("mode", "generate"));
    CHECK(is("steps", "256"));
    CHECK(is("prompt", "Once upon\ta \"time\" # no\\comment\nA\xC3\xA9"));
    CHECK(is("empty", "") && is("empty2", ""));
    CHECK(is("path.of-1", "/model/my file.bin"));
    CHECK(is("temperature", "0.5"));
    CHECK(config_get("mod") == NULL && config_get("modes") == NULL && config_get("") == NULL);
    CHECK(set_keys() == 7);
    config_clear();
    CHECK(config_get("mode") == NULL && set_keys() == 0);
}

static void test_byte_order_mark(void) {
    config_clear();
    CHECK(parse("\xEF\xBB\xBFseed = 1\n").count == 0);
    CHECK(is("seed", "1"));
    CHECK(parse("\xEF\xBB\xBF").count == 0);
    struct reports reports = parse("\xEF\xBB");
    CHECK(reports.count == 1 && reports.line == 1);
    config_clear();
}

struct ascending {
    const char *last;
    size_t keys;
};

static void check_ascending(void *context, const struct setting *setting) {
    struct ascending *seen = context;
    CHECK(!seen->last || strcmp(seen->last, setting->key) < 0);
    seen->last = setting->key;
    seen->keys++;
}

/* In any order, and after others; they are visited in ascending order. */
static void test_many_keys(void) {
    enum { KEYS = 1000 };
    static const unsigned steps[] = {1, KEYS - 1, 7, 501};
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        char text[KEYS * 20], *at = text, key[20], value[20];
        config_clear();
        for (unsigned i = 0, k = 0; i < KEYS; i++, k = (k + steps[s]) % KEYS)
            at += sprintf(at, "k%u = %u\n", k, i);
        CHECK(parse(text).count == 0);
        for (unsigned i = 0, k = 0; i < KEYS; i++, k = (k + steps[s]) % KEYS) {
            snprintf(key, sizeof key, "k%u", k);
            snprintf(value, sizeof value, "%u", i);
            CHECK(is(key, value));
        }
        struct ascending seen = {NULL, 0};
        config_visit(check_ascending, &seen);
        CHECK(seen.keys == KEYS && set_keys() == KEYS);
        CHECK(parse(text).count == 0 && set_keys() == KEYS); /* a weaker source */
    }
    config_clear();
}

static void test_many_wrong_lines(void) {
    char text[200] = "";
    for (int i = 0; i < 30; i++)
        strcat(text, "wrong\n");
    strcat(text, "good = 1\n");
    config_clear();
    struct reports reports = parse(text);
    CHECK(reports.count == 20 && reports.line == 20 && is("good", "1"));
    CHECK(strstr(reports.message, "below it is ignored"));
    config_clear();
}

static void test_stronger_source_first(void) {
    config_clear();
    CHECK(parse("seed = 1\n").count == 0);
    CHECK(parse("seed = 2\nsteps = 3\n").count == 0);
    CHECK(is("seed", "1") && is("steps", "3"));
    config_clear();
}

/* A key is known once somebody has asked for it, before it was set or after. */
static void test_unknown_keys(void) {
    config_clear();
    console[0] = '\0';
    CHECK(!config_get("disk") && !config_get("jit.idle"));
    CHECK(parse("disk = pio\njit.idles = on\nsteps = 3\nstep = 4\n").count == 0);
    CHECK(is("disk", "pio") && is("steps", "3"));
    CHECK(config_report_unknown("jit.") == 1);
    CHECK(strcmp(console, "warning: unknown setting \"jit.idles\"; there are jit.idle\n") == 0);
    console[0] = '\0';
    CHECK(config_report_unknown("") == 2);
    CHECK(strcmp(console,
                 "warning: unknown setting \"jit.idles\"; there are disk jit.idle steps\n"
                 "warning: unknown setting \"step\"; there are disk jit.idle steps\n") == 0);
    console[0] = '\0';
    CHECK(is("jit.idles", "on") && is("step", "4"));
    CHECK(config_report_unknown("") == 0 && console[0] == '\0');
    config_clear();
}

static void test_lines_that_are_wrong(void) {
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"steps", "\"=\" must follow the key"},
        {"steps 5", "\"=\" must follow the key"},
        {"= 5", "must begin with a key"},
        {"1st = 5", "must begin with a key"},
        {"\xEF\xBB\xBFsteps = 5", "must begin with a key"},
        {"st\xC3\xA4rke = 5", "\"=\" must follow the key"},
        {"good = 2", "set before"},
        {"a = \"b", "no closing quote"},
        {"a = \"b\\", "no closing quote"},
        {"a = \"b\\\"", "no closing quote"},
        {"a = \"\\q\"", "the only escapes"},
        {"a = \"\\x4\"", "two hexadecimal digits"},
        {"a = \"\\x4", "two hexadecimal digits"},
        {"a = \"\\xg0\"", "two hexadecimal digits"},
        {"a = \"\\x00\"", "\\x00 cannot be"},
        {"a = \"b\" c", "only a # comment may follow"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        config_clear();
        snprintf(text, sizeof text, "good = 1\n\n%s\nlast = 2", cases[i].line);
        struct reports reports = parse(text);
        CHECK(reports.count == 1 && reports.line == 3);
        CHECK(strstr(reports.message, cases[i].message));
        CHECK(config_get("a") == NULL);
        CHECK(is("good", "1") && is("last", "2")); /* the other lines count */
    }
    struct reports reports = {0};
    config_parse("x = a\0b\n", 8, report, &reports);
    CHECK(reports.count == 1 && strstr(reports.message, "zero byte"));
    config_clear();
}

int main(void) {
    test_values();
    test_byte_order_mark();
    test_many_keys();
    test_many_wrong_lines();
    test_stronger_source_first();
    test_unknown_keys();
    test_lines_that_are_wrong();
    puts("config: passed");
}
