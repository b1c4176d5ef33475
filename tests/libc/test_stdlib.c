/* stdlib.h's conversions, sorting and searching, on random input. */
#include "own.h"
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#define CONVERSIONS 50000
#define SORTS 3000
#define MAX_ELEMENTS 300
#define MAX_SIZE 40

int own_abs(int n);
long own_labs(long n);
div_t own_div(int a, int b);
ldiv_t own_ldiv(long a, long b);
int own_atoi(const char *s);
long own_atol(const char *s);
double own_atof(const char *s);
long own_strtol(const char *s, char **end, int base);
long long own_strtoll(const char *s, char **end, int base);
unsigned long own_strtoul(const char *s, char **end, int base);
unsigned long long own_strtoull(const char *s, char **end, int base);
float own_strtof(const char *s, char **end);
double own_strtod(const char *s, char **end);
void own_qsort(void *array, size_t count, size_t size, int (*compare)(const void *, const void *));
void *own_bsearch(const void *key, const void *array, size_t count, size_t size,
                  int (*compare)(const void *, const void *));

static char text[256];
static size_t length;

static void put(char c) {
    if (length < sizeof text - 1)
        text[length++] = c;
}

static void put_all(const char *s) {
    while (*s)
        put(*s++);
}

/* A character of the set, most often. */
static void put_one_of(const char *set) {
    put(random_below(40) ? set[random_below((unsigned)strlen(set))] : (char)random_bits());
}

static void put_many(const char *set, unsigned most) {
    for (unsigned count = random_below(most + 1); count > 0; count--)
        put_one_of(set);
}

/* A fenced copy of the text. */
static char *finish(void) {
    text[length] = '\0';
    length = 0;
    return memcpy(fenced(0, strlen(text) + 1), text, strlen(text) + 1);
}

static void begin_number(void) {
    if (random_below(4) == 0)
        put_many(" \t\n\v\f\r", 3);
    if (random_below(2))
        put_one_of("+-");
}

static char *make_integer(void) {
    static const char *const limits[] = {
        "2147483647",
        "2147483648",
        "4294967295",
        "4294967296",
        "0x7fffffff",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "0",
        "18446744073709551616",
        "0xffffffffffffffff",
        "0x8000000000000000",
        "0x",
        "01777777777777777777777",
        "0X1g",
        "00",
    };
    begin_number();
    if (random_below(5) == 0)
        put_all(limits[random_below(sizeof limits / sizeof *limits)]);
    else if (random_below(4) == 0)
        put_all(random_below(2) ? "0x" : "0X");
    put_many(random_below(2) ? "0123456789" : "0123456789abcdefgxyzABCDEFGXYZ", 22);
    return finish();
}

static const char hexadecimal[] = "0123456789abcdefABCDEF";

static char *make_float(void) {
    static const char *const words[] = {"inf",          "INFINITY", "nan",      "NaN",   "nan(",
                                        "nan(0x12_aB)", "infin",    "nan(12.)", "in",    "0x",
                                        "0x.",          ".",        "e5",       "0x.p1", "1e",
                                        "1e+",          "0x1p",     "0x1p-",    "nan()"};
    begin_number();
    switch (random_below(8)) {
    case 0:
        put_all(words[random_below(sizeof words / sizeof *words)]);
        put_many(hexadecimal, 2);
        break;
    case 1: /* any bits as printed, with enough digits or too few, or halfway between two */
    case 2: {
        uint64_t bits = random_bits();
        double value;
        memcpy(&value, &bits, sizeof value);
        char printed[1100];
        snprintf(printed, sizeof printed, random_below(4) ? "%.*e" : "%.*a", (int)random_below(22),
                 random_below(2) ? value : (double)(float)value);
        put_all(printed);
        break;
    }
    case 3: { /* a float, and a double, and half of the last place: what rounding is decided by */
        uint32_t bits = (uint32_t)random_bits();
        float value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            value = 1;
        char printed[1100];
        double middle = (double)value / 2 + (double)nextafterf(value, INFINITY) / 2;
        snprintf(printed, sizeof printed, "%.150e", middle);
        put_all(printed);
        break;
    }
    case 4:
        put_all(random_below(2) ? "0x" : "0X");
        put_many(hexadecimal, 20);
        if (random_below(2)) {
            put('.');
            put_many(hexadecimal, 20);
        }
        if (random_below(3)) {
            put_one_of("pP");
            put_many("+-", 1);
            put_many("0123456789", random_below(3) ? 4 : 12);
        }
        break;
    default:
        put_many("0123456789", random_below(8) ? 20 : 200);
        if (random_below(3)) {
            put('.');
            put_many(random_below(4) ? "0123456789" : "0", random_below(8) ? 20 : 200);
            put_many("0123456789", 3);
        }
        if (random_below(3)) {
            put_one_of("eE");
            put_many("+-", 1);
            put_many("0123456789", random_below(3) ? 3 : 12);
        }
    }
    put_many("0 .ex", 1);
    return finish();
}

/* The host's errno after the call, 0 if it set none. */
#define THEIRS(value, call) (errno = 0, own_errno = 0, value = (call), errno)

