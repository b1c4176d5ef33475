/* Snapshots, where nothing boots: one file, which is another kernel's on the bare machine. */
#include "kernel_lib/runtime.h"

#define PATH "/boot/snapshots/0001.KRN"

bool snapshots_add(const char *kind, const void *kernel, size_t size, struct error *error) {
    if (!file_replace(PATH, kernel, size, error))
        return false;
    console_printf("%s, %s, %zu bytes.\n", PATH, kind, size);
    return true;
}

void snapshots_report_success(void) {}

void snapshots_print(void) {
    console_puts("There are snapshots only where the machine can boot them.\n");
}
