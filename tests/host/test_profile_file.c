// sources: kernel_lib/jit/store/function_names.c kernel_lib/jit/store/profile_file.c
// sources: kernel_lib/jit/store/profile_parse.c kernel_lib/crc32.c kernel_lib/error.c
// sources: kernel_lib/io/format.c
/* The profile file: its text, adding up over starts, and all that it refuses. */
#include "check.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/jit/store/profile_file.h"
#include <string.h>

#define BUILD "0123456789abcdef0123456789abcdef"
#define CPU "GenuineIntel-1234"

static struct jit_function main_function = {.name = "main"}, matmul = {.name = "matmul"},
                           f1 = {.name = "f.1"};
static struct jit_function *const functions[] = {&main_function, &matmul, &f1};
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

/* A profile of functions of which nothing is known. */
static struct profile empty(void) {
    for (int i = 0; i < COUNT; i++)
        *functions[i] = (struct jit_function){.name = functions[i]->name};
    return (struct profile){.build_id = BUILD, .cpu_id = CPU, functions, COUNT};
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
    const struct jit_history *e = &main_function.earlier, *m = &matmul.earlier;
    CHECK(e->calls == 2 && e->times[0].max == 20 && strcmp(e->reason, "not called yet") == 0);
    CHECK(m->level == JIT_O3 && m->specialised);
    CHECK(m->values.arguments == 2 && m->values.count == 2);
    CHECK(m->values.frequent[0].values[1] == 172 && m->values.frequent[1].values[1] == UINT64_MAX);
    CHECK(m->times[JIT_O3].max == UINT64_MAX && m->times[JIT_O0].calls == 0);
    const struct jit_candidate *second = &m->candidates.list[1];
    CHECK(m->candidates.count == 2 && second->body == &f1 && second->options == 3);
    CHECK(second->chosen && !m->candidates.list[0].chosen);
    CHECK(f1.earlier.calls == 0);

    size_t size, wanted_size;
    char *written = profile_write(&p, &size), *wanted = sealed(GOOD, &wanted_size);
    CHECK(size == wanted_size && memcmp(written, wanted, size) == 0);
    free(written);
    free(wanted);
}

/* The lines that may be missing, and a file of any build and CPU. */
static void test_of_another_machine(void) {
    static const char more[] = "features avx2,sse3\nmodel dim=64\nfirst_compilation 700\n";
    char text[1000];
    struct error why;
    sprintf(text, "%s%s%s%s", HEAD "boots 7 max_level 4\n", more, MAIN, MAIN_TIMES);
    struct profile p = empty();
    p.build_id = p.cpu_id = NULL;
    CHECK(parse(&p, text, &why) && strcmp(p.made_by, BUILD) == 0);
    CHECK(strcmp(p.features, "avx2,sse3") == 0 && strcmp(p.model, "dim=64") == 0);
    CHECK(p.first_cycles == 700);
    p.build_id = BUILD;
    p.cpu_id = CPU;
    size_t size, wanted_size;
    char *written = profile_write(&p, &size), *wanted = sealed(text, &wanted_size);
    CHECK(size == wanted_size && memcmp(written, wanted, size) == 0);
    free(written);
    free(wanted);
    p = empty();
    sprintf(text, "%smodel %0*d\n", HEAD "boots 7 max_level 4\n", PROFILE_MODEL, 1);
    CHECK(!parse(&p, text, &why) && strstr(why.text, "head"));
    p = empty();
    sprintf(text, "%s%s%s%s", HEAD "boots 7 max_level 4\n", more, MAIN, MAIN);
    CHECK(!parse(&p, text, &why) && strstr(why.text, "line 9"));
}

static void test_add(void) {
    struct profile p = empty();
    struct jit_history all;
    struct error why;
    CHECK(parse(&p, GOOD, &why));
    main_function.calls = 5;
    main_function.level = JIT_O1;
    main_function.reason = "calls";
    main_function.times[0] = (struct jit_times){3, 60, 5, 40};
    main_function.times[JIT_O1] = (struct jit_times){1, 4, 4, 4};
    profile_add(&all, &main_function);
    CHECK(all.calls == 7 && all.level == JIT_O1 && strcmp(all.reason, "calls") == 0);
    CHECK(all.times[0].calls == 5 && all.times[0].total == 90);
    CHECK(all.times[0].min == 5 && all.times[0].max == 40 && all.times[JIT_O1].calls == 1);
    main_function.reason = JIT_FROM_CACHE; /* then the earlier reason stays */
    profile_add(&all, &main_function);
    CHECK(all.level == JIT_O1 && strcmp(all.reason, "not called yet") == 0);
    /* Keeps the level of the longer boot, its candidates, not its argument values. */
    matmul.calls = 1;
    matmul.level = JIT_O0;
    matmul.reason = "a long call";
    matmul.values.arguments = matmul.values.count = 1;
    matmul.values.frequent[0] = (struct jit_argument_values){{48}, 3};
    profile_add(&all, &matmul);
    CHECK(all.calls == 70001 && all.level == JIT_O3 && all.specialised);
    CHECK(strcmp(all.reason, "time") == 0 && all.candidates.count == 2);
    CHECK(all.values.arguments == 1 && all.values.count == 1);
    CHECK(all.values.frequent[0].values[0] == 48);
    profile_add(&all, &f1);
    CHECK(all.calls == 0);
    /* A call that went on out of a loop says what new ones are for. */
    f1.calls = 1;
    f1.level = JIT_O0;
    f1.reason = "calls";
    f1.policy.continued = JIT_O2;
    profile_add(&all, &f1);
    CHECK(all.level == JIT_O2 && strcmp(all.reason, JIT_LONG_LOOP) == 0);
    f1.level = JIT_O3;
    profile_add(&all, &f1);
    CHECK(all.level == JIT_O3 && strcmp(all.reason, "calls") == 0);
    f1.calls = 0;
    /* What is written are these sums. */
    size_t size;
    p.boots = 8;
    char *written = profile_write(&p, &size);
    CHECK(strncmp(written + strlen(HEAD), "boots 8 max_level 4\nfunction main calls 7 level 2 ",
                  50) == 0);
    free(written);
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
        {HEAD "boots 1 max_level 4\nfirst_compilation -1\n", "head"},
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
        CHECK(p.boots == 0 && p.first_cycles == 0 && main_function.earlier.calls == 0 &&
              matmul.earlier.calls == 0);
    }
}

static void test_more_than_there_is_room_for(void) {
    char text[4000] = HEAD "boots 1 max_level 4\n" MATMUL;
    struct error why;
    for (int i = 0; i <= JIT_FREQUENT; i++) {
        struct profile p = empty();
        CHECK(parse(&p, text, &why) && matmul.earlier.values.count == i);
        sprintf(text + strlen(text), "tuple calls 1 values %d 0\n", i);
    }
    struct profile p = empty();
    CHECK(!parse(&p, text, &why) && strstr(why.text, "line 14"));
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
    }
    free(whole);
}

int main(void) {
    test_read_and_write();
    test_of_another_machine();
    test_add();
    test_refused();
    test_more_than_there_is_room_for();
    test_damaged();
    puts("profile file: passed");
}
