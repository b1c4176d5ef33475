// sources: kernel_lib/io/format.c
/* The kernel's printf, next to this machine's. */
#include "check.h"
#include "kernel_lib/io/format.h"
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#define CHECK_SAME(...)                                                                            \
    do {                                                                                           \
        char made[200], expected[200];                                                             \
        memset(made, 'x', sizeof made);                                                            \
        size_t length = format_into(made, sizeof made, __VA_ARGS__);                               \
        int should = snprintf(expected, sizeof expected, __VA_ARGS__);                             \
        if (strcmp(made, expected) != 0)                                                           \
            fprintf(stderr, "\"%s\" instead of \"%s\"\n", made, expected);                         \
        CHECK(length == (size_t)should && strcmp(made, expected) == 0);                            \
    } while (0)

static void test_numbers(void) {
    CHECK_SAME("%d %i %d %d", 0, -1, INT_MIN, INT_MAX);
    CHECK_SAME("%ld %lld %ld", LONG_MIN, LLONG_MAX, 5l);
    CHECK_SAME("%u %lu %llu %zu", UINT_MAX, ULONG_MAX, ULLONG_MAX, SIZE_MAX);
    CHECK_SAME("%x %lX %zx %p", 0xBEEFu, 0xBEEF0000000ul, (size_t)17, (void *)"");
    CHECK_SAME("%#x %#X %#lx [%#10x] [%#010x] [%-#10x]", 0xBEEFu, 0xBEEFu, 0ul, 17u, 17u, 17u);
    CHECK_SAME("[%5d] [%-5d] [%05d] [%1d] [%*u]", -42, -42, -42, -42, 7, 42u);
    CHECK_SAME("%016" PRIxPTR " %0*" PRIXPTR " %02llu", (uintptr_t)77, 12, (uintptr_t)0xABC, 5ull);
}

static void test_strings(void) {
    CHECK_SAME("");
    CHECK_SAME("100%% of %s, %c", "them", 'x');
    CHECK_SAME("[%8s] [%-8s] [%.3s] [%-6.2s] [%.*s] [%2s]", "abc", "abc", "abcdef", "xyz", 4,
               "12345", "long");
}

static void test_room(void) {
    char text[8] = "1234567";
    CHECK(format_into(text, 5, "%s %d", "abc", 1234) == 8 && strcmp(text, "abc ") == 0);
    CHECK(text[5] == '6' && text[6] == '7');
    CHECK(format_into(text, 0, "%d", 12) == 2 && text[0] == 'a');
    CHECK(format_into(text, 1, "%d", 12) == 2 && text[0] == '\0');
    CHECK(format_into(NULL, 0, "%s", "ab") == 2);
}

int main(void) {
    test_numbers();
    test_strings();
    test_room();
    return 0;
}
