// sources: kernel_lib/jit/store/function_names.c kernel_lib/jit/store/object_cache.c
// sources: kernel_lib/crc32.c kernel_lib/error.c
// sources: kernel_lib/io/format.c
// runs: 60000
/* Any bytes as an object cache, with the right head and checksum. */
#include "check.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/jit/store/object_cache.h"
#include <string.h>

#define BUILD "0123456789abcdef0123456789abcdef"
#define HEAD_SIZE 72 /* up to the number of objects */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct jit_function f = {.name = "f"}, g = {.name = "g"}, h = {.name = "h"};
    static struct jit_function *const functions[] = {&f, &g, &h};
    uint8_t *bytes = malloc(HEAD_SIZE + size + 4);
    memcpy(bytes, "BFJITOB1" BUILD BUILD, HEAD_SIZE);
    memcpy(bytes + HEAD_SIZE, data, size);
    uint32_t crc = crc32_update(0, bytes, HEAD_SIZE + size);
    memcpy(bytes + HEAD_SIZE + size, &crc, 4);
    struct object_cache cache;
    struct error why;
    object_cache_init(&cache, BUILD, BUILD, functions, 3, 1 << 20);
    if (object_cache_parse(&cache, bytes, HEAD_SIZE + size + 4, &why)) {
        for (struct cached_object *object = cache.objects; object; object = object->next) {
            CHECK(object->function && object->code.body && object->values.count <= JIT_FREQUENT);
            object->current = true;
        }
        size_t written_size;
        uint8_t *written = object_cache_write(&cache, &written_size);
        CHECK(written_size == HEAD_SIZE + size + 4);
        free(written);
    }
    CHECK(size >= 4 || !cache.objects);
    object_cache_clear(&cache);
    free(bytes);
    return 0;
}
