// sources: kernel_lib/removed/names.c
/* The names of trap stubs and of removed data, by their ids. */
#include "check.h"
#include "kernel_lib/removed/names.h"
#include <stdbool.h>
#include <string.h>

/* A table in memory of its very size: the sanitizer sees what lies beyond. */
static struct removed_names *table_of(uint32_t count, const uint32_t *ids, const char *names,
                                      size_t size) {
    struct removed_names *table = malloc(sizeof *table + count * sizeof *ids + size);
    table->count = count;
    memcpy(table->ids, ids, count * sizeof *ids);
    memcpy(&table->ids[count], names, size);
    return table;
}

static bool is_named(const struct removed_names *table, uint32_t id, const char *expected) {
    const char *name = removed_name(table, id);
    return name && strcmp(name, expected) == 0;
}

static void test_names(void) {
    static const uint32_t ids[] = {5, 7, 300};
    static const char names[] = "alpha\0alphabet\0alphabetical"; /* with the last one's zero */
    struct removed_names *table = table_of(3, ids, names, sizeof names);
    CHECK(is_named(table, 5, "alpha"));
    CHECK(is_named(table, 7, "alphabet"));
    CHECK(is_named(table, 300, "alphabetical"));
    CHECK(!removed_name(table, 0) && !removed_name(table, 6));
    CHECK(!removed_name(table, 301) && !removed_name(table, UINT32_MAX));
    free(table);
}

static void test_empty(void) {
    struct removed_names *table = table_of(0, (uint32_t[]){0}, "", 0);
    CHECK(!removed_name(table, 0) && !removed_name(table, 1));
    free(table);
}

int main(void) {
    test_names();
    test_empty();
    puts("removed_names: passed");
}
