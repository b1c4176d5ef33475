// sources: kernel_lib/config/config.c kernel_lib/config/parse.c
// runs: 80000
/* Any text as configuration: every setting that comes out can be got by its key. */
#include "check.h"
#include "kernel_lib/config/config.h"
#include "kernel_lib/runtime.h"

static void report(void *context, unsigned line, const char *message) {
    unsigned *last = context;
    CHECK(line > *last && message[0] != '\0');
    *last = line;
}

static void check_setting(void *context, const struct setting *setting) {
    const char *value = config_get(setting->key);
    CHECK(value && value == setting->value && strlen(value) <= *(size_t *)context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned last = 0;
    config_parse((const char *)data, size, report, &last);
    config_visit(check_setting, &size);
    config_clear();
    return 0;
}
