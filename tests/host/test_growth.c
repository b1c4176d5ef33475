// sources: kernel_lib/config/config.c tinyllama/tokenizer.c tinyllama/tokenizer_encode.c
// sources: tinyllama/formats/checkpoint.c tinyllama/model.c tinyllama/kernels/matrix.c
// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/fat16/fat16_mount.c
// sources: kernel_lib/storage/fat16/fat16_table.c kernel_lib/storage/fat16/fat16_name.c
// sources: kernel_lib/storage/fat16/fat16_directory.c kernel_lib/storage/fat16/fat16_read.c
// sources: kernel_lib/storage/fat16/fat16_space.c kernel_lib/storage/fat16/fat16_write.c
// sources: kernel_lib/jit/store/function_names.c kernel_lib/jit/store/object_cache.c
// sources: kernel_lib/crc32.c kernel_lib/jit/store/profile_file.c
// sources: kernel_lib/jit/store/profile_parse.c kernel_lib/coverage/coverage_file.c
// sources: tests/host/memory_file.c tests/host/ram_disk.c tests/host/fat16_image.c
// compile: -fsanitize-coverage=trace-pc -fno-builtin
// link: -Wl,--wrap=memcpy,--wrap=memmove,--wrap=memset,--wrap=memcmp,--wrap=memchr
// link: -Wl,--wrap=strlen,--wrap=strcmp,--wrap=strncmp
/*
 * Whoever writes what a reader reads must not be able to keep the machine busy for ever: for every
 * reader, the work (work.h) for twice as much input is at most 2.5 times as much, whatever the
 * order of the input. (A partition table always has four entries.)
 */
#include "check.h"
#include "fat16_image.h"
#include "kernel_lib/config/config.h"
#include "kernel_lib/coverage/coverage_file.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/jit/store/object_cache.h"
#include "kernel_lib/jit/store/profile_file.h"
#include "kernel_lib/storage/fat16/fat16.h"
#include "memory_file.h"
#include "ram_disk.h"
#include "tinyllama/formats/checkpoint.h"
#include "tinyllama/tokenizer.h"
#include "work.h"
#include <stdarg.h>

#define BUILD "0123456789abcdef0123456789abcdef"
#define CPU "fedcba9876543210fedcba9876543210"
#define MOST_GROWTH 2.5

/* The i-th of n, n a power of two: in order, backwards, and mixed. */
enum order { ASCENDING, DESCENDING, MIXED, ORDERS };
static size_t place(enum order order, size_t i, size_t n) {
    return order == ASCENDING ? i : order == DESCENDING ? n - 1 - i : (i * 40503 + 77) % n;
}

/* Reads an input of size n; counting what it does to read, not to make it. */
typedef void reader(size_t n, enum order order);

static uint64_t work_of(reader *read, size_t n, enum order order) {
    work = 0;
    is_counting = 0;
    read(n, order);
    CHECK(!is_counting);
    return work;
}

static void check_growth(const char *name, reader *read, size_t n) {
    for (enum order order = 0; order < ORDERS; order++) {
        uint64_t before = work_of(read, n, order);
        for (unsigned doubled = 0; doubled < 2; doubled++) {
            n *= 2;
            uint64_t now = work_of(read, n, order);
            if ((double)now > MOST_GROWTH * (double)before)
                fprintf(stderr, "%s, order %d: %llu for %zu, %llu for %zu\n", name, (int)order,
                        (unsigned long long)before, n / 2, (unsigned long long)now, n);
            CHECK((double)now <= MOST_GROWTH * (double)before);
            before = now;
        }
        n /= 4;
    }
}

/* A growing input. */
static char *input;
static size_t input_size, input_room;

static void begin(void) {
    input_size = 0;
}

static void put(const void *bytes, size_t size) {
    if (input_size + size > input_room) {
        input_room = 2 * (input_size + size);
        input = realloc(input, input_room);
        CHECK(input);
    }
    memcpy(input + input_size, bytes, size);
    input_size += size;
}

