/*
 * How much work a program does, as a number that is the same on every machine: edges of its control
 * flow (clang's -fsanitize-coverage=trace-pc), and bytes that the string functions work on. A test
 * that includes this has in its head
 * // compile: -fsanitize-coverage=trace-pc -fno-builtin
 * // link: -Wl,--wrap=memcpy,--wrap=memmove,--wrap=memset,--wrap=memcmp,--wrap=memchr
 * // link: -Wl,--wrap=strlen,--wrap=strcmp,--wrap=strncmp
 */
#pragma once
#include <stdint.h>
#include <string.h>

static uint64_t work;
static int is_counting;

void __sanitizer_cov_trace_pc(void);
__attribute__((no_sanitize("coverage"))) void __sanitizer_cov_trace_pc(void) {
    work += (unsigned)is_counting;
}

#define COUNTED(type, name, parameters, arguments, bytes)                                          \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    __attribute__((no_sanitize("coverage"))) type __wrap_##name parameters {                       \
        if (is_counting)                                                                           \
            work += 1 + (bytes) / 8;                                                               \
        return __real_##name arguments;                                                            \
    }

size_t __real_strlen(const char *a);
void *__real_memchr(const void *a, int b, size_t size);

/* How many bytes memchr looks at. */
__attribute__((no_sanitize("coverage"))) static size_t up_to(const char *a, int b, size_t size) {
    const char *found = (const char *)__real_memchr(a, b, size);
    return found ? (size_t)(found - a) : size;
}

COUNTED(void *, memcpy, (void *a, const void *b, size_t size), (a, b, size), size)
COUNTED(void *, memmove, (void *a, const void *b, size_t size), (a, b, size), size)
COUNTED(void *, memset, (void *a, int b, size_t size), (a, b, size), size)
COUNTED(int, memcmp, (const void *a, const void *b, size_t size), (a, b, size), size)
COUNTED(void *, memchr, (const void *a, int b, size_t size), (a, b, size), up_to(a, b, size))
COUNTED(size_t, strlen, (const char *a), (a), __real_strlen(a))
COUNTED(int, strcmp, (const char *a, const char *b), (a, b), __real_strlen(a))
COUNTED(int, strncmp, (const char *a, const char *b, size_t size), (a, b, size), size)
