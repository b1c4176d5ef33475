/* Writes snapshots, which are copies of its own kernel, and says which there are: adds=N. */
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/boot_slots.h"

static uint8_t *read_kernel(size_t *size, struct error *error) {
    struct file *file = file_open(BOOT_ROOT, error);
    if (!file)
        return NULL;
    *size = (size_t)file_size(file);
    uint8_t *bytes = malloc(*size);
    bool is_read = bytes && file_read(file, 0, bytes, *size, error);
    file_close(file);
    return is_read ? bytes : NULL;
}

int app_main(void) {
    struct error error = {""};
    size_t size;
    const char *given = config_get("adds");
    uint8_t *kernel = read_kernel(&size, &error);
    snapshots_report_success();
    for (long adds = given ? strtol(given, NULL, 10) : 0; adds > 0; adds--) {
        struct new_snapshot snapshot = {"native", kernel, size, "", ""};
        if (!kernel || !snapshots_add(&snapshot, &error))
            console_printf("error: %s\n", error.text);
    }
    config_report_unknown("");
    snapshots_print();
    return 0;
}
