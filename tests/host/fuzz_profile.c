// sources: kernel_lib/jit/store/function_names.c kernel_lib/jit/store/profile_file.c
// sources: kernel_lib/jit/store/profile_parse.c kernel_lib/crc32.c kernel_lib/error.c
// sources: kernel_lib/io/format.c
// runs: 40000
/* Any text as a profile, its checksum made right: what is read is written again as the same text,
 * if all of it was understood. */
#include "check.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/jit/store/profile_file.h"
#include <string.h>

static const char head[] = "bareflow jit profile 1\nbuild b\ncpu c\nboots 1\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { COUNT = 3 };
    static struct jit_function f = {.name = "f"}, g = {.name = "g"}, h = {.name = "h"};
    static struct jit_function *const functions[COUNT] = {&f, &g, &h};
    size_t whole = sizeof head - 1 + size;
    char *text = malloc(whole + 14);
    memcpy(text, head, sizeof head - 1);
    memcpy(text + sizeof head - 1, data, size);
    sprintf(text + whole, "crc %08x\n", (unsigned)crc32_update(0, text, whole));
    const struct profile empty = {.build_id = "b", .cpu_id = "c", functions, COUNT};
    struct profile profile = empty, again = empty;
    struct error why;
    if (profile_parse(&profile, text, whole + 13, &why)) {
        struct jit_history histories[COUNT];
        size_t written_size;
        char *written = profile_write(&profile, &written_size);
        for (int i = 0; i < COUNT; i++) {
            memcpy(&histories[i], &functions[i]->earlier, sizeof histories[i]);
            memset(&functions[i]->earlier, 0, sizeof histories[i]);
        }
        CHECK(profile_parse(&again, written, written_size, &why));
        for (int i = 0; i < COUNT; i++) {
            CHECK(memcmp(&histories[i], &functions[i]->earlier, sizeof histories[i]) == 0);
            memset(&functions[i]->earlier, 0, sizeof histories[i]);
        }
        free(written);
    }
    free(text);
    return 0;
}
