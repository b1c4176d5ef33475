// sources: kernel_lib/jit/store/function_names.c kernel_lib/jit/store/object_cache.c
// sources: kernel_lib/crc32.c kernel_lib/error.c
// sources: kernel_lib/io/format.c
/* The object cache: what it keeps, its file, and all that it refuses. */
#include "check.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/jit/store/object_cache.h"
#include <string.h>

#define BUILD "0123456789abcdef0123456789abcdef"
#define CPU "fedcba9876543210fedcba9876543210"
#define LIMIT 100000

static struct jit_function main_function = {.name = "main"}, matmul = {.name = "matmul"},
                           dot = {.name = "dot"};
#define MAIN (&main_function)
#define MATMUL (&matmul)
#define DOT (&dot)
static struct jit_function *const functions[] = {MAIN, MATMUL, DOT};

/* Written by hand, after the description in object_cache.h. */
static const char file[] = "BFJITOB1" BUILD CPU "\2\0\0\0"
                           /* matmul, with dot's body */
                           "\6\0\0\0\3\0\0\0\4\0\0\0"
                           "\4\0\0\0\1\0\0\0\3\0\0\0\2\0\0\0\1\0\0\0"
                           "\7\0\0\0\0\0\0\0"
                           "\x40\0\0\0\0\0\0\0"
                           "\0\0\0\0\0\0\0\x80"
                           "matmuldot"
                           "\x7f"
                           "ELF"
                           /* main */
                           "\4\0\0\0\4\0\0\0\1\0\0\0"
                           "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                           "mainmain"
                           "x"
                           "CRC.";
#define FILE_SIZE (sizeof file - 1)

static void seal(uint8_t *bytes, size_t size) {
    uint32_t crc = crc32_update(0, bytes, size - 4);
    memcpy(bytes + size - 4, &crc, 4);
}

static struct object_cache empty(void) {
    struct object_cache cache;
    object_cache_init(&cache, BUILD, CPU, functions, 3, LIMIT);
    return cache;
}

static struct cached_object *find(struct object_cache *cache, const struct jit_function *function) {
    struct cached_object *object = cache->objects;
    while (object && object->function != function)
        object = object->next;
    return object;
}

static void test_read(void) {
    struct object_cache cache = empty();
    struct error why;
    uint8_t bytes[FILE_SIZE];
    memcpy(bytes, file, FILE_SIZE);
    seal(bytes, FILE_SIZE);
    CHECK(object_cache_parse(&cache, bytes, FILE_SIZE, &why));
    const struct cached_object *o = find(&cache, MATMUL);
    CHECK(o->code.body == DOT && o->code.level == JIT_O3 && o->code.specialised);
    CHECK(o->code.options == 3 && o->values.arguments == 2 && o->values.count == 1 && !o->current);
    CHECK(o->values.frequent[0].calls == 7 && o->values.frequent[0].values[0] == 64);
    CHECK(o->values.frequent[0].values[1] == 1ull << 63);
    CHECK(o->size == 4 && memcmp(o->bytes, "\177ELF", 4) == 0);
    o = find(&cache, MAIN);
    CHECK(o->code.body == MAIN && o->code.level == JIT_O0 && o->size == 1 && !o->next);
    CHECK(!find(&cache, DOT));
    object_cache_clear(&cache);
}

static void put(struct object_cache *cache, struct jit_function *function, enum jit_level level,
                unsigned options, const char *object) {
    struct jit_code code = {function, level, false, options};
    CHECK(object_cache_put(cache, function, &code, object, object ? strlen(object) : 0));
}

static void test_written_as_read(void) {
    struct object_cache cache = empty();
    MAIN->calls = 1;
    MATMUL->calls = 5;
    MATMUL->values.arguments = 2;
    MATMUL->values.count = 1;
    MATMUL->values.frequent[0] = (struct jit_argument_values){{64, 1ull << 63}, 7};
    put(&cache, MAIN, JIT_O0, 0, "x");
    struct jit_code code = {DOT, JIT_O3, true, 3};
    CHECK(object_cache_put(&cache, MATMUL, &code, "\177ELF", 4) && cache.changed);
    size_t size;
    uint8_t *bytes = object_cache_write(&cache, &size);
    CHECK(size == FILE_SIZE && memcmp(bytes, file, FILE_SIZE - 4) == 0);
    uint32_t crc = crc32_update(0, bytes, size - 4);
    CHECK(memcmp(bytes + size - 4, &crc, 4) == 0);
    free(bytes);
    object_cache_clear(&cache);
}

