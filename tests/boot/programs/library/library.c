/*
 * What C17's library does, in lines that are the same with every C library: the tests compare them
 * with those of this program on the host. Files are made in the folder where it runs. With
 * arguments it is another program: bytecode.c.
 */
#include "bytecode.h"
#include "constants.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

static jmp_buf place;
static volatile sig_atomic_t caught;

__attribute__((noinline)) static void jump_from(int depth) {
    if (depth == 0)
        longjmp(place, 5);
    jump_from(depth - 1);
    puts("never");
}

static void jumps(void) {
    volatile int rounds = 0;
    int value = setjmp(place);
    printf("setjmp %d\n", value);
    if (++rounds <= 3)
        jump_from(rounds * 7);
    if (rounds == 4)
        longjmp(place, 0);
}

static void note(int number) {
    caught = number;
}

static void end_well(int number) {
    printf("aborted %d\n", number == SIGABRT);
    exit(3);
}

static void signals(void) {
    printf("signal %d", signal(SIGINT, note) == SIG_DFL);
    printf(" %d %d", raise(SIGINT), caught == SIGINT);
    signal(SIGTERM, SIG_IGN);
    printf(" %d\n", raise(SIGTERM));
}

static void times(void) {
    static const time_t moments[] = {0, 951782400, 1709251199, 4102444800};
    char text[120];
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %a %A %b %B %j %y %p %I",
                 gmtime(&moments[i]));
        printf("%s | %s", text, asctime(gmtime(&moments[i])));
    }
    struct tm parts = {.tm_year = 124, .tm_mon = 13, .tm_mday = -3, .tm_hour = 50, .tm_isdst = 0};
    printf("%lld", (long long)mktime(&parts));
    printf(" %d %d %d %d %d\n", parts.tm_year, parts.tm_mon, parts.tm_mday, parts.tm_wday,
           parts.tm_yday);
    clock_t begin = clock();
    time_t now = time(NULL);
    printf("%d %d %.1f\n", begin != (clock_t)-1, now > 1700000000, difftime(now, now - 10));
}

/* clang-format off */
#define DOUBLES(DO) \
    DO(acos) DO(asin) DO(atan) DO(cos) DO(sin) DO(tan) DO(acosh) DO(asinh) DO(atanh) DO(cosh) \
    DO(sinh) DO(tanh) DO(exp) DO(exp2) DO(expm1) DO(log) DO(log10) DO(log1p) DO(log2) DO(logb) \
    DO(cbrt) DO(fabs) DO(sqrt) DO(ceil) DO(floor) DO(nearbyint) DO(rint) DO(round) DO(trunc)
#define FLOATS(DO) \
    DO(acosf) DO(asinf) DO(atanf) DO(cosf) DO(sinf) DO(tanf) DO(acoshf) DO(asinhf) DO(atanhf) \
    DO(coshf) DO(sinhf) DO(tanhf) DO(expf) DO(exp2f) DO(expm1f) DO(logf) DO(log10f) DO(log1pf) \
    DO(log2f) DO(logbf) DO(cbrtf) DO(erff) DO(fabsf) DO(sqrtf) DO(ceilf) DO(floorf) \
    DO(nearbyintf) DO(rintf) DO(roundf) DO(truncf)
#define PAIRS(DO) \
    DO(atan2) DO(fmod) DO(hypot) DO(pow) DO(remainder) DO(copysign) DO(nextafter) DO(fdim) \
    DO(fmax) DO(fmin)
/* clang-format on */

/* The sign of a NaN is nobody's promise. */
static void print_number(const char *name, double value, int digits) {
    if (isnan(value))
        printf("%s nan\n", name);
    else
        printf("%s %.*g\n", name, digits, value);
}

