/* Writes what coverage.c has recorded to /profile. */
#include "kernel_lib/coverage/coverage.h"
#include "kernel_lib/coverage/coverage_file.h"
#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/generations.h"
#include "kernel_lib/runtime.h"

#define MAX_SIZE (16u << 20)

#define MAX_WRITES 4

#pragma weak platform_code_id /* where no kernel is another one's trimmed copy, there is none */

static struct coverage_seen seen_now(void) {
    struct coverage_seen seen = {
        .build_id = platform_code_id ? platform_code_id() : platform_build_id(),
        .functions = kernel_symbols.count,
        .application = coverage_get_application(),
    };
    seen.order = coverage_order(&seen.executed);
    return seen;
}

/* Makes the file's new contents from the old ones and writes them. *hit becomes the number of this
 * boot's functions in them. */
static bool write(const uint8_t *old, size_t old_size, uint32_t *hit, struct error *why,
                  struct error *error) {
    struct coverage_seen seen = seen_now();
    *hit = seen.executed;
    size_t size;
    uint8_t *made = coverage_file_make(&seen, old, old_size, &size, why);
    if (!made)
        return error_set(error, "there is no memory for it");
    bool written = generation_write(COVERAGE_PATH, made, size, error);
    free(made);
    return written;
}

/* Writing runs functions too, which only the next writing can know of. So the file is written until
 * nothing new has run. */
static bool save(uint32_t *hit, struct error *error) {
    size_t old_size = 0;
    struct error unreadable, why = {""};
    uint8_t *old = generation_read(COVERAGE_PATH, MAX_SIZE, &old_size, &unreadable);
    uint32_t executed;
    bool saved;
    unsigned writes = 0;
    do {
        saved = write(old, old_size, hit, &why, error);
        coverage_order(&executed);
    } while (saved && executed != *hit && ++writes < MAX_WRITES);
    if (!old && unreadable.text[0])
        why = unreadable;
    free(old);
    if (why.text[0])
        console_printf("%s begins anew: %s.\n", COVERAGE_PATH, why.text);
    return saved;
}

bool coverage_of_earlier_boots(uint8_t *bits, struct error *error) {
    size_t size;
    struct error why;
    struct coverage_seen seen = seen_now();
    uint8_t *file = generation_read(COVERAGE_PATH, MAX_SIZE, &size, &why);
    const uint8_t *earlier = file ? coverage_file_bits(&seen, file, size, &why) : NULL;
    for (uint32_t i = 0; earlier && i < (seen.functions + 7) / 8; i++)
        bits[i] |= earlier[i];
    free(file);
    return earlier || error_set(error, "No earlier boot is in %s: %s.", COVERAGE_PATH,
                                why.text[0] ? why.text : "there is no such file");
}

bool coverage_of_all_boots(uint8_t *bits, struct error *error) {
    uint32_t count;
    const uint32_t *order = coverage_order(&count);
    if (!coverage_running())
        return error_set(error, "This boot is not recorded: the setting coverage is off.");
    if (!coverage_of_earlier_boots(bits, error))
        return false;
    for (uint32_t i = 0; i < count; i++)
        bits[order[i] / 8] |= (uint8_t)(1 << order[i] % 8);
    return true;
}

void coverage_save(void) {
    struct error error;
    uint32_t hit, functions = 0;
    if (!coverage_running() || files_stopped())
        return;
    if (!save(&hit, &error)) {
        console_printf("warning: %s is not written: %s\n", COVERAGE_PATH, error.text);
        return;
    }
    for (uint32_t i = 0; i < kernel_symbols.count; i++)
        functions += !(kernel_unsized_symbols[i / 8] >> i % 8 & 1);
    console_event("{\"event\":\"coverage\",\"functions\":%u,\"hit\":%u}", functions, hit);
}
