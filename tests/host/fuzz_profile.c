// sources: kernel_lib/jit/store/function_names.c kernel_lib/jit/store/profile_file.c
// sources: kernel_lib/jit/store/profile_parse.c kernel_lib/crc32.c kernel_lib/error.c
/* Any text as a profile, its checksum made right: what is read is written again as the same text,
 * if all of it was understood. */
#include "check.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/jit/store/profile_file.h"
#include <string.h>

static const char head[] = "bareflow jit profile 1\nbuild b\ncpu c\nboots 1\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct jit_function functions[] = {{.name = "f"}, {.name = "g"}, {.name = "h"}};
    size_t whole = sizeof head - 1 + size;
    char *text = malloc(whole + 14);
    memcpy(text, head, sizeof head - 1);
    memcpy(text + sizeof head - 1, data, size);
    sprintf(text + whole, "crc %08x\n", (unsigned)crc32_update(0, text, whole));
    struct profile profile, again;
    struct error why;
    CHECK(profile_init(&profile, "b", "c", functions, 3));
    CHECK(profile_init(&again, "b", "c", functions, 3));
    if (profile_parse(&profile, text, whole + 13, &why)) {
        size_t written_size;
        char *written = profile_write(&profile, &written_size);
        CHECK(profile_parse(&again, written, written_size, &why));
        CHECK(memcmp(profile.entries, again.entries, 3 * sizeof *again.entries) == 0);
        free(written);
    }
    profile_free(&profile);
    profile_free(&again);
    free(text);
    return 0;
}