static void numbers(void) {
    static volatile const double values[] = {0.3, -0.75, 1, 2.5, -17.25, 40, 1e-9, 720, 1e20};
    size_t count = sizeof values / sizeof *values;
    for (size_t i = 0; i < count; i++) {
        double x = values[i], y = values[(i + 1) % count];
#define PRINT(F) print_number(#F, F(x), 13);
#define PRINT_FLOAT(F) print_number(#F, (double)F((float)x), 5);
#define PRINT_PAIR(F) print_number(#F, F(x, y), 13);
        DOUBLES(PRINT)
        FLOATS(PRINT_FLOAT)
        PAIRS(PRINT_PAIR)
        int exponent, quotient;
        double whole, fraction = frexp(x, &exponent);
        printf("%.13g %d %.13g", fraction, exponent, ldexp(x, 3));
        fraction = modf(x, &whole);
        printf(" %.13g %.13g %.13g\n", fraction, whole, scalbn(x, -2));
        printf("%.13g %d", remquo(x, 0.7, &quotient), ilogb(x));
        printf(" %.13g %d %d %d\n", fma(x, y, 1), !!signbit(x), !!isfinite(x), !!isnormal(x));
        if (fabs(x) < 1e9)
            printf("%ld %ld %lld %lld\n", lrint(x), lround(x), llrint(x), llround(x));
        printf("%.15Lg %.15Lg %.15Lg\n", sqrtl(fabsl((long double)x)), floorl((long double)x),
               fmodl((long double)x, 0.7L));
    }
    fesetround(FE_UPWARD);
    volatile double third = values[2] / 3;
    printf("%d %a %g\n", fegetround() == FE_UPWARD, third, nearbyint(values[3]));
    fesetround(FE_TONEAREST);
    feclearexcept(FE_ALL_EXCEPT);
    third = values[2] / (values[2] - 1);
    printf("%g %d\n", third, fetestexcept(FE_DIVBYZERO) != 0);
#ifndef __linux__ /* there C's recommendation (C17 F.10.9) is not followed */
    volatile double negative = -0.0, zero = 0.0;
    if (signbit(fmax(negative, zero)) || signbit(fmax(zero, negative)) ||
        !signbit(fmin(negative, zero)) || !signbit(fmin(zero, negative)))
        puts("zeros of fmax and fmin");
#endif
}

/* Doubles of all magnitudes in all forms: a hash of their texts. */
static void random_doubles(void) {
    static const char *const forms[] = {"%f",    "%.0f", "%.17g",    "%g",    "%e",
                                        "%.30e", "%.3f", "%.16e",    "%#.0e", "%+012.4f",
                                        "%a",    "%.2g", "%-20.9g|", "%.400f"};
    unsigned long long state = 88172645463325252u, hash = 0;
    for (int i = 0; i < 2800; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        unsigned long long bits = i % 5 ? state : state & 0x800fffffffffffffu; /* or subnormal */
        double number;
        memcpy(&number, &bits, sizeof number);
        if (i % 3 == 0)
            number = (double)(state % 1000000) / 1000;
        char text[800];
        snprintf(text, sizeof text, forms[i % 14], number);
        for (const char *at = text; *at; at++)
            hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    }
    printf("%llx\n", hash);
}

static void wide(void) {
    wchar_t text[32];
    char back[32];
    printf("%zu", mbstowcs(text, "wide text", 32));
    wcscat(text, L"!");
    printf(" %zu %d %d", wcslen(text), wcscmp(text, L"wide text!"), wcschr(text, L't') == text + 5);
    printf(" %zu %s %ld\n", wcstombs(back, text, 32), back, wcstol(L"0x1F", NULL, 0));
}

