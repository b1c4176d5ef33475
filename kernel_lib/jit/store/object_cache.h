/*
 * /profile/JIT.OBJ: compiled code of the application's functions, for the next boot of the same
 * build on the same CPU. Pure: no disk, no console. All numbers in the file are little-endian:
 *
 *   8 bytes    "BFJITOB1"
 *   32 bytes   build id, as hexadecimal digits
 *   32 bytes   CPU, as hexadecimal digits (cpu_id.h)
 *   u32        number of objects; then for each:
 *     u32s     bytes of the function's name, of the body's name, of the object; level; 1 if
 *              specialised; options; arguments; number of frequent argument values
 *     u64s     for each of these its calls, and as many values as there are arguments
 *     bytes    the names and the object, without anything in between
 *   u32        CRC-32 of all that stands before it
 */
#pragma once
#include "kernel_lib/error.h"
#include "kernel_lib/jit/code.h"
#include "kernel_lib/jit/store/cpu_id.h"

#define OBJECT_CACHE_BUILD_ID 32

struct cached_object {
    struct cached_object *next;
    struct jit_function *function;
    struct jit_code code;
    struct jit_value_profile values; /* that the code has clones for */
    bool current;                    /* what the function runs; the file has no others */
    size_t size;
    uint8_t bytes[];
};

struct object_cache {
    const char *build_id, *cpu_id;
    struct jit_function *const *functions;
    size_t count;
    size_t limit; /* bytes of the file */
    struct cached_object *objects;
    bool changed; /* by object_cache_put; whoever writes the file clears it */
};

void object_cache_init(struct object_cache *cache, const char *build_id, const char *cpu_id,
                       struct jit_function *const *functions, size_t count, size_t limit);
void object_cache_clear(struct object_cache *cache);

/* Reads a file into a cache that is empty; none of its objects is current yet. False, with the
 * cache empty, and *why when it is another build's or CPU's or anything is wrong with it. */
bool object_cache_parse(struct object_cache *cache, const uint8_t *bytes, size_t size,
                        struct error *why);

/* The function runs this code now; if it is specialised, with clones for the function's frequent
 * argument values. object is NULL when the cache has been given it before. False when there is
 * no memory for it, or the cache does not have it: then nothing of the function is current. */
bool object_cache_put(struct object_cache *cache, struct jit_function *function,
                      const struct jit_code *code, const void *object, size_t size);

/* The file's contents, the caller's to free; NULL when there is no memory for them. If the limit is
 * too small, the functions with the most calls are stored. Evicts objects that are not current. */
uint8_t *object_cache_write(struct object_cache *cache, size_t *size);
