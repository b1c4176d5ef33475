/*
 * Replaces /profile/ROUND.BIN again and again with larger contents, `rounds` times (0: until that
 * fails), prints "round N ok" after each and reads it back. When it fails it prints the error, goes
 * on to all that can be tried, and prints "given up in N ms". Ends with code 0.
 */
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/storage.h"
#include <inttypes.h>

#define PATH "/profile/ROUND.BIN"
#define MOST (1u << 20)

static uint8_t written[MOST], found[MOST];

static bool round_trip(unsigned number, struct error *error) {
    size_t size = 1000 * (number % 1000);
    memset(written, (int)number, size);
    if (!file_replace(PATH, written, size, error))
        return false;
    struct file *file = file_open(PATH, error);
    bool done = file && file_read(file, 0, found, size, error);
    if (done && (file_size(file) != size || memcmp(written, found, size) != 0))
        panic("round %u has read something else", number);
    file_close(file);
    return done;
}

int app_main(void) {
    struct error error;
    const char *rounds = config_get("rounds");
    unsigned long most = rounds ? strtoul(rounds, NULL, 10) : 0;
    console_printf("disk: %s\n", storage_disk_name());
    for (unsigned number = 1; most == 0 || number <= most; number++) {
        if (round_trip(number, &error)) {
            console_printf("round %u ok\n", number);
            continue;
        }
        console_printf("error: %s\n", error.text);
        uint64_t start = cpu_rdtsc();
        for (int i = 0; i < 10; i++)
            round_trip(number, &error);
        uint64_t cycles = cpu_rdtsc() - start;
        console_printf("given up in %" PRIu64 " ms\n", cycles * 1000 / cpu_cycles_per_second());
        break;
    }
    return 0;
}
