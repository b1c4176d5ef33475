#include "self_trim.h"
#include "dead_functions.h"
#include "kernel_image.h"
#include "kernel_lib/coverage/coverage.h"
#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/removed/removed_functions.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/boot_slots.h"
#include "pack.h"

#define INT3 0xCC

/* What is removed. */
struct removal {
    uint32_t functions;
    uint64_t bytes; /* of code, with the padding behind the functions */
};

/* Where the image has what the running kernel has at this address. */
static uint8_t *in_image(uint8_t *image, const void *address) {
    return image + ((const char *)address - __kernel_start);
}

static uint32_t end_of(uint32_t index) {
    return index + 1 < kernel_symbols.count ? kernel_symbols.starts[index + 1]
                                            : (uint32_t)(__text_end - __kernel_start);
}

/* Fills the bodies, and notes the functions in the copy's tables. They get no breakpoints there:
 * those of unknown size have none. */
static struct removal remove_functions(uint8_t *image, const uint8_t *dead) {
    struct removal removal = {0};
    size_t bits_size = (kernel_symbols.count + 7) / 8;
    uint8_t *removed = in_image(image, removed_functions.bits) + bits_size;
    uint8_t *unsized = in_image(image, kernel_unsized_symbols);
    for (uint32_t i = 0; i < kernel_symbols.count; i++) {
        if (!function_is_dead(dead, i))
            continue;
        uint32_t size = end_of(i) - kernel_symbols.starts[i];
        memset(image + kernel_symbols.starts[i], INT3, size);
        removal.functions++;
        removal.bytes += size;
    }
    for (size_t i = 0; i < bits_size; i++) {
        removed[i] = dead[i];
        unsized[i] |= dead[i];
    }
    const struct kernel_header *header = (const struct kernel_header *)image;
    memcpy(in_image(image, removed_functions.origin), header->build_id, REMOVED_ORIGIN_SIZE);
    *in_image(image, &coverage_by_default) = false;
    return removal;
}

static bool write_copy(uint8_t *image, const uint8_t *dead, bool (*go_on)(void),
                       struct error *error) {
    uint64_t begin = cpu_rdtsc();
    struct removal removal = remove_functions(image, dead);
    size_t size = kernel_pack(image, go_on, error);
    if (size == 0)
        return false;
    console_event("{\"event\":\"trim\",\"functions\":%u,\"removed\":%u,\"removed_bytes\":%lu,"
                  "\"kernel_bytes\":%zu,\"cycles\":%lu,\"peak_bytes\":%lu}",
                  kernel_symbols.count, removal.functions, removal.bytes, size, cpu_rdtsc() - begin,
                  memory_usage().peak);
    struct new_snapshot snapshot = {"trimmed", image, size, "", ""};
    return snapshots_add(&snapshot, error);
}

bool self_trim_possible(struct error *error) {
    if (kernel_is_trimmed_copy() || removed_functions.count == 0)
        return error_set(error, "This kernel has been trimmed already.");
    uint8_t *dead = dead_functions(error);
    free(dead);
    return dead != NULL;
}

uint64_t self_trim_memory(void) {
    return (uint64_t)(__kernel_end - __kernel_start);
}

bool self_trim(bool (*go_on)(void), struct error *error) {
    char path[BOOT_PATH_SIZE];
    uint8_t *dead = dead_functions(error);
    if (!dead)
        return false;
    boot_slots_booted(path);
    uint8_t *image = kernel_image_read(path, platform_build_id(), error);
    bool written = image && write_copy(image, dead, go_on, error);
    free(image);
    free(dead);
    return written;
}
