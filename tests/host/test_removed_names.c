// sources: kernel_lib/removed/names.c kernel_lib/removed/lz4_stream.c
/* Names of removed functions, in blocks put together by hand from lz4_Block_format.md. */
#include "check.h"
#include "kernel_lib/removed/lz4_stream.h"
#include "kernel_lib/removed/names.h"
#include <string.h>

static char name[REMOVED_NAME_SIZE];

/* A table of this block, in memory of its very size: the sanitizer sees what lies beyond. */
static struct removed_names *table_of(uint32_t count, const uint8_t *block, size_t size) {
    struct removed_names *table = malloc(sizeof *table + size);
    table->count = count;
    table->size = (uint32_t)size;
    memcpy(table->block, block, size);
    return table;
}

/* 22 literals: ids 5, 7 and 300 (293 more: a5 02), each with what it shares with the one before. */
static const uint8_t three[] = "\xf0\x07\x05\0alpha\0\x02\x05"
                               "bet\0\xa5\x02\x08"
                               "ical";

static void test_names(void) {
    struct removed_names *table = table_of(3, three, sizeof three); /* with the last one's zero */
    CHECK(removed_name(table, 5, name) && strcmp(name, "alpha") == 0);
    CHECK(removed_name(table, 7, name) && strcmp(name, "alphabet") == 0);
    CHECK(removed_name(table, 300, name) && strcmp(name, "alphabetical") == 0);
    CHECK(!removed_name(table, 0, name) && !removed_name(table, 6, name));
    CHECK(!removed_name(table, 301, name) && !removed_name(table, UINT32_MAX, name));
    free(table);
}

static void test_empty(void) {
    struct removed_names *table = table_of(0, (const uint8_t *)"", 0);
    CHECK(!removed_name(table, 0, name) && !removed_name(table, 1, name));
    free(table);
}

/* One "a" and a match of 39 at offset 1, then a literal zero. */
static void test_match(void) {
    struct removed_names *table = table_of(1, (const uint8_t *)"\x3f\x01\0a\x01\0\x14\x10\0", 9);
    CHECK(removed_name(table, 1, name) && strlen(name) == 40 && strspn(name, "a") == 40);
    free(table);
}

/* However the table is cut, nothing is read beyond it. */
static void test_cut(void) {
    for (size_t size = 0; size < sizeof three; size++) {
        struct removed_names *table = table_of(3, three, size);
        CHECK(!removed_name(table, 300, name));
        free(table);
    }
}

/* A name that does not end is not found. */
static void test_endless_name(void) {
    struct removed_names *table = table_of(
        1,
        (const uint8_t *)"\x3f\x01\0a\x01\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                         "\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\0",
        29);
    CHECK(!removed_name(table, 1, name));
    free(table);
}

#define LITERALS 70000u
#define FARTHEST 65535u
#define MATCH 40u

static uint8_t pattern(size_t i) {
    return (uint8_t)(i * i % 251);
}

struct expected {
    size_t at;
};

static bool check_byte(void *context, uint8_t byte) {
    struct expected *expected = context;
    size_t i = expected->at++;
    CHECK(byte == (i < LITERALS ? pattern(i) : pattern(i - FARTHEST)));
    return true;
}

/* A match that reaches back as far as one can, when the window has gone round. */
static void test_window(void) {
    static uint8_t block[LITERALS + 1000];
    size_t size = 0;
    block[size++] = 0xff;
    for (size_t rest = LITERALS - 15;; rest -= 255) {
        block[size++] = rest < 255 ? (uint8_t)rest : 255;
        if (rest < 255)
            break;
    }
    for (size_t i = 0; i < LITERALS; i++)
        block[size++] = pattern(i);
    block[size++] = FARTHEST & 0xff;
    block[size++] = FARTHEST >> 8;
    block[size++] = MATCH - 4 - 15;
    block[size++] = 0; /* a last sequence without literals */
    struct expected expected = {0};
    CHECK(lz4_stream(block, size, check_byte, &expected) && expected.at == LITERALS + MATCH);
}

static bool take_all(void *context, uint8_t byte) {
    (void)context, (void)byte;
    return true;
}

static void test_damage(void) {
    CHECK(!lz4_stream((const uint8_t *)"\x10", 1, take_all, NULL));
    CHECK(!lz4_stream((const uint8_t *)"\x10\x61\0\0\0", 5, take_all, NULL));
    CHECK(!lz4_stream((const uint8_t *)"\x10\x61\x02\0\0", 5, take_all, NULL));
}

int main(void) {
    test_names();
    test_empty();
    test_match();
    test_cut();
    test_endless_name();
    test_window();
    test_damage();
    puts("removed_names: passed");
}
