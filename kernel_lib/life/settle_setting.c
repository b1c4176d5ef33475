#include "settle_setting.h"
#include "kernel_lib/runtime.h"

#define MOST 1000

static unsigned settle = 3;

void life_configure(void) {
    const char *value = config_get("life.settle");
    if (!value)
        return;
    char *end;
    unsigned long number = strtoul(value, &end, 10);
    if (*value >= '0' && *value <= '9' && *end == '\0' && number <= MOST)
        settle = (unsigned)number;
    else
        console_printf("warning: life.settle = %.60s is not possible: choose 0 to %u; it is %u.\n",
                       value, MOST, settle);
}

unsigned life_settle(void) {
    return settle;
}
