/*
 * Whoever writes what a reader reads must not be able to keep the machine busy for ever: for every
 * reader, the work (work.h) for twice as much input is at most 2.5 times as much, whatever the
 * order of the input.
 */
#pragma once
#include "check.h"
#include "work.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MOST_GROWTH 2.5

/* The i-th of n, n a power of two: in order, backwards, and mixed. */
enum order { ASCENDING, DESCENDING, MIXED, ORDERS };
static size_t place(enum order order, size_t i, size_t n) {
    return order == ASCENDING ? i : order == DESCENDING ? n - 1 - i : (i * 40503 + 77) % n;
}

/* Reads an input of size n; counting what it does to read, not to make it. */
typedef void reader(size_t n, enum order order);

static uint64_t work_of(reader *read, size_t n, enum order order) {
    work = 0;
    is_counting = 0;
    read(n, order);
    CHECK(!is_counting);
    return work;
}

static void check_growth(const char *name, reader *read, size_t n) {
    for (enum order order = 0; order < ORDERS; order++) {
        uint64_t before = work_of(read, n, order);
        for (unsigned doubled = 0; doubled < 2; doubled++) {
            n *= 2;
            uint64_t now = work_of(read, n, order);
            if ((double)now > MOST_GROWTH * (double)before)
                fprintf(stderr, "%s, order %d: %llu for %zu, %llu for %zu\n", name, (int)order,
                        (unsigned long long)before, n / 2, (unsigned long long)now, n);
            CHECK((double)now <= MOST_GROWTH * (double)before);
            before = now;
        }
        n /= 4;
    }
}

/* A growing input. */
static char *input;
static size_t input_size, input_room;

static void begin(void) {
    input_size = 0;
}

static void put(const void *bytes, size_t size) {
    if (input_size + size > input_room) {
        input_room = 2 * (input_size + size);
        input = realloc(input, input_room);
        CHECK(input);
    }
    memcpy(input + input_size, bytes, size);
    input_size += size;
}

static void put_text(const char *format, ...) {
    char text[200];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    CHECK(length >= 0 && (size_t)length < sizeof text);
    put(text, (size_t)length);
}

static void put32(uint32_t number) {
    put(&number, sizeof number);
}
