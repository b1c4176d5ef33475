// sources: kernel_lib/jit/store/function_names.c kernel_lib/jit/store/profile_file.c
// sources: kernel_lib/jit/store/profile_parse.c kernel_lib/crc32.c kernel_lib/error.c
/* The profile file: its text, adding up over starts, and all that it refuses. */
#include "check.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/jit/store/profile_file.h"
#include <string.h>

#define BUILD "0123456789abcdef0123456789abcdef"
#define CPU "GenuineIntel-1234"

static const struct jit_function functions[] = {
    {.name = "main"}, {.name = "matmul"}, {.name = "f.1"}};
#define COUNT 3

/* Written by hand, after the description in profile_file.h. */
#define HEAD "bareflow jit profile 1\nbuild " BUILD "\ncpu " CPU "\n"
#define MAIN "function main calls 2 level 0 specialised 0 arguments 0 because not called yet\n"
#define MAIN_TIMES "times 0 calls 2 total 30 min 10 max 20\n"
#define MATMUL "function matmul calls 70000 level 4 specialised 1 arguments 2 because time\n"
#define MATMUL_REST                                                                                \
    "times 0 calls 10 total 1000 min 90 max 110\n"                                                 \
    "times 4 calls 18446744073709551615 total 5 min 1 max 18446744073709551615\n"                  \
    "tuple calls 9 values 64 172\n"                                                                \
    "tuple calls 1 values 0 18446744073709551615\n"                                                \
    "candidate matmul shape 0 cycles 200 chosen 0\n"                                               \
    "candidate f.1 shape 3 cycles 100 chosen 1\n"
#define GOOD HEAD "boots 7 max_level 4\n" MAIN MAIN_TIMES MATMUL MATMUL_REST

/* The text with its line "crc", in memory of just that size. */
static char *sealed(const char *text, size_t *size) {
    *size = strlen(text) + 13;
    char *made = malloc(*size + 1);
    sprintf(made, "%scrc %08x\n", text, (unsigned)crc32_update(0, text, strlen(text)));
    return realloc(made, *size);
}

static struct profile empty(void) {
    struct profile profile;
    CHECK(profile_init(&profile, BUILD, CPU, functions, COUNT));
    return profile;
}

static bool parse(struct profile *profile, const char *text, struct error *why) {
    size_t size;
    char *whole = sealed(text, &size);
    bool good = profile_parse(profile, whole, size, why);
    free(whole);
    return good;
}

static void test_read_and_write(void) {
    struct profile p = empty();
    struct error why;
    CHECK(parse(&p, GOOD, &why) && p.boots == 7 && p.max_level == JIT_O3);
    CHECK(p.entries[0].calls == 2 && p.entries[0].times[0].max == 20);
    CHECK(strcmp(p.entries[0].reason, "not called yet") == 0);
    const struct profile_entry *m = &p.entries[1];
    CHECK(m->level == JIT_O3 && m->specialised && m->arguments == 2 && m->tuple_count == 2);
    CHECK(m->tuples[0].values[1] == 172 && m->tuples[1].values[1] == UINT64_MAX);
    CHECK(m->times[JIT_O3].max == UINT64_MAX && m->times[JIT_O0].calls == 0);
    CHECK(m->candidate_count == 2 && m->candidates[1].body == 2 && m->candidates[1].shape == 3);
    CHECK(m->candidates[1].chosen && !m->candidates[0].chosen);
    CHECK(p.entries[2].calls == 0);

    size_t size, wanted_size;
    char *written = profile_write(&p, &size), *wanted = sealed(GOOD, &wanted_size);
    CHECK(size == wanted_size && memcmp(written, wanted, size) == 0);
    free(written);
    free(wanted);
    profile_free(&p);
}

static void test_add(void) {
    struct profile before = empty(), now = empty(), all = empty();
    struct error why;
    CHECK(parse(&before, GOOD, &why));
    now.entries[0] = (struct profile_entry){.calls = 5, .level = JIT_O1, .reason = "calls"};
    now.entries[0].times[0] = (struct jit_times){3, 60, 5, 40};
    now.entries[0].times[JIT_O1] = (struct jit_times){1, 4, 4, 4};
    now.entries[1] = (struct profile_entry){
        .calls = 1, .level = JIT_O0, .arguments = 1, .tuple_count = 1, .reason = "a long call"};
    now.entries[1].tuples[0] = (struct jit_tuple){{48}, 3};
    profile_add(&all, &before, &now);
    CHECK(all.boots == 8);
    const struct profile_entry *e = &all.entries[0];
    CHECK(e->calls == 7 && e->level == JIT_O1 && strcmp(e->reason, "calls") == 0);
    CHECK(e->times[0].calls == 5 && e->times[0].total == 90);
    CHECK(e->times[0].min == 5 && e->times[0].max == 40 && e->times[JIT_O1].calls == 1);
    e = &all.entries[1]; /* keeps the level of the longer start, its candidates, not its tuples */
    CHECK(e->calls == 70001 && e->level == JIT_O3 && e->specialised);
    CHECK(strcmp(e->reason, "time") == 0 && e->candidate_count == 2);
    CHECK(e->arguments == 1 && e->tuple_count == 1 && e->tuples[0].values[0] == 48);
    CHECK(all.entries[2].calls == 0);
    profile_free(&before);
    profile_free(&now);
    profile_free(&all);
}