static void put_text(const char *format, ...) {
    char text[200];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    CHECK(length >= 0 && (size_t)length < sizeof text);
    put(text, (size_t)length);
}

static void put32(uint32_t number) {
    put(&number, sizeof number);
}

/* ---- The configuration ---- */

static void report(void *context, unsigned line, const char *message) {
    (void)line, (void)message;
    ++*(unsigned *)context;
}

static void read_config(size_t n, enum order order) {
    unsigned reports = 0;
    begin();
    for (size_t i = 0; i < n; i++)
        put_text("key.with-a-long-beginning.%06zu = %zu\n", place(order, i, n), i);
    is_counting = 1;
    config_parse(input, input_size, report, &reports);
    size_t keys = 0;
    for (; config_key(keys); keys++)
        CHECK(config_get(config_key(keys)));
    config_clear();
    is_counting = 0;
    CHECK(keys == n && reports == 0);
}

static void read_wrong_config(size_t n, enum order order) {
    unsigned reports = 0;
    begin();
    for (size_t i = 0; i < n; i++)
        put_text(order == ASCENDING ? "key = %zu\n" : "=\n", i);
    is_counting = 1;
    config_parse(input, input_size, report, &reports);
    config_clear();
    is_counting = 0;
    CHECK(reports == 20);
}

/* ---- The tokenizer ---- */

static void put_piece(const char *bytes, float score) {
    put(&score, sizeof score);
    put32((uint32_t)strlen(bytes));
    put(bytes, strlen(bytes));
}

/* Strings of six characters, up to 4096, whose FNV-1a hashes end in the same 12 bits: the low bits
 * of a hash depend only on the low bits of what it was before. */
static const char *colliding(size_t index) {
    static char blocks[2][64][4], text[7];
    enum { LOW_BITS = 0xFFF };
    static uint32_t state = 2166136261u & LOW_BITS;
    static int stages;
    for (; stages < 2; stages++) {
        uint32_t next = LOW_BITS + 1;
        for (uint32_t i = 0, found = 0; i < 1 << 18 && found < 64; i++) {
            const char block[4] = {'0' + (char)(i & 63), '0' + (char)(i >> 6 & 63),
                                   '0' + (char)(i >> 12)};
            uint32_t hash = state;
            for (int k = 0; k < 3; k++)
                hash = (hash ^ (unsigned char)block[k]) * 16777619u & LOW_BITS;
            if (next > LOW_BITS)
                next = hash;
            if (hash == next)
                memcpy(blocks[stages][found++], block, sizeof block);
        }
        state = next;
    }
    snprintf(text, sizeof text, "%s%s", blocks[0][index % 64], blocks[1][index / 64 % 64]);
    return text;
}

/* A file of n pieces in all. */
static void make_tokenizer(size_t n, enum order order) {
    begin();
    put32(0);
    put_piece("<unk>", 0);
    put_piece("<s>", 0);
    put_piece("</s>", 0);
    put_piece(" ", -1e9f);
    put_piece("a", -1e9f);
    put_piece("b", -1e9f);
    put_piece("aa", order == ASCENDING ? -2 : -1);
    put_piece("aaaa", order == ASCENDING ? -1 : -2);
    put_piece("ab", -3);
    put_piece("bb", -4);
    put_piece("abab", -3);
    for (size_t i = 11; i < n; i++) {
        char text[40];
        snprintf(text, sizeof text, "piece %08zu", place(order, i, n));
        put_piece(order == MIXED ? colliding(i) : text, -1);
    }
}

static struct tokenizer read_pieces(size_t n) {
    struct tokenizer tokenizer;
    struct error error;
    struct file *file = memory_file(input, input_size);
    CHECK(tokenizer_read(&tokenizer, file, "t", (uint32_t)n, &error));
    file_close(file);
    return tokenizer;
}

static void read_tokenizer(size_t n, enum order order) {
    make_tokenizer(n, order);
    is_counting = 1;
    struct tokenizer tokenizer = read_pieces(n);
    is_counting = 0;
    tokenizer_free(&tokenizer);
}

