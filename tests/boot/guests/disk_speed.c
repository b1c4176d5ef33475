/* Reads /model/model.bin several times and prints how long each took, for
 * site_scons/bareflow/bench/disk_cases.py; then waits for a key. */
#include "kernel_lib/runtime.h"
#include <inttypes.h>

#define PASSES 20

int app_main(void) {
    struct error error;
    struct file *file = file_open("/model/model.bin", &error);
    uint8_t *bytes = file ? malloc((size_t)file_size(file)) : NULL; /* NULL: something failed */
    for (int pass = 0; bytes && pass < PASSES; pass++) {
        console_printf("begin %d\n", pass);
        uint64_t begin = cpu_rdtsc();
        if (!file_read(file, 0, bytes, (size_t)file_size(file), &error))
            bytes = NULL;
        uint64_t cycles = cpu_rdtsc() - begin;
        console_printf("end %d: %" PRIu64 " us\n", pass,
                       cycles * 1000000 / cpu_cycles_per_second());
    }
    if (!bytes) {
        console_printf("error: %s\n", file ? error.text : "The file cannot be read.");
        return 1;
    }
    keyboard_getchar();
    return 0;
}
