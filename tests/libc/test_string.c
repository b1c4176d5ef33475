/* string.h's functions, on random strings of few different bytes, below and above 0x80. */
#define _GNU_SOURCE
#include "own.h"
#include <string.h>

#define ROUNDS 50000
#define MAX_LENGTH 300

void *own_memchr(const void *s, int c, size_t n);
int own_memcmp(const void *a, const void *b, size_t n);
int own_bcmp(const void *a, const void *b, size_t n);
char *own_stpcpy(char *to, const char *from);
char *own_strcat(char *to, const char *from);
char *own_strchr(const char *s, int c);
int own_strcmp(const char *a, const char *b);
char *own_strcpy(char *to, const char *from);
size_t own_strcspn(const char *s, const char *reject);
size_t own_strlen(const char *s);
char *own_strncat(char *to, const char *from, size_t n);
int own_strncmp(const char *a, const char *b, size_t n);
char *own_strncpy(char *to, const char *from, size_t n);
size_t own_strnlen(const char *s, size_t n);
char *own_strpbrk(const char *s, const char *accept);
char *own_strrchr(const char *s, int c);
size_t own_strspn(const char *s, const char *accept);
char *own_strstr(const char *s, const char *part);
char *own_strtok_r(char *s, const char *delimiters, char **state);

static int sign(int value) {
    return (value > 0) - (value < 0);
}

static char random_byte(void) {
    static const unsigned char bytes[] = {'a', 'b', 0x7F, 0x80, 0xA9, 0xFF, 1, ' '};
    return (char)(random_below(8) == 0 ? 1 + random_below(255) : bytes[random_below(sizeof bytes)]);
}

static size_t random_length(void) {
    return random_below(random_below(4) == 0 ? MAX_LENGTH + 1 : 20);
}

/* A fenced string of this length. */
static char *make(int number, size_t length) {
    char *s = fenced(number, length + 1);
    for (size_t i = 0; i < length; i++)
        s[i] = random_byte();
    s[length] = '\0';
    return s;
}

/* Two strings that are equal up to a random place, mostly. */
static void make_pair(char **a, char **b) {
    size_t length = random_length(), other = random_length();
    *a = make(0, length);
    *b = make(1, other);
    if (random_below(4))
        memcpy(*b, *a, random_below((unsigned)(length < other ? length : other) + 1));
}

#define EQUAL(function, own, theirs)                                                               \
    do {                                                                                           \
        if ((own) != (theirs))                                                                     \
            DIFFER(function " differs");                                                           \
    } while (0)

static void test_comparing(void) {
    char *a, *b;
    make_pair(&a, &b);
    size_t la = strlen(a), lb = strlen(b), shorter = la < lb ? la : lb;
    size_t n = random_below((unsigned)shorter + 2), any = random_below(MAX_LENGTH + 10);
    EQUAL("strcmp", sign(own_strcmp(a, b)), sign(strcmp(a, b)));
    EQUAL("strncmp", sign(own_strncmp(a, b, any)), sign(strncmp(a, b, any)));
    EQUAL("memcmp", sign(own_memcmp(a, b, n)), sign(memcmp(a, b, n)));
    EQUAL("bcmp", own_bcmp(a, b, n) != 0, bcmp(a, b, n) != 0);
}

static void test_finding(void) {
    char *a = make(0, random_length()), *b = make(1, random_below(4));
    size_t n = random_below((unsigned)strlen(a) + 2), any = random_below(MAX_LENGTH + 10);
    /* The character is an int that is converted. */
    int c = random_below(8) ? random_byte() : (int)random_bits();
    EQUAL("strlen", own_strlen(a), strlen(a));
    EQUAL("strnlen", own_strnlen(a, any), strnlen(a, any));
    EQUAL("strnlen of what does not end", own_strnlen(a, strlen(a)), strlen(a));
    EQUAL("memchr", own_memchr(a, c, n), memchr(a, c, n));
    EQUAL("strchr", own_strchr(a, c), strchr(a, c));
    EQUAL("strchr of 0", own_strchr(a, 0), strchr(a, 0));
    EQUAL("strrchr", own_strrchr(a, c), strrchr(a, c));
    EQUAL("strrchr of 0", own_strrchr(a, 0), strrchr(a, 0));
    EQUAL("strspn", own_strspn(a, b), strspn(a, b));
    EQUAL("strcspn", own_strcspn(a, b), strcspn(a, b));
    EQUAL("strpbrk", own_strpbrk(a, b), strpbrk(a, b));
    EQUAL("strstr", own_strstr(a, b), strstr(a, b));
    size_t from = random_below((unsigned)strlen(a) + 1);
    b = make(1, random_below((unsigned)(strlen(a) - from) + 1));
    memcpy(b, a + from, strlen(b));
    EQUAL("strstr of a part", own_strstr(a, b), strstr(a, b));
}

static void test_copying(void) {
    size_t length = random_length(), before = random_below(20), n = random_below(MAX_LENGTH + 10);
    char *from = make(0, length);
    char *own = fenced(1, length + 1), *theirs = fenced(2, length + 1);
    EQUAL("strcpy", own_strcpy(own, from) - own, strcpy(theirs, from) - theirs);
    EQUAL("strcpy's copy", memcmp(own, theirs, length + 1), 0);
    EQUAL("stpcpy", own_stpcpy(own, from) - own, stpcpy(theirs, from) - theirs);
    EQUAL("stpcpy's copy", memcmp(own, theirs, length + 1), 0);

    own = fenced(1, n), theirs = fenced(2, n);
    memset(own, 'x', n), memset(theirs, 'x', n);
    EQUAL("strncpy", own_strncpy(own, from, n) - own, strncpy(theirs, from, n) - theirs);
    EQUAL("strncpy's copy", memcmp(own, theirs, n), 0);

    own = make(1, before + length), theirs = fenced(2, before + length + 1);
    memcpy(theirs, own, before + length + 1);
    own[before] = theirs[before] = '\0';
    size_t taken = strlen(own);
    EQUAL("strcat", own_strcat(own, from) - own, strcat(theirs, from) - theirs);
    EQUAL("strcat's result", memcmp(own, theirs, taken + length + 1), 0);
    own[taken] = theirs[taken] = '\0';
    EQUAL("strncat", own_strncat(own, from, n) - own, strncat(theirs, from, n) - theirs);
    EQUAL("strncat's result", memcmp(own, theirs, before + length + 1), 0);
}

static void test_tokens(void) {
    char *own = make(0, random_length()), *theirs = fenced(1, strlen(own) + 1);
    char *delimiters = make(2, random_below(5)), *own_state = NULL, *their_state = NULL;
    strcpy(theirs, own);
    char *a = own_strtok_r(own, delimiters, &own_state);
    char *b = strtok_r(theirs, delimiters, &their_state);
    while (a && b) {
        EQUAL("strtok_r", a - own, b - theirs);
        EQUAL("strtok_r's token", strcmp(a, b), 0);
        delimiters = make(2, random_below(5));
        a = own_strtok_r(NULL, delimiters, &own_state);
        b = strtok_r(NULL, delimiters, &their_state);
    }
    EQUAL("strtok_r's end", a == NULL, b == NULL);
}

int main(void) {
    for (int i = 0; i < ROUNDS; i++) {
        test_comparing();
        test_finding();
        test_copying();
        test_tokens();
    }
    puts("string: passed");
}