/* What is left of the cache after it was written: "function level shape bytes ". */
static const char *left(struct object_cache *cache) {
    static char text[200];
    size_t size;
    free(object_cache_write(cache, &size));
    text[0] = '\0';
    for (const struct cached_object *o = cache->objects; o; o = o->next)
        sprintf(text + strlen(text), "%s %d %u %.*s ", o->function->name, o->code.level,
                o->code.options, (int)o->size, o->bytes);
    return text;
}

static void test_current_ones_are_kept(void) {
    struct object_cache cache = empty();
    MAIN->calls = 10;
    DOT->calls = 9;
    put(&cache, DOT, JIT_O1, 0, "one");
    put(&cache, MAIN, JIT_O1, 0, "main");
    put(&cache, DOT, JIT_O3, 0, "plain");
    put(&cache, DOT, JIT_O3, 2, "loops");
    put(&cache, DOT, JIT_O3, 0, NULL); /* the fastest candidate */
    CHECK(strcmp(left(&cache), "main 2 0 main dot 4 0 plain ") == 0);
    put(&cache, DOT, JIT_O3, 0, "anew");
    CHECK(strcmp(left(&cache), "main 2 0 main dot 4 0 anew ") == 0);
    struct jit_code unknown = {DOT, JIT_O3, false, 1};
    CHECK(!object_cache_put(&cache, DOT, &unknown, NULL, 0));
    CHECK(strcmp(left(&cache), "main 2 0 main ") == 0);
    object_cache_clear(&cache);
}

static void test_limit(void) {
    struct object_cache cache = empty();
    MAIN->calls = 1;
    MATMUL->calls = 3;
    DOT->calls = 2;
    put(&cache, MAIN, JIT_O1, 0, "123456789");
    put(&cache, MATMUL, JIT_O1, 0, "123456789");
    put(&cache, DOT, JIT_O1, 0, "12345678901234567890");
    /* 80 bytes for head and CRC; an object takes 32, its names twice, itself. */
    cache.limit = 80 + (32 + 12 + 9) + (32 + 8 + 9);
    size_t size;
    free(object_cache_write(&cache, &size));
    CHECK(size == cache.limit && find(&cache, MATMUL) && find(&cache, MAIN) && !find(&cache, DOT));
    cache.limit = 79;
    free(object_cache_write(&cache, &size));
    CHECK(!cache.objects && size == 80);
    object_cache_clear(&cache);
}

static void check_refused(size_t at, uint8_t value, bool sealed, const char *reason) {
    struct object_cache cache = empty();
    struct error why;
    uint8_t bytes[FILE_SIZE];
    memcpy(bytes, file, FILE_SIZE);
    bytes[at] = value;
    seal(bytes, FILE_SIZE);
    bytes[FILE_SIZE - 1] ^= !sealed;
    CHECK(!object_cache_parse(&cache, bytes, FILE_SIZE, &why));
    CHECK(strstr(why.text, reason) && !cache.objects);
}

static void test_refused(void) {
    check_refused(0, 'B', false, "damaged");
    check_refused(7, '2', true, "another version");
    check_refused(8, 'f', true, "another build, f123456789abcdef");
    check_refused(40, '0', true, "another CPU, 0edcba9876543210");
    check_refused(72, 3, true, "object 2");
    check_refused(72, 1, true, "more in it");
    check_refused(76, 5, true, "object 0");    /* "matmu" is no function */
    check_refused(79, 0x80, true, "object 0"); /* a name of 2 GB */
    check_refused(84, 5, true, "object 1");    /* one byte more of the object */
    check_refused(88, 0, true, "object 0");    /* the interpreter has no code */
    check_refused(88, 5, true, "object 0");    /* there is no such level */
    check_refused(92, 2, true, "object 0");    /* neither specialised nor not */
    check_refused(100, 7, true, "object 0");   /* arguments */
    check_refused(104, 9, true, "object 0");   /* argument values */
    check_refused(138, 'x', true, "object 0"); /* matmul, xot */
}

/* In memory of just that size, so that reading on would be noticed. */
static void test_cut(void) {
    for (size_t size = 0; size < FILE_SIZE; size++) {
        struct object_cache cache = empty();
        struct error why;
        uint8_t *part = malloc(size ? size : 1);
        memcpy(part, file, size);
        CHECK(!object_cache_parse(&cache, part, size, &why) && !cache.objects);
        if (size > 4) {
            seal(part, size);
            CHECK(!object_cache_parse(&cache, part, size, &why) && !cache.objects);
        }
        free(part);
    }
}

int main(void) {
    test_read();
    test_written_as_read();
    test_current_ones_are_kept();
    test_limit();
    test_refused();
    test_cut();
    puts("object cache: passed");
}