#define COMPARE(type, function, s, ...)                                                            \
    do {                                                                                           \
        type theirs;                                                                               \
        char *end, *own_end;                                                                       \
        int error = THEIRS(theirs, function(s, &end __VA_OPT__(, ) __VA_ARGS__));                  \
        type own = own_##function(s, &own_end __VA_OPT__(, ) __VA_ARGS__);                         \
        if (own_errno != error && !is_tiny_##type(theirs))                                         \
            DIFFER(#function "(\"%s\"): errno %d, not %d", s, own_errno, error);                   \
        if (differ_as_##type(own, theirs) || own_end != end)                                       \
            DIFFER(#function "(\"%s\") differs; it ends at %zd, not %zd", s, own_end - s,          \
                   end - s);                                                                       \
    } while (0)

typedef unsigned long ulong;
typedef long long llong;
typedef unsigned long long ullong;

#define INTEGER(type)                                                                              \
    static bool differ_as_##type(type a, type b) {                                                 \
        return a != b;                                                                             \
    }                                                                                              \
    static bool is_tiny_##type(type a) {                                                           \
        (void)a;                                                                                   \
        return false;                                                                              \
    }

/* A NaN's bits are not defined, a zero's sign is. Whether errno says that a result is too small
 * for its precision is left to the implementation. */
#define FLOAT(type, smallest)                                                                      \
    static bool differ_as_##type(type a, type b) {                                                 \
        return isnan(a) ? !isnan(b) : a != b || signbit(a) != signbit(b);                          \
    }                                                                                              \
    static bool is_tiny_##type(type a) {                                                           \
        return a <= smallest && a >= -smallest;                                                    \
    }

INTEGER(long)
INTEGER(llong)
INTEGER(ulong)
INTEGER(ullong)
FLOAT(float, FLT_MIN)
FLOAT(double, DBL_MIN)

static void test_integers(void) {
    const char *s = make_integer();
    int base = random_below(3) ? (int)random_below(36) + 1 : 10;
    base = base == 1 ? 0 : base;
    COMPARE(long, strtol, s, base);
    COMPARE(llong, strtoll, s, base);
    COMPARE(ulong, strtoul, s, base);
    COMPARE(ullong, strtoull, s, base);
    errno = 0;
    long value = strtol(s, NULL, 10);
    if (errno == 0 && own_atol(s) != value)
        DIFFER("atol(\"%s\") differs", s);
    if (errno == 0 && value >= INT_MIN && value <= INT_MAX && own_atoi(s) != value)
        DIFFER("atoi(\"%s\") differs", s);
}

static void test_floats(void) {
    const char *s = make_float();
    COMPARE(float, strtof, s);
    COMPARE(double, strtod, s);
    if (differ_as_double(own_atof(s), atof(s)))
        DIFFER("atof(\"%s\") differs", s);
}

static void test_arithmetic(void) {
    int a = (int)random_bits() >> random_below(32), b = (int)random_bits() >> random_below(32);
    long c = (long)random_bits() >> random_below(64), d = (long)random_bits() >> random_below(64);
    if (a != INT_MIN && b != 0) {
        div_t own = own_div(a, b), theirs = div(a, b);
        if (own.quot != theirs.quot || own.rem != theirs.rem || own_abs(a) != abs(a))
            DIFFER("abs or div of %d and %d differs", a, b);
    }
    if (c != LONG_MIN && d != 0) {
        ldiv_t own = own_ldiv(c, d), theirs = ldiv(c, d);
        if (own.quot != theirs.quot || own.rem != theirs.rem || own_labs(c) != labs(c))
            DIFFER("labs or ldiv of %ld and %ld differs", c, d);
    }
}

static size_t element_size;

static int compare(const void *a, const void *b) {
    return memcmp(a, b, element_size);
}

static int compare_first_bytes(const void *a, const void *b) {
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

static void test_sorting(void) {
    static unsigned char theirs[MAX_ELEMENTS * MAX_SIZE];
    size_t count = random_below(random_below(3) ? 20 : MAX_ELEMENTS + 1);
    element_size = 1 + random_below(MAX_SIZE);
    size_t size = count * element_size;
    unsigned char *own = fenced(0, size);
    unsigned different = 1 + random_below(256);
    for (size_t i = 0; i < size; i++)
        own[i] = (unsigned char)random_below(different);
    memcpy(theirs, own, size);
    /* Equal elements are equal in all their bytes: their order shows nothing. */
    own_qsort(own, count, element_size, compare);
    qsort(theirs, count, element_size, compare);
    if (memcmp(own, theirs, size) != 0)
        DIFFER("qsort of %zu elements of %zu bytes differs", count, element_size);
    for (int i = 0; i < 10; i++) {
        unsigned char key[MAX_SIZE];
        for (size_t byte = 0; byte < element_size; byte++)
            key[byte] = (unsigned char)random_below(different);
        if (count > 0 && random_below(2))
            memcpy(key, own + random_below((unsigned)count) * element_size, element_size);
        const unsigned char *a = own_bsearch(key, own, count, element_size, compare);
        const unsigned char *b = bsearch(key, own, count, element_size, compare);
        /* Of equal elements any may be found. */
        if (!a != !b || (a && memcmp(a, b, element_size) != 0) ||
            (a && (size_t)(a - own) % element_size != 0))
            DIFFER("bsearch in %zu elements of %zu bytes differs", count, element_size);
    }
    /* By a part of the element: nothing gets lost. */
    own_qsort(own, count, element_size, compare_first_bytes);
    for (size_t i = 1; i < count; i++)
        if (own[(i - 1) * element_size] > own[i * element_size])
            DIFFER("qsort by the first byte leaves disorder");
    qsort(own, count, element_size, compare);
    if (memcmp(own, theirs, size) != 0)
        DIFFER("qsort by the first byte loses elements");
}

int main(void) {
    for (int i = 0; i < CONVERSIONS; i++) {
        test_integers();
        test_floats();
        test_arithmetic();
    }
    for (int i = 0; i < SORTS; i++)
        test_sorting();
    puts("stdlib: passed");
}
