/* snprintf and vsnprintf on random formats and values. */
#include "own.h"
#include <float.h>
#include <math.h>
#include <string.h>

#define ROUNDS 100000
#define ROOM 8192

int own_snprintf(char *buffer, size_t size, const char *format, ...);
int own_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);

static char format[200], own[ROOM], theirs[ROOM];

static void add(const char *s) {
    strcat(format, s);
}

static void add_number(int number) {
    snprintf(format + strlen(format), sizeof format - strlen(format), "%d", number);
}

/* Text, which may hold "%%". */
static void add_text(void) {
    static const char *const texts[] = {"", "", " ", "%%", "a", "=\xC3\xA4\xFF", "%%%%d"};
    add(texts[random_below(sizeof texts / sizeof *texts)]);
}

static const char *one_of(const char *const *choices, unsigned count) {
    return choices[random_below(count)];
}
#define ONE_OF(...)                                                                                \
    one_of((const char *const[]){__VA_ARGS__},                                                     \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Few or many digits: all magnitudes are alike. */
static uint64_t random_integer(void) {
    uint64_t value = random_bits() >> random_below(64);
    return random_below(8) == 0 ? 0 : random_below(2) ? value : 0 - value;
}

static void compare_results(int own_length, int length, size_t size, const char *what) {
    size_t shown = size == 0 ? 0 : (size_t)length < size ? (size_t)length + 1 : size;
    if (own_length != length || memcmp(own, theirs, shown) != 0)
        DIFFER("\"%s\" of %s in %zu bytes differs: %d \"%s\", not %d \"%s\"", format, what, size,
               own_length, size ? own : "", length, size ? theirs : "");
    for (size_t i = size; i < size + 16; i++)
        if (own[i] != 'x')
            DIFFER("\"%s\" writes behind its %zu bytes", format, size);
}

/* Calls both with the arguments. */
#define COMPARE(what, ...)                                                                         \
    do {                                                                                           \
        size_t size = random_below(3) ? ROOM - 16 : random_below(20);                              \
        memset(own + size, 'x', 16);                                                               \
        int own_length = own_snprintf(own, size, format, __VA_ARGS__);                             \
        compare_results(own_length, snprintf(theirs, size, format, __VA_ARGS__), size, what);      \
    } while (0)

static bool star_width, star_precision;
static int width, precision;

/* "%", flags, width and precision. The flags are those that are defined for the conversion. */
static void begin(const char *flags, bool with_precision, int widest, int most_precise) {
    format[0] = '\0';
    add_text();
    add("%");
    for (unsigned count = random_below(4); count > 0 && *flags; count--) {
        char flag[] = {flags[random_below((unsigned)strlen(flags))], '\0'};
        add(flag);
    }
    width = (int)random_below((unsigned)widest);
    precision = (int)random_below((unsigned)most_precise);
    star_width = star_precision = false;
    if (random_below(2)) {
        star_width = random_below(4) == 0;
        if (star_width) {
            width = random_below(2) ? -width : width;
            add("*");
        } else if (width > 0) {
            add_number(width);
        }
    }
    if (with_precision && random_below(2)) {
        add(".");
        star_precision = random_below(4) == 0;
        if (star_precision) {
            precision = random_below(4) ? precision : -precision;
            add("*");
        } else if (precision > 0 || random_below(2)) {
            add_number(precision);
        }
    }
}

static void end(const char *modifier, const char *conversion) {
    add(modifier);
    add(conversion);
    add_text();
}

#define COMPARE_ONE(what, value)                                                                   \
    do {                                                                                           \
        if (star_width && star_precision)                                                          \
            COMPARE(what, width, precision, value);                                                \
        else if (star_width)                                                                       \
            COMPARE(what, width, value);                                                           \
        else if (star_precision)                                                                   \
            COMPARE(what, precision, value);                                                       \
        else                                                                                       \
            COMPARE(what, value);                                                                  \
    } while (0)

static void test_integers(void) {
    const char *conversion = ONE_OF("d", "i", "u", "x", "X", "o", "b");
    bool is_signed = *conversion == 'd' || *conversion == 'i';
    bool has_form = strchr("xXob", *conversion) != NULL;
    begin(is_signed ? "-+ 0" : has_form ? "-#0" : "-0", true, 60, 50);
    const char *modifier = ONE_OF("hh", "h", "", "l", "ll", "j", "z", "t");
    end(modifier, conversion);
    uint64_t value = random_integer();
    char what[40];
    snprintf(what, sizeof what, "%#llx", (unsigned long long)value);
    if (*modifier == '\0' || *modifier == 'h')
        COMPARE_ONE(what, (int)value);
    else
        COMPARE_ONE(what, value);
}

static void test_texts(void) {
    if (random_below(3) == 0) {
        begin("-", false, 40, 1);
        end("", "c");
        int c = (int)random_bits();
        COMPARE_ONE("a character", c);
    } else if (random_below(3) == 0) {
        begin("-", false, 40, 1);
        end("", "p");
        void *p = (void *)(random_integer() | 1); /* a null pointer's form is open */
        COMPARE_ONE("a pointer", p);
    } else {
        begin("-", true, 60, 60);
        end("", "s");
        size_t length = random_below(80);
        char *s = fenced(0, length + 1);
        for (size_t i = 0; i < length; i++)
            s[i] = (char)(1 + random_below(255));
        s[length] = '\0';
        COMPARE_ONE("a string", s);
        if (star_precision || strchr(format, '.') == NULL)
            return;
        /* A string of which the precision shows all needs no end. */
        s = fenced(0, (size_t)precision);
        memset(s, 's', (size_t)precision);
        if (strchr(format, '.')[1] != 's')
            COMPARE_ONE("a string without an end", s);
    }
}

#ifndef LIBC_COPT_PRINTF_DISABLE_FLOAT
static double random_double(void) {
    static const double special[] = {0.0,     -0.0,         INFINITY,   -INFINITY, NAN,  DBL_MAX,
                                     DBL_MIN, 0x1p-1074,    0.5,        1.5,       2.5,  9.5,
                                     99.5,    0.25,         999999.5,   1e22,      1e23, 0.1,
                                     1e-5,    9.9999995e-5, 123456789.0};
    uint64_t bits = random_bits();
    double value;
    memcpy(&value, &bits, sizeof value);
    switch (random_below(5)) {
    case 0:
        return special[random_below(sizeof special / sizeof *special)];
    case 1:
        return value;
    case 2: /* halfway between two decimal numbers */
        return (double)(int64_t)(bits >> 40) / (double)(1u << random_below(12));
    default:
        return ldexp((double)(int64_t)bits, (int)random_below(120) - 100);
    }
}

/* Whether "%#g" must not be compared: when rounding to the precision makes a power of ten, glibc
 * (of 2.36) prints "1.e+06" for 999999.5. C17 7.21.6.1 wants the zeros, "1.00000e+06". */
static bool glibc_loses_zeros(long double value, const char *conversion) {
    if ((*conversion != 'g' && *conversion != 'G') || !strchr(format, '#'))
        return false;
    char rounded[500];
    int digits = star_precision ? precision : strchr(format, '.') ? precision : 6;
    snprintf(rounded, sizeof rounded, "%.*Le", digits < 0 ? 5 : digits > 1 ? digits - 1 : 0, value);
    return fabsl(strtold(rounded, NULL)) > fabsl(value) &&
           strstr(rounded, "1") == rounded + (*rounded == '-');
}

static void test_floats(void) {
    const char *conversion = ONE_OF("f", "F", "e", "E", "g", "G", "a", "A");
    bool is_hexadecimal = *conversion == 'a' || *conversion == 'A';
    begin("-+ #0", true, 80, random_below(20) ? 25 : 400);
    bool is_long = random_below(6) == 0;
    end(is_long ? "L" : "", conversion);
    double value = random_double();
    char what[40];
    snprintf(what, sizeof what, "%a", value);
    long double quotient = (long double)value / (random_below(2) ? 1 : 3);
    if (glibc_loses_zeros(is_long ? quotient : value, conversion))
        return;
    if (!is_long)
        COMPARE_ONE(what, value);
    else if (!is_hexadecimal) /* the first digit of a long double is open */
        COMPARE_ONE(what, quotient);
}
#endif

/* Several conversions in one format. */
static void test_many(void) {
    strcpy(format, "%s|%5d|%-8lx|%c|%.3s|%%|%zu|%hhu|%*d");
    size_t size = random_below(60);
    int a = (int)random_integer();
    unsigned long b = random_integer();
    memset(own + size, 'x', 16);
    int own_length = own_snprintf(own, size, format, "text", a, b, 'c', "string", b, a, 10, a);
    int length = snprintf(theirs, size, format, "text", a, b, 'c', "string", b, a, 10, a);
    compare_results(own_length, length, size, "many values");
}

#ifndef LIBC_COPT_PRINTF_DISABLE_INDEX_MODE
/* POSIX: arguments by their number. */
static void test_numbered(void) {
    int a = (int)random_integer(), any = (int)random_below(40) - 20;
    uint64_t b = random_integer();
    strcpy(format, "%2$llx %1$*3$d %1$hhd %4$.*3$s %2$lld %1$hd");
    COMPARE("numbered values", a, b, any, "a text of more than twenty letters");
}
#endif

static int through_vsnprintf(char *buffer, size_t size, const char *form, ...) {
    va_list arguments;
    va_start(arguments, form);
    int length = own_vsnprintf(buffer, size, form, arguments);
    va_end(arguments);
    return length;
}

int main(void) {
    for (int i = 0; i < ROUNDS; i++) {
        test_integers();
        test_texts();
#ifndef LIBC_COPT_PRINTF_DISABLE_FLOAT
        test_floats();
#endif
        test_many();
#ifndef LIBC_COPT_PRINTF_DISABLE_INDEX_MODE
        test_numbered();
#endif
    }
    if (through_vsnprintf(own, 6, "%d-%s", 42, "long") != 7 || strcmp(own, "42-lo") != 0)
        DIFFER("vsnprintf differs");
    if (own_snprintf(NULL, 0, "%d", 12345) != 5)
        DIFFER("snprintf without a buffer differs");
    puts("printf: passed");
}
