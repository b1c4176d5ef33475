#include "kernel_lib/jit/store/object_cache.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/jit/store/function_names.h"
#include <stdlib.h>
#include <string.h>

static const char signature[8] = {'B', 'F', 'J', 'I', 'T', 'O', 'B', '1'};

struct __attribute__((packed)) file_header {
    char signature[sizeof signature];
    char build_id[OBJECT_CACHE_BUILD_ID];
    char cpu_id[JIT_CPU_ID];
    uint32_t objects;
};

struct __attribute__((packed)) object_header {
    uint32_t name_size, body_size, object_size;
    uint32_t level, specialised, options, arguments, value_count;
};

#define CRC_SIZE sizeof(uint32_t)

void object_cache_init(struct object_cache *cache, const char *build_id, const char *cpu_id,
                       struct jit_function *const *functions, size_t count, size_t limit) {
    *cache = (struct object_cache){build_id, cpu_id, functions, count, limit, NULL, false};
}

void object_cache_clear(struct object_cache *cache) {
    while (cache->objects) {
        struct cached_object *next = cache->objects->next;
        free(cache->objects);
        cache->objects = next;
    }
}

static void drop(struct cached_object **at) {
    struct cached_object *object = *at;
    *at = object->next;
    free(object);
}

/* ---- Objects of the engine ---- */

static bool same_code(const struct jit_code *a, const struct jit_code *b) {
    return a->body == b->body && a->level == b->level && a->specialised == b->specialised &&
           a->options == b->options;
}

bool object_cache_put(struct object_cache *cache, struct jit_function *function,
                      const struct jit_code *code, const void *bytes, size_t size) {
    struct cached_object *known = NULL;
    for (struct cached_object **at = &cache->objects; *at;) {
        struct cached_object *object = *at;
        object->current = object->current && object->function != function;
        bool same = object->function == function && same_code(&object->code, code);
        if (same && bytes) {
            drop(at);
            continue;
        }
        if (same)
            known = object;
        at = &object->next;
    }
    cache->changed = true;
    if (bytes) {
        known = malloc(sizeof *known + size);
        if (!known)
            return false;
        *known = (struct cached_object){
            .next = cache->objects, .function = function, .code = *code, .size = size};
        if (code->specialised)
            known->values = function->values;
        memcpy(known->bytes, bytes, size);
        cache->objects = known;
    }
    if (known)
        known->current = true;
    return known != NULL;
}

/* ---- Writing ---- */

static size_t values_size(const struct cached_object *object) {
    return object->values.count * (object->values.arguments + 1u) * sizeof(uint64_t);
}

static size_t stored_size(const struct cached_object *object) {
    return sizeof(struct object_header) + values_size(object) + strlen(object->function->name) +
           strlen(object->code.body->name) + object->size;
}

/* Functions that are called more come first. */
static void sort(struct object_cache *cache) {
    struct cached_object *sorted = NULL;
    while (cache->objects) {
        struct cached_object *object = cache->objects, **at = &sorted;
        cache->objects = object->next;
        while (*at && (*at)->function->calls >= object->function->calls)
            at = &(*at)->next;
        object->next = *at;
        *at = object;
    }
    cache->objects = sorted;
}

/* Leaves in the cache what goes into the file; returns the file's size. */
static size_t select_objects(struct object_cache *cache) {
    size_t size = sizeof(struct file_header) + CRC_SIZE;
    sort(cache);
    for (struct cached_object **at = &cache->objects; *at;) {
        size_t more = stored_size(*at);
        if ((*at)->current && size + more <= cache->limit) {
            size += more;
            at = &(*at)->next;
        } else {
            drop(at);
        }
    }
    return size;
}

static uint8_t *append(uint8_t *at, const void *bytes, size_t size) {
    memcpy(at, bytes, size);
    return at + size;
}

static uint8_t *write_object(uint8_t *at, const struct cached_object *object) {
    const char *name = object->function->name, *body = object->code.body->name;
    struct object_header header = {
        .name_size = (uint32_t)strlen(name),
        .body_size = (uint32_t)strlen(body),
        .object_size = (uint32_t)object->size,
        .level = object->code.level,
        .specialised = object->code.specialised,
        .options = object->code.options,
        .arguments = object->values.arguments,
        .value_count = object->values.count,
    };
    at = append(at, &header, sizeof header);
    for (unsigned i = 0; i < header.value_count; i++) {
        const struct jit_argument_values *values = &object->values.frequent[i];
        at = append(at, &values->calls, sizeof(uint64_t));
        at = append(at, values->values, header.arguments * sizeof(uint64_t));
    }
    at = append(at, name, header.name_size);
    at = append(at, body, header.body_size);
    return append(at, object->bytes, object->size);
}

