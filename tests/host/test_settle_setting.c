// sources: kernel_lib/life/settle_setting.c kernel_lib/config/config.c kernel_lib/config/parse.c
// sources: kernel_lib/error.c tests/host/console.c
// sources: kernel_lib/io/format.c
/* The setting life.settle, and what is said about a wrong one. */
#include "check.h"
#include "console.h"
#include "kernel_lib/config/config.h"
#include "kernel_lib/life/settle_setting.h"
#include <string.h>

static void no_report(void *context, unsigned line, const char *message) {
    (void)context, (void)line, (void)message;
    CHECK(false);
}

static void configure(const char *text) {
    console[0] = '\0';
    config_clear();
    config_parse(text, strlen(text), no_report, NULL);
    life_configure();
}

static void check_wrong(const char *text) {
    unsigned before = life_settle();
    configure(text);
    CHECK(life_settle() == before);
    CHECK(strstr(console, "warning: life.settle = ") == console);
    CHECK(strstr(console, " is not possible: choose 0 to 1000; it is "));
}

int main(void) {
    configure("");
    CHECK(life_settle() == 3 && console[0] == '\0');
    check_wrong("life.settle = never");
    check_wrong("life.settle = -1");
    check_wrong("life.settle = 3 boots");
    check_wrong("life.settle = 1001");
    check_wrong("life.settle = 18446744073709551617");
    check_wrong("life.settle = \"\"");
    configure("life.settle = 1000");
    CHECK(life_settle() == 1000 && console[0] == '\0');
    configure("life.settle = 0");
    CHECK(life_settle() == 0 && console[0] == '\0');
    puts("settle_setting: passed");
    return 0;
}