static int by_value(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

static void general(void) {
    int values[] = {9, 3, 7, 1, 5}, key = 7;
    qsort(values, 5, sizeof *values, by_value);
    int *found = bsearch(&key, values, 5, sizeof *values, by_value);
    printf("%d %td %d\n", values[0], found - values, !getenv("NO_SUCH_VARIABLE"));
    signed char length = 0;
    int written = printf("%s%hhn %i\n", "counted", &length, 12);
    printf("%d %d\n", length, written);
    srand(1);
    int first = rand();
    srand(1);
    printf("%d %d\n", first == rand(), first >= 0 && first <= RAND_MAX);
    printf("%s, %s, %s\n", strerror(ENOENT), strerror(EINVAL), strerror(ERANGE));
    printf("%s %s %d\n", setlocale(LC_ALL, NULL), localeconv()->decimal_point,
           setlocale(LC_ALL, "xx_XX") == NULL);
    printf("%ld %lld %.17g %d\n", strtol("-42z", NULL, 10), strtoll("7fffffffffffffff", NULL, 16),
           strtod("0x1.8p3", NULL), errno = 0);
    printf("%ld %d\n", strtol("99999999999999999999", NULL, 10), errno == ERANGE);
    printf("%" PRIdMAX " %" PRIu64 "\n", strtoimax("-12", NULL, 10), UINT64_MAX);
    div_t parts = div(-7, 2);
    printf("%d %d %d %d\n", parts.quot, parts.rem, !!isblank('\t'), toupper('x'));
    char words[] = "one, two;three";
    for (char *word = strtok(words, ", ;"); word; word = strtok(NULL, ", ;"))
        printf("<%s>", word);
    printf(" %d\n", strcoll("a", "b") < 0);
    int number;
    char word[8];
    double real;
    printf("%d", sscanf("12 abc 3.5e2", "%d %7s %lf", &number, word, &real));
    printf(" %d %s %g|%+.3e|%-8s|%08.3f|%#x|%5.1f%%|%c\n", number, word, real, 12345.678, "left",
           -3.14159, 255, 99.5, 'c');
    printf("%.0f %.1f %g %g %a\n", 0.5, 0.25, 1e100, 1e-5, 1.0);
    printf("%.30f\n%.20e\n", 0.1, DBL_MIN);
}

static void files(void) {
    char line[32] = "";
    fpos_t position;
    FILE *file = tmpfile();
    fprintf(file, "temporary %d\n", 1);
    fgetpos(file, &position);
    fprintf(file, "second\n");
    rewind(file);
    printf("%s", fgets(line, sizeof line, file));
    fsetpos(file, &position);
    printf("%s", fgets(line, sizeof line, file));
    printf("%d %d", fgetc(file), feof(file) != 0);
    clearerr(file);
    printf(" %d\n", feof(file));
    printf(" %d", fputc('a', file));
    printf(" %d", putc(200, file));
    printf(" %d\n", putchar('b'));
    fclose(file);

    file = fopen("ONE.TXT", "w");
    fputs("the first file\n", file);
    fclose(file);
    printf("%d", rename("ONE.TXT", "TWO.TXT"));
    printf(" %d", fopen("ONE.TXT", "r") == NULL && errno == ENOENT);
    file = fopen("TWO.TXT", "r");
    printf(" %s", fgets(line, sizeof line, file));
    file = freopen("OPEN.TXT", "w", file);
    fputs("left open\n", file);
    printf("%d %d", fflush(NULL), remove("TWO.TXT"));
    printf(" %d\n", remove("TWO.TXT") != 0 && errno == ENOENT);
}

/* Two streams of one file: each reads what the other one has flushed. */
static void shared_file(void) {
    char line[80];
    FILE *writer = fopen("SHARED.TXT", "w");
    fputs("one\n", writer);
    fflush(writer);
    FILE *reader = fopen("SHARED.TXT", "r");
    printf("%s", fgets(line, sizeof line, reader));
    printf("%d %d", fgetc(reader), feof(reader) != 0);
    fputs("two\n", writer);
    fflush(writer);
    clearerr(reader);
    printf(" %s", fgets(line, sizeof line, reader));
    FILE *adder = fopen("SHARED.TXT", "a");
    fputs("three\n", adder);
    fclose(adder);
    FILE *changer = fopen("SHARED.TXT", "r+");
    fputs("ONE", changer);
    fflush(changer);
    rewind(reader);
    while (fgets(line, sizeof line, reader))
        printf("%s", line);
    fclose(changer);
    writer = freopen("SHARED.TXT", "w", writer); /* it is empty from now on */
    rewind(reader);
    printf("%d", fgetc(reader));
    fputs("four\n", writer);
    fclose(writer);
    clearerr(reader);
    printf(" %s", fgets(line, sizeof line, reader));
    fclose(reader);
}

/* Standard streams that go on with files. */
static void redirections(void) {
    char line[80];
    FILE *file = fopen("INPUT.TXT", "w");
    fputs("first\nsecond\n", file);
    fclose(file);
    printf("%d", freopen("INPUT.TXT", "r", stdin) == stdin);
    printf(" %s", fgets(line, sizeof line, stdin));
    printf("%d", getchar());
    printf(" %d", freopen("NONE.TXT", "r", stdin) == NULL);
    printf(" %d\n", freopen("OUTPUT.TXT", "w", stdout) == stdout);
    printf("to a file\n");
}

int main(int argc, char **argv) {
    if (argc > 1)
        return run_bytecode(argc, argv);
    jumps();
    signals();
    times();
    numbers();
#ifndef __linux__ /* there the compiler may take another library's results */
    constants();
#endif
    random_doubles();
    wide();
    general();
    files();
    shared_file();
    redirections();
    assert(caught == SIGINT);
    signal(SIGABRT, end_well);
    assert(caught != SIGINT);
}