uint8_t *object_cache_write(struct object_cache *cache, size_t *size) {
    *size = select_objects(cache);
    uint8_t *bytes = malloc(*size);
    if (!bytes)
        return NULL;
    struct file_header header = {.objects = 0};
    memcpy(header.signature, signature, sizeof signature);
    memcpy(header.build_id, cache->build_id, sizeof header.build_id);
    memcpy(header.cpu_id, cache->cpu_id, sizeof header.cpu_id);
    uint8_t *at = bytes + sizeof header;
    for (const struct cached_object *object = cache->objects; object; object = object->next) {
        header.objects++;
        at = write_object(at, object);
    }
    memcpy(bytes, &header, sizeof header);
    uint32_t crc = crc32_update(0, bytes, (size_t)(at - bytes));
    memcpy(at, &crc, sizeof crc);
    return bytes;
}

/* ---- Reading ---- */

struct bytes {
    const uint8_t *at;
    size_t left;
};

/* The next size bytes, or NULL when there are not so many. */
static const uint8_t *take(struct bytes *bytes, size_t size) {
    const uint8_t *taken = bytes->at;
    if (bytes->left < size)
        return NULL;
    bytes->at += size;
    bytes->left -= size;
    return taken;
}

static bool plausible(const struct object_header *header) {
    return header->level > JIT_INTERPRETER && header->level < JIT_LEVELS &&
           header->specialised <= 1 && header->arguments <= JIT_ARGUMENTS &&
           header->value_count <= JIT_FREQUENT && header->object_size > 0;
}

/* NULL when the bytes make no object. */
static struct cached_object *parse_object(const struct function_names *names, struct bytes *bytes) {
    struct object_header header;
    const uint8_t *at = take(bytes, sizeof header);
    if (!at)
        return NULL;
    memcpy(&header, at, sizeof header);
    if (!plausible(&header))
        return NULL;
    size_t size = header.arguments * sizeof(uint64_t);
    const uint8_t *values = take(bytes, header.value_count * (sizeof(uint64_t) + size));
    const uint8_t *name = take(bytes, header.name_size), *body = take(bytes, header.body_size);
    const uint8_t *code = take(bytes, header.object_size);
    if (!values || !name || !body || !code)
        return NULL;
    struct cached_object *object = malloc(sizeof *object + header.object_size);
    if (!object)
        return NULL;
    *object = (struct cached_object){
        .function = function_names_find(names, name, header.name_size),
        .code = {function_names_find(names, body, header.body_size), (enum jit_level)header.level,
                 header.specialised, header.options},
        .values = {.arguments = (uint8_t)header.arguments, .count = (uint8_t)header.value_count},
        .size = header.object_size,
    };
    for (unsigned i = 0; i < header.value_count; i++, values += sizeof(uint64_t) + size) {
        memcpy(&object->values.frequent[i].calls, values, sizeof(uint64_t));
        memcpy(object->values.frequent[i].values, values + sizeof(uint64_t), size);
    }
    memcpy(object->bytes, code, header.object_size);
    if (object->function && object->code.body)
        return object;
    free(object);
    return NULL;
}

static bool parse_objects(struct object_cache *cache, struct bytes *bytes, uint32_t count,
                          struct error *why) {
    struct function_names names;
    if (!function_names_init(&names, cache->functions, cache->count))
        return error_set(why, "there is no memory to read it");
    struct cached_object **end = &cache->objects;
    uint32_t i = 0;
    for (; i < count && (*end = parse_object(&names, bytes)); i++)
        end = &(*end)->next;
    function_names_free(&names);
    if (i < count)
        return error_set(why, "its object %u is not understood", (unsigned)i);
    return bytes->left == 0 || error_set(why, "there is more in it than its objects");
}

static bool parse(struct object_cache *cache, struct bytes bytes, struct error *why) {
    struct file_header header;
    uint32_t crc;
    const uint8_t *all = bytes.at, *at = take(&bytes, sizeof header);
    if (!at || bytes.left < CRC_SIZE)
        return error_set(why, "it is cut short");
    memcpy(&header, at, sizeof header);
    if (memcmp(header.signature, signature, sizeof signature) != 0)
        return error_set(why, "it is of another version");
    bytes.left -= CRC_SIZE;
    memcpy(&crc, bytes.at + bytes.left, sizeof crc);
    if (crc != crc32_update(0, all, sizeof header + bytes.left))
        return error_set(why, "it is damaged");
    if (memcmp(header.build_id, cache->build_id, sizeof header.build_id) != 0)
        return error_set(why, "it is of another build, %.32s", header.build_id);
    if (memcmp(header.cpu_id, cache->cpu_id, sizeof header.cpu_id) != 0)
        return error_set(why, "it is of another CPU, %.32s", header.cpu_id);
    return parse_objects(cache, &bytes, header.objects, why);
}

bool object_cache_parse(struct object_cache *cache, const uint8_t *bytes, size_t size,
                        struct error *why) {
    if (parse(cache, (struct bytes){bytes, size}, why))
        return true;
    object_cache_clear(cache);
    return false;
}
