// sources: kernel_lib/jit/settings.c kernel_lib/config/config.c kernel_lib/config/parse.c
// sources: kernel_lib/config/unknown_keys.c kernel_lib/error.c tests/host/console.c
// sources: kernel_lib/io/format.c
/* The settings jit.*, and what is said about wrong ones. */
#include "check.h"
#include "console.h"
#include "jit_configuration.h"
#include "kernel_lib/jit_runtime.h"
#include <string.h>

struct jit_statistics *jit_statistics(void) {
    static struct jit_statistics statistics;
    return &statistics;
}

static void check_wrong(const char *text, const char *message) {
    struct error error = {""};
    CHECK(!configure(text, &error));
    if (strcmp(error.text, message) != 0)
        fprintf(stderr, "said: %s\nwant: %s\n", error.text, message);
    CHECK(strcmp(error.text, message) == 0);
}

static void test_settings(void) {
    struct error error;
    CHECK(configure("", &error) && jit_settings()->thresholds[JIT_O2] == 1000);
    CHECK(configure("jit.thresholds = 1,2,2,30\njit.max_level = O2\njit.specialise = off\n"
                    "jit.cost_ms = 7\njit.tier0 = O0\nsteps = 4",
                    &error));
    const struct jit_settings *s = jit_settings();
    CHECK(s->thresholds[JIT_O0] == 1 && s->thresholds[JIT_O1] == 2 && s->thresholds[JIT_O3] == 30);
    CHECK(s->max_level == JIT_O2 && !s->specialise && s->cost_ms == 7 && s->tier0 == JIT_O0);
#define NOT_FOUR                                                                                   \
    ": not four ascending numbers of calls, for O0, O1, O2 and O3, like 10,100,1000,10000"
    check_wrong("jit.thresholds = 10,100,1000", "jit.thresholds = 10,100,1000" NOT_FOUR);
    check_wrong("jit.thresholds = 10,100,99,1000", "jit.thresholds = 10,100,99,1000" NOT_FOUR);
    check_wrong("jit.thresholds = 0,1,2,3", "jit.thresholds = 0,1,2,3" NOT_FOUR);
    check_wrong("jit.thresholds = 1,2,3,4,", "jit.thresholds = 1,2,3,4," NOT_FOUR);
    check_wrong("jit.thresholds = 1,2,3,18446744073709551616",
                "jit.thresholds = 1,2,3,18446744073709551616" NOT_FOUR);
    check_wrong("jit.tier0 = O4", "jit.tier0 = O4: there are interpreter, O0, O1, O2 and O3");
    CHECK(configure("jit.tier0 = O3", &error) && s->tier0 == JIT_O3);
    check_wrong("jit.max_level = 2", "jit.max_level = 2: there are interpreter, O0, O1, O2 and O3");
    check_wrong("jit.cache = yes", "jit.cache = yes: there are on and off");
    check_wrong("jit.budget = 101", "jit.budget = 101: not a whole number from 0 to 100");
    check_wrong("jit.budget = 5%", "jit.budget = 5%: not a whole number from 0 to 100");
    console[0] = '\0';
    check_wrong("jit.tier = O0\nsteps = 4", "a setting of the JIT is unknown");
    CHECK(strcmp(console,
                 "warning: unknown setting \"jit.tier\"; there are jit.budget jit.cache "
                 "jit.cache_mb jit.compile_all jit.cost_ms jit.export_profile jit.idle "
                 "jit.interpret_loops jit.max_level jit.profile jit.specialise jit.thresholds "
                 "jit.tier0 jit.write_native\n") == 0);
    console[0] = '\0';
#define NOT_ALL ": there are off, failures, copies, on, and parts like 1/2"
    check_wrong("jit.compile_all = all", "jit.compile_all = all" NOT_ALL);
    check_wrong("jit.compile_all = 0/2", "jit.compile_all = 0/2" NOT_ALL);
    check_wrong("jit.compile_all = 3/2", "jit.compile_all = 3/2" NOT_ALL);
    check_wrong("jit.compile_all = 1/2/3", "jit.compile_all = 1/2/3" NOT_ALL);
    CHECK(configure("jit.compile_all = copies", &error) && s->compile_all == JIT_COMPILE_COPIES);
    CHECK(s->compile_part == 1 && s->compile_parts == 1);
    CHECK(configure("jit.compile_all = 2/3", &error) && s->compile_all == JIT_COMPILE_ALL);
    CHECK(s->compile_part == 2 && s->compile_parts == 3);
    CHECK(configure("jit.compile_all = failures", &error));
    CHECK(s->compile_all == JIT_COMPILE_FAILURES);
    CHECK(configure("jit.compile_all = on", &error) && s->compile_all == JIT_COMPILE_ALL);
    CHECK(configure("jit.compile_all = off", &error) && s->compile_all == JIT_COMPILE_NONE);
    CHECK(configure("jit.tier0 = interpreter\njit.max_level = O3\njit.specialise = on\n"
                    "jit.thresholds = 10,100,1000,10000\njit.cost_ms = 50\njit.budget = 100\n",
                    &error));
}

int main(void) {
    test_settings();
    config_clear();
    puts("JIT settings: passed");
}