static void test_refused(void) {
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "another version"},
        {"bareflow jit profile 2\n", "another version"},
        {"bareflow jit profile 1\n", "head"},
        {"bareflow jit profile 1\nbuild x\ncpu " CPU "\nboots 1 max_level 4\n", "another build, x"},
        {"bareflow jit profile 1\nbuild " BUILD "0\ncpu " CPU "\nboots 1 max_level 4\n",
         "another build"},
        {"bareflow jit profile 1\nbuild " BUILD "\ncpu old\nboots 1 max_level 4\n",
         "another CPU, old"},
        {HEAD "boots -1\n", "head"},
        {HEAD "boots 18446744073709551616 max_level 4\n", "head"},
        {HEAD "boots 1 max_level 4\n" MAIN_TIMES, "line 5"},
        {HEAD "boots 1 max_level 4\n" MAIN MAIN, "line 6"},
        {HEAD "boots 1 max_level 4\n" MAIN "\n", "line 6"},
        {HEAD "boots 1 max_level 4\n" MAIN MAIN_TIMES MAIN_TIMES, "line 7"},
        {HEAD "boots 1 max_level 4\nfunction other calls 2 level 0 specialised 0 arguments 0 "
              "because x\n",
         "line 5"},
        {HEAD
         "boots 1 max_level 4\nfunction main calls 2 level 5 specialised 0 arguments 0 because x\n",
         "line 5"},
        {HEAD
         "boots 1 max_level 4\nfunction main calls 2 level 4 specialised 2 arguments 0 because x\n",
         "line 5"},
        {HEAD
         "boots 1 max_level 4\nfunction main calls 2 level 4 specialised 1 arguments 7 because x\n",
         "line 5"},
        {HEAD
         "boots 1 max_level 4\nfunction main calls 0 level 4 specialised 1 arguments 6 because x\n",
         "line 5"},
        {HEAD
         "boots 1 max_level 4\nfunction main calls 2 level 4 specialised 1 arguments 6 because "
         "a reason that is longer than any that there is\n",
         "line 5"},
        {HEAD "boots 1 max_level 4\n" MAIN "tuple calls 1 values\n", "line 6"},
        {HEAD "boots 1 max_level 4\n" MATMUL "tuple calls 1 values 1\n", "line 6"},
        {HEAD "boots 1 max_level 4\n" MATMUL "tuple calls 1 values 1 2 3\n", "line 6"},
        {HEAD "boots 1 max_level 4\n" MAIN "times 0 calls 2 total 30 min 21 max 20\n", "line 6"},
        {HEAD "boots 1 max_level 4\n" MAIN "candidate other shape 0 cycles 1 chosen 0\n", "line 6"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile p = empty();
        struct error why;
        CHECK(!parse(&p, cases[i].text, &why) && strstr(why.text, cases[i].why));
        CHECK(p.boots == 0 && p.entries[0].calls == 0 && p.entries[1].calls == 0);
        profile_free(&p);
    }
}

static void test_more_than_there_is_room_for(void) {
    char text[4000] = HEAD "boots 1 max_level 4\n" MATMUL;
    struct error why;
    for (int i = 0; i <= JIT_TUPLES; i++) {
        struct profile p = empty();
        CHECK(parse(&p, text, &why) && p.entries[1].tuple_count == i);
        profile_free(&p);
        sprintf(text + strlen(text), "tuple calls 1 values %d 0\n", i);
    }
    struct profile p = empty();
    CHECK(!parse(&p, text, &why) && strstr(why.text, "line 14"));
    profile_free(&p);
}

/* No part of a file is taken for one, nor a file with any byte changed. */
static void test_damaged(void) {
    size_t size;
    char *whole = sealed(GOOD, &size);
    struct error why;
    for (size_t i = 0; i < size; i++) {
        struct profile p = empty();
        char *part = malloc(i ? i : 1);
        memcpy(part, whole, i);
        CHECK(!profile_parse(&p, part, i, &why));
        free(part);
        whole[i] ^= 1;
        CHECK(!profile_parse(&p, whole, size, &why));
        whole[i] ^= 1;
        profile_free(&p);
    }
    free(whole);
}

int main(void) {
    test_read_and_write();
    test_add();
    test_refused();
    test_more_than_there_is_room_for();
    test_damaged();
    puts("profile file: passed");
}
