// sources: kernel_lib/io/utf8.c kernel_lib/io/json_format.c kernel_lib/error.c
// sources: kernel_lib/io/format.c
/* Text from outside: what reaches a terminal, and what becomes of it in JSON. */
#include "chance.h"
#include "check.h"
#include "kernel_lib/error.h"
#include "kernel_lib/io/utf8.h"
#include <stdlib.h>
#include <string.h>

static char out[4096];

static void sink(void *context, const char *bytes, size_t size) {
    (void)context;
    strncat(out, bytes, size);
}

/* Passed on in two parts that are divided at every place. */
static void check_clean(const char *text, const char *expected) {
    size_t length = strlen(text);
    for (size_t at = 0; at <= length; at++) {
        struct utf8 utf8 = {0};
        out[0] = '\0';
        utf8_clean(&utf8, text, at, sink, NULL);
        utf8_clean(&utf8, text + at, length - at, sink, NULL);
        utf8_clean_end(&utf8, sink, NULL);
        if (strcmp(out, expected) != 0)
            fprintf(stderr, "\"%s\" divided at %zu\n", expected, at);
        CHECK(strcmp(out, expected) == 0);
    }
}

#define BAD "\xEF\xBF\xBD"

static void test_clean(void) {
    check_clean("", "");
    check_clean("a\tline\nf\xC3\xBCr \xE2\x82\xAC \xF0\x9F\x98\x80",
                "a\tline\nf\xC3\xBCr \xE2\x82\xAC \xF0\x9F\x98\x80");
    check_clean("\x1B[31mred\x1B]0;title\x07\x1B\\", "[31mred]0;title\\");
    check_clean("a\rb\vc\fd\be\x7F!\x0E\x0F", "abcde!");
    /* CSI and OSC as C1 characters, in UTF-8 and as single bytes. */
    check_clean("\xC2\x9B"
                "31m\xC2\x9D"
                "0;\xC2\x9C\xC2\x80\xC2\x9F\xC2\xA0",
                "31m0;\xC2\xA0");
    check_clean("\x9B"
                "31m",
                BAD "31m");
    /* Too long, surrogates, too large, never used, cut off, not begun. */
    check_clean("\xC0\x9B", BAD BAD);
    check_clean("\xE0\x82\x9B", BAD BAD BAD);
    check_clean("\xF0\x80\x82\x9B", BAD BAD BAD BAD);
    check_clean("\xED\xA0\x80", BAD BAD BAD);
    check_clean("\xF4\x90\x80\x80", BAD BAD BAD BAD);
    check_clean("\xF5\xFF\xFE", BAD BAD BAD);
    check_clean("\xE2\x82"
                "a\xF0\x9F\x98\xC3\xBC",
                BAD "a" BAD "\xC3\xBC");
    check_clean("\xC3\x1B[m\xE2\x82", BAD "[m" BAD);
    check_clean("\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF",
                "\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF");
}

/* Every byte sequence: what comes out is well-formed, and nothing of it steers. */
static void test_any_bytes(void) {
    uint64_t state = 5;
    for (int round = 0; round < 20000; round++) {
        static const char likely[] = "\x1B[m\xC2\x9B\xE2\x82\xAC\xF0\x9F\x98\x80\xED\xA0\n";
        char text[12];
        struct utf8 utf8 = {0}, again = {0};
        for (size_t i = 0; i < sizeof text; i++) {
            chance_next_64(&state);
            text[i] =
                state >> 63 ? likely[(state >> 33) % (sizeof likely - 1)] : (char)(state >> 40);
            text[i] = text[i] ? text[i] : 'x';
        }
        out[0] = '\0';
        utf8_clean(&utf8, text, sizeof text, sink, NULL);
        utf8_clean_end(&utf8, sink, NULL);
        for (const char *at = out; *at; at++) {
            if (!utf8_take(&again, *at))
                continue;
            CHECK(again.character != UTF8_MALFORMED && !again.again);
            CHECK(!utf8_is_control(again.character) || *at == '\n' || *at == '\t');
        }
        CHECK(again.missing == 0);
    }
}

__attribute__((format(printf, 1, 2))) static const char *json(const char *format, ...) {
    va_list values;
    out[0] = '\0';
    va_start(values, format);
    json_format(sink, NULL, format, values);
    va_end(values);
    return out;
}

#define CHECK_JSON(expected, ...) CHECK(strcmp(json(__VA_ARGS__), expected) == 0)

static void test_json(void) {
    CHECK_JSON("{}", "{}");
    CHECK_JSON("{\"cpu\":\"A \\\"quoted\\\" \\\\ CPU\",\"n\":3}", "{\"cpu\":\"%s\",\"n\":%d}",
               "A \"quoted\" \\ CPU", 3);
    CHECK_JSON("a\\u001b\\u000a\\u007f\\u009b/\xC3\xBC", "a%s/%s", "\x1B\n\x7F\xC2\x9B",
               "\xC3\xBC");
    CHECK_JSON(BAD "x" BAD, "%s", "\x9Bx\xE2\x82");
    CHECK_JSON("abc \\\"", "%.3s %.1s", "abcdef", "\"\"");
    CHECK_JSON("-5 4294967295 ff", "%d %u %x", -5, UINT32_MAX, 255u);
    CHECK_JSON("-5 18446744073709551615 0x10", "%ld %lu 0x%lx", -5l, UINT64_MAX, 16l);
    CHECK_JSON("-5 7 12.05 9", "%lld %llu %llu.%02llu %zu", -5ll, 7ull, 12ull, 5ull, (size_t)9);
    CHECK_JSON("0000beef 100%", "%08x 100%%", 0xBEEFu);
    static char longer[2001];
    memset(longer, 'x', 2000);
    CHECK(strlen(json("<%s>", longer)) == 2002);
}

__attribute__((format(printf, 2, 3))) static size_t cut(char text[10], const char *format, ...) {
    va_list values;
    va_start(values, format);
    size_t length = error_format(text, 10, format, values);
    va_end(values);
    return length;
}

static void test_cut(void) {
    char text[10];
    struct error error;
    CHECK(cut(text, "%s", "123456789") == 9 && strcmp(text, "123456789") == 0);
    CHECK(cut(text, "%s", "1234567890") == 9 && strcmp(text, "123456...") == 0);
    CHECK(cut(text, "%s\n", "123456789") == 9 && strcmp(text, "12345...\n") == 0);
    error_set(&error, "%0300d", 1);
    CHECK(strlen(error.text) == sizeof error.text - 1 && strcmp(error.text + 196, "...") == 0);
}

int main(void) {
    test_clean();
    test_any_bytes();
    test_json();
    test_cut();
    puts("utf8: passed");
}
