/*
 * Ends the machine in the way that the configuration key `end` names: "exit"
 * (with code 7; ACPI power-off without isa-debug-exit) or "reboot".
 */
#include "kernel_lib/runtime.h"

int app_main(void) {
    const char *end = config_get("end");
    console_puts("ready\n");
    if (end && strcmp(end, "exit") == 0)
        platform_exit(7);
    if (end && strcmp(end, "reboot") == 0)
        platform_reboot();
    console_puts("error: the key `end` must be exit or reboot\n");
    return 1;
}