/* A prompt of n characters: all the same, alternating, or mixed. */
static void read_prompt(size_t n, enum order order) {
    make_tokenizer(100, order);
    struct tokenizer tokenizer = read_pieces(100);
    char *text = malloc(n + 1);
    uint32_t *tokens = malloc(tokenizer_max_tokens(n) * sizeof *tokens);
    CHECK(text && tokens);
    for (size_t i = 0; i < n; i++)
        text[i] = order == ASCENDING    ? 'a'
                  : order == DESCENDING ? "ab"[i % 2]
                                        : "ab"[(uint32_t)i * 2654435761u >> 17 & 1];
    text[n] = '\0';
    struct error error;
    is_counting = 1;
    size_t count = tokenizer_encode(&tokenizer, text, tokens, &error);
    is_counting = 0;
    CHECK(count > n / 4 && count < n);
    CHECK(count >= tokenizer_min_tokens(&tokenizer, n));
    tokenizer_free(&tokenizer);
    free(text);
    free(tokens);
}

/* ---- The model ---- */

/* n in layers, in the vocabulary, in both dimensions. */
static void read_checkpoint(size_t n, enum order order) {
    uint32_t layers = order == ASCENDING ? (uint32_t)n : 1;
    uint32_t vocabulary = order == DESCENDING ? (uint32_t)n * 16 : 16;
    uint32_t dim = 8, hidden = order == MIXED ? (uint32_t)n * 16 : 16;
    size_t norms = (2 * (size_t)layers + 1) * dim, context = 8;
    size_t layer = 4 * dim * dim + 3 * (size_t)dim * hidden;
    size_t floats = norms + (size_t)vocabulary * dim + layers * layer + context * dim;
    static const float weight = 0.5f;
    begin();
    put32(dim), put32(hidden), put32(layers), put32(1), put32(1), put32(vocabulary);
    put32((uint32_t)context);
    for (size_t i = 0; i < floats; i++)
        put(&weight, sizeof weight);
    struct file *file = memory_file(input, input_size);
    struct model model;
    struct error error;
    is_counting = 1;
    bool good = checkpoint_read(&model, file, "m", &error);
    is_counting = 0;
    CHECK(good);
    model_free(&model);
    file_close(file);
}

/* ---- What the JIT and coverage have left on the disk ---- */

static struct jit_function *functions;

static void make_functions(size_t n) {
    functions = calloc(n, sizeof *functions);
    CHECK(functions);
    for (size_t i = 0; i < n; i++) {
        char *name = malloc(40);
        CHECK(name);
        snprintf(name, 40, "_ZN8function%06zuEv", place(MIXED, i, n));
        functions[i].name = name;
    }
}

static void free_functions(size_t n) {
    for (size_t i = 0; i < n; i++)
        free((void *)(uintptr_t)functions[i].name);
    free(functions);
}

static void read_profile(size_t n, enum order order) {
    struct profile profile;
    struct error why;
    make_functions(n);
    CHECK(profile_init(&profile, BUILD, CPU, functions, n));
    begin();
    put_text("bareflow jit profile 1\nbuild " BUILD "\ncpu " CPU "\nboots 7 max_level 4\n");
    for (size_t i = 0; i < n; i++)
        put_text("function %s calls 1 level 0 specialised 0 arguments 0 because of nothing\n"
                 "candidate %s shape 0 cycles 200 chosen 0\n",
                 functions[place(order, i, n)].name, functions[place(MIXED, i, n)].name);
    put_text("crc %08x\n", (unsigned)crc32_update(0, input, input_size));
    is_counting = 1;
    bool good = profile_parse(&profile, input, input_size, &why);
    is_counting = 0;
    CHECK(good);
    profile_free(&profile);
    free_functions(n);
}

