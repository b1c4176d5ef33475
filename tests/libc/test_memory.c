/* memcpy, memmove, memset and memcmp at every alignment within a vector, with every length up to
 * 300. */
#include "own.h"
#include <string.h>

#define MAX_LENGTH 300
#define ALIGNMENTS 64
#define FRAME 64 /* bytes before and behind that must stay */
#define SIZE (FRAME + ALIGNMENTS + MAX_LENGTH + FRAME)

void *own_memcpy(void *to, const void *from, size_t n);
void *own_memmove(void *to, const void *from, size_t n);
void *own_memset(void *to, int c, size_t n);
int own_memcmp(const void *a, const void *b, size_t n);

static _Alignas(64) unsigned char from[SIZE], to[SIZE], expected[SIZE];

static void fill(void) {
    for (size_t i = 0; i < SIZE; i++) {
        from[i] = (unsigned char)random_bits();
        to[i] = expected[i] = (unsigned char)random_bits();
    }
}

/* Byte by byte: what the definition says. */
static void copy(unsigned char *target, const unsigned char *source, size_t n) {
    for (size_t i = 0; i < n; i++)
        target[i] = source[i];
}

static void check(const char *function, size_t a, size_t b, size_t n) {
    for (size_t i = 0; i < SIZE; i++)
        if (to[i] != expected[i])
            DIFFER("%s of %zu bytes, alignments %zu and %zu: byte %zd differs", function, n, a, b,
                   (ptrdiff_t)i - (ptrdiff_t)(FRAME + a));
}

static void test_copying(size_t a, size_t b, size_t n) {
    unsigned char *target = to + FRAME + a, *source = from + FRAME + b;
    fill();
    copy(expected + FRAME + a, source, n);
    if (own_memcpy(target, source, n) != target)
        DIFFER("memcpy does not return its target");
    check("memcpy", a, b, n);
}

/* Within one buffer: the parts overlap unless n is small. */
static void test_moving(size_t a, size_t b, size_t n) {
    unsigned char saved[MAX_LENGTH];
    fill();
    copy(saved, to + FRAME + b, n);
    copy(expected + FRAME + a, saved, n);
    if (own_memmove(to + FRAME + a, to + FRAME + b, n) != to + FRAME + a)
        DIFFER("memmove does not return its target");
    check("memmove", a, b, n);
}

static void test_setting(size_t a, size_t n) {
    int value = (int)random_bits();
    fill();
    for (size_t i = 0; i < n; i++)
        expected[FRAME + a + i] = (unsigned char)value;
    if (own_memset(to + FRAME + a, value, n) != to + FRAME + a)
        DIFFER("memset does not return its target");
    check("memset", a, a, n);
}

static void test_comparing(size_t a, size_t b, size_t n) {
    unsigned char *left = to + FRAME + a, *right = from + FRAME + b;
    fill();
    copy(left, right, n);
    if (own_memcmp(left, right, n) != 0)
        DIFFER("memcmp of %zu equal bytes, alignments %zu and %zu", n, a, b);
    if (n == 0)
        return;
    size_t place = random_below((unsigned)n);
    left[place] = (unsigned char)(left[place] + 1 + random_below(255));
    left[n - 1] ^= (unsigned char)(place != n - 1); /* what comes behind does not count */
    if (own_memcmp(left, right, n) > 0 != left[place] > right[place])
        DIFFER("memcmp of %zu bytes that differ at %zu, alignments %zu and %zu", n, place, a, b);
}

int main(void) {
    for (size_t n = 0; n <= MAX_LENGTH; n++) {
        for (size_t a = 0; a < ALIGNMENTS; a++) {
            size_t b = random_below(ALIGNMENTS);
            test_copying(a, b, n);
            test_copying(b, a, n);
            test_moving(a, b, n);
            test_moving(b, a, n);
            test_comparing(a, b, n);
            test_setting(a, n);
        }
    }
    puts("memory: passed");
}
