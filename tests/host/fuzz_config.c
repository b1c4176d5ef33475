// sources: kernel_lib/config/config.c
/* Any text as configuration: every setting that comes out can be got by its key. */
#include "check.h"
#include "kernel_lib/config/config.h"
#include "kernel_lib/runtime.h"

static void report(void *context, unsigned line, const char *message) {
    unsigned *last = context;
    CHECK(line > *last && message[0] != '\0');
    *last = line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned last = 0;
    config_parse((const char *)data, size, report, &last);
    for (size_t i = 0; config_key(i); i++) {
        const char *value = config_get(config_key(i));
        CHECK(value && strlen(value) <= size);
    }
    config_clear();
    return 0;
}