static void read_object_cache(size_t n, enum order order) {
    struct object_cache cache;
    struct error why;
    make_functions(n);
    object_cache_init(&cache, BUILD, CPU, functions, n, SIZE_MAX);
    begin();
    put("BFJITOB1" BUILD CPU, 72);
    put32((uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        const char *name = functions[place(order, i, n)].name;
        put32((uint32_t)strlen(name)), put32((uint32_t)strlen(name)), put32(4);
        put32(JIT_O1), put32(0), put32(0), put32(0), put32(0);
        put_text("%s%sCODE", name, name);
    }
    put32(crc32_update(0, input, input_size));
    is_counting = 1;
    bool good = object_cache_parse(&cache, (const uint8_t *)input, input_size, &why);
    is_counting = 0;
    CHECK(good);
    object_cache_clear(&cache);
    free_functions(n);
}

static void read_coverage(size_t n, enum order order) {
    make_functions(n);
    uint32_t *ran = malloc(n * sizeof *ran);
    CHECK(ran);
    for (size_t i = 0; i < n; i++)
        ran[i] = (uint32_t)place(order, i, n);
    struct coverage_seen seen = {BUILD, (uint32_t)n, ran, (uint32_t)n, functions, n};
    size_t size, new_size;
    struct error why;
    uint8_t *old = coverage_file_make(&seen, NULL, 0, &size, &why);
    is_counting = 1;
    uint8_t *made = coverage_file_make(&seen, old, size, &new_size, &why);
    is_counting = 0;
    CHECK(old && made && new_size == size && !why.text[0]);
    free(old);
    free(made);
    free(ran);
    free_functions(n);
}

/* ---- The file system ---- */

/* A directory of n entries, of which the last one is an empty file; the others are files, or pieces
 * of long names. */
static void add_directory(struct fat16_image *image, size_t n, bool long_names) {
    begin();
    for (size_t i = 0; i < n; i++) {
        char entry[33] = {0};
        snprintf(entry, sizeof entry, "F%07zuTXT", i + 1 == n ? 0 : i + 1);
        entry[11] = long_names && i + 1 < n ? 0x0F : 0x20;
        put(entry, 32);
    }
    image_add(image, 0, "FOLDER     ", NULL, 0x20, input, input_size, 2, 0);
    uint8_t *folder = image_entry(image, 0, "FOLDER     ");
    folder[11] = 0x10;
    memset(folder + 28, 0, 4); /* directories have no size */
}

/* The last one of n files in a directory, and a file of n fragments. */
static void read_files(size_t n, enum order order) {
    struct fat16_image image;
    struct ram_disk disk;
    struct fat16 fs;
    struct error error;
    image_format(&image, 60000, 1);
    add_directory(&image, n, order == DESCENDING);
    char *bytes = calloc(n, 512);
    CHECK(bytes);
    image_add(&image, 0, "BIG     BIN", NULL, 0x20, bytes, n * 512, 10000, 1);
    ram_disk_init(&disk, image.bytes, image.size);
    CHECK(fat16_mount(&fs, &disk.device, 0, image.size / 512, &error));
    is_counting = 1;
    struct fat16_file file;
    const char *path = order == MIXED ? "/BIG.BIN" : "/FOLDER/F0000000.TXT";
    bool good = fat16_open(&fs, path, &file, &error);
    for (uint64_t at = 0; good && at < file.size; at += 4096)
        good = fat16_read(&fs, &file, at, bytes, file.size - at < 4096 ? file.size - at : 4096,
                          &error);
    fat16_close(&file);
    is_counting = 0;
    CHECK(good);
    fat16_unmount(&fs);
    ram_disk_free(&disk);
    image_free(&image);
    free(bytes);
}

int main(void) {
    check_growth("config", read_config, 512);
    check_growth("wrong config", read_wrong_config, 512);
    check_growth("tokenizer", read_tokenizer, 512);
    check_growth("prompt", read_prompt, 512);
    check_growth("checkpoint", read_checkpoint, 64);
    check_growth("profile", read_profile, 256);
    check_growth("object cache", read_object_cache, 256);
    check_growth("coverage", read_coverage, 512);
    check_growth("FAT16", read_files, 512);
    puts("growth: passed");
}
