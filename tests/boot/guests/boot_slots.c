/*
 * Ends in the way that the configuration key `end` names, with or without a word to the loader
 * about this kernel: "reset" (none), "report" (success, then a restart), "return" (from app_main)
 * or "fall back" (asks for the other kernel and restarts).
 */
#include "kernel_lib/runtime.h"

int app_main(void) {
    const char *end = config_get("end");
    struct error error;
    console_puts("ready\n");
    if (!end || strcmp(end, "return") == 0)
        return 0;
    if (strcmp(end, "report") == 0)
        boot_slots_report_success();
    if (strcmp(end, "fall back") == 0 && !boot_slots_fall_back(&error)) {
        console_printf("error: %s\n", error.text);
        return 1;
    }
    platform_reboot();
}
