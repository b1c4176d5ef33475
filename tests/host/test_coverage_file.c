// sources: kernel_lib/coverage/coverage_file.c kernel_lib/crc32.c kernel_lib/error.c
// sources: kernel_lib/io/format.c
/* The coverage file: merging, and what it refuses to merge with. */
#include "check.h"
#include "kernel_lib/coverage/coverage_file.h"
#include "kernel_lib/crc32.h"
#include <string.h>

#define BUILD "0123456789abcdef0123456789abcdef"

static struct {
    const char *name;
    bool has_run;
} application[] = {{"main", false}, {"+odd-name", false}, {"", false}, {NULL, false}};

static const char *application_function(size_t index, bool *has_run) {
    *has_run = application[index].has_run;
    return application[index].name;
}

/* What a boot has seen in which these functions ran, of 20. */
static struct coverage_seen seen(const uint32_t *order, uint32_t count, bool main_has_run,
                                 bool odd_has_run) {
    application[0].has_run = main_has_run;
    application[1].has_run = odd_has_run;
    return (struct coverage_seen){BUILD, 20, order, count, application_function};
}

/* By hand, after the description in coverage_file.h. */
static void test_layout(void) {
    static const uint8_t wanted[] = "BFCOVER1" BUILD "\1\0\0\0"
                                    "\x14\0\0\0"
                                    "\2\0\0\0"
                                    "\x13\0\0\0"
                                    "\x01\x00\x08"
                                    "\x13\0\0\0"
                                    "\0\0\0\0"
                                    "+main\n-+odd-name\n-\n";
    struct coverage_seen now = seen((const uint32_t[]){19, 0}, 2, true, false);
    size_t size;
    struct error why;
    uint8_t *made = coverage_file_make(&now, NULL, 0, &size, &why);
    CHECK(why.text[0] == '\0');
    CHECK(size == sizeof wanted - 1 + 4 && memcmp(made, wanted, sizeof wanted - 1) == 0);
    uint32_t crc = crc32_update(0, wanted, sizeof wanted - 1);
    CHECK(memcmp(made + sizeof wanted - 1, &crc, sizeof crc) == 0);
    CHECK(coverage_file_bits(&now, made, size, &why) == made + 56);
    CHECK(!coverage_file_bits(&now, made, size - 1, &why) && strstr(why.text, "damaged"));
    free(made);
}

static void test_merge(void) {
    size_t first_size, second_size, all_size;
    struct error why;
    struct coverage_seen now = seen((const uint32_t[]){3, 1}, 2, true, false);
    uint8_t *first = coverage_file_make(&now, NULL, 0, &first_size, &why);
    now = seen((const uint32_t[]){7, 1, 2}, 3, false, true);
    uint8_t *second = coverage_file_make(&now, first, first_size, &second_size, &why);
    CHECK(why.text[0] == '\0');
    /* The order of the first boot, then what the second one adds in its order. */
    now = seen((const uint32_t[]){3, 1, 7, 2}, 4, true, true);
    uint8_t *all = coverage_file_make(&now, NULL, 0, &all_size, &why);
    CHECK(second_size == all_size && second[40] == 2 && all[40] == 1); /* boots */
    second[40] = 1;
    CHECK(memcmp(second, all, all_size - 4) == 0);
    free(first);
    free(second);
    free(all);
}

/* A boot that ends before the application begins knows none of its names: what earlier boots have
 * seen stays, and so do the names. */
static void test_boot_without_names(void) {
    size_t first_size, early_size, size;
    struct error why;
    struct coverage_seen now = seen((const uint32_t[]){3, 1}, 2, true, false);
    uint8_t *first = coverage_file_make(&now, NULL, 0, &first_size, &why);
    struct coverage_seen early = {BUILD, 20, (const uint32_t[]){7}, 1, NULL};
    uint8_t *second = coverage_file_make(&early, first, first_size, &early_size, &why);
    CHECK(why.text[0] == '\0');
    now = seen((const uint32_t[]){3, 1, 7}, 3, true, false);
    uint8_t *wanted = coverage_file_make(&now, NULL, 0, &size, &why);
    CHECK(early_size == size && second[40] == 2);
    second[40] = 1;
    CHECK(memcmp(second, wanted, size - 4) == 0);
    free(first);
    free(second);
    /* And the other way round: it was the first one. */
    first = coverage_file_make(&early, NULL, 0, &early_size, &why);
    now = seen((const uint32_t[]){3, 1}, 2, true, false);
    second = coverage_file_make(&now, first, early_size, &first_size, &why);
    CHECK(why.text[0] == '\0' && first_size == size && second[40] == 2 && second[48] == 3);
    CHECK(memcmp(second + 56, wanted + 56, 3) == 0); /* the bits */
    free(first);
    free(second);
    free(wanted);
}

/* The file with a change, its CRC right again if wanted, is not merged, for this reason. */
static void check_refused(const uint8_t *file, size_t size, size_t at, uint8_t value, bool sealed,
                          const char *reason) {
    uint8_t *copy = malloc(size);
    memcpy(copy, file, size);
    copy[at] = value;
    uint32_t crc = crc32_update(0, copy, size - 4);
    if (sealed)
        memcpy(copy + size - 4, &crc, 4);
    struct coverage_seen now = seen((const uint32_t[]){5}, 1, false, false);
    size_t made_size;
    struct error why;
    uint8_t *made = coverage_file_make(&now, copy, size, &made_size, &why);
    CHECK(strstr(why.text, reason));
    CHECK(made[40] == 1 && made[48] == 1 && made[56] == 1 << 5);
    free(made);
    free(copy);
}

static void test_refused(void) {
    size_t size, made_size;
    struct error why;
    struct coverage_seen now = seen((const uint32_t[]){3, 1}, 2, true, false);
    uint8_t *file = coverage_file_make(&now, NULL, 0, &size, &why);
    check_refused(file, size, 57, 1, false, "damaged");
    check_refused(file, size, 7, '2', true, "another version");
    check_refused(file, size, 8, 'f', true, "another build, f123456789abcdef");
    check_refused(file, size, 44, 21, true, "other functions");
    check_refused(file, size, 48, 3, true, "other functions"); /* one more in the order */
    check_refused(file, size, 59, 2, true, "has not run");
    check_refused(file, size, 60, 1, true, "has not run"); /* 259 of 20 */
    for (size_t cut = 0; cut < size; cut++) {
        /* In memory of just this size, so that reading on would be noticed. */
        uint8_t *part = malloc(cut + 1);
        memcpy(part, file, cut);
        uint8_t *made = coverage_file_make(&now, part, cut, &made_size, &why);
        CHECK(why.text[0] && made[40] == 1);
        free(made);
        free(part);
    }
    free(file);
}

int main(void) {
    test_layout();
    test_merge();
    test_boot_without_names();
    test_refused();
    puts("coverage file: passed");
}
