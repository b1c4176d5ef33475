// sources: kernel_lib/jit/timers.c
/* Named profiles. */
#include "check.h"
#include "kernel_lib/jit_runtime.h"

static void measured(void) {
    jit_profile_begin("measured");
    for (int i = 0; i < 1000; i++)
        __asm__ volatile("");
    jit_profile_end("measured");
}

static void test_begin_and_end(void) {
    uint64_t before = cpu_rdtsc();
    for (int i = 0; i < 10; i++)
        measured();
    uint64_t in_all = cpu_rdtsc() - before;
    const struct jit_profile *p = jit_profile_get("measured");
    CHECK(p->times.calls == 10 && jit_get_call_count("measured") == 10);
    /* 1000 rounds take more than 100 cycles, ten calls not more than there were. */
    CHECK(p->times.min > 100 && p->times.min <= p->times.max &&
          p->times.total >= 10 * p->times.min && p->times.total <= in_all);
    CHECK(jit_get_avg_cycles("measured") == p->times.total / 10);
    CHECK(jit_get_min_cycles("measured") == p->times.min &&
          jit_get_max_cycles("measured") == p->times.max);
}

static void test_add(void) {
    struct jit_profile *p = jit_profile_get("added");
    CHECK(p->times.calls == 0 && jit_get_avg_cycles("added") == 0 &&
          jit_get_min_cycles("added") == 0);
    jit_profile_add(p, 7);
    jit_profile_add(p, 3);
    jit_profile_add(p, 11);
    CHECK(p->times.calls == 3 && p->times.total == 21 && p->times.min == 3 && p->times.max == 11);
    CHECK(jit_get_avg_cycles("added") == 7);
    CHECK(jit_get_call_count("nobody") == 0 && jit_get_avg_cycles("nobody") == 0);
    CHECK(jit_get_max_cycles("nobody") == 0);
    /* By text, not by address. */
    char name[] = "added";
    CHECK(jit_profile_get(name) == p);
    jit_profile_reset();
    CHECK(p->times.calls == 0 && p->times.total == 0 && p->times.max == 0 &&
          jit_profile_get("added") == p);
}

/* More names than there is room for are counted together. */
static void test_full(void) {
    static char names[300][8];
    size_t count;
    for (int i = 0; i < 300; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i);
        jit_profile_add(jit_profile_get(names[i]), 1);
    }
    const struct jit_profile *all = jit_profiles(&count);
    uint64_t calls = 0;
    for (size_t i = 0; i < count; i++)
        calls += all[i].times.calls;
    CHECK(calls == 300);
    CHECK(strcmp(all[count - 1].name, "(others)") == 0 && all[count - 1].times.calls > 1);
    CHECK(jit_profile_get("n299") == &all[count - 1]);
    CHECK(strcmp(all[0].name, "measured") == 0 && jit_profile_get("n0")->times.calls == 1);
}

int main(void) {
    test_begin_and_end();
    test_add();
    test_full();
    puts("profile: passed");
}
