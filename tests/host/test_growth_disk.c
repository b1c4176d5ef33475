// sources: kernel_lib/storage/block.c kernel_lib/storage/disk_error.c
// sources: kernel_lib/storage/fat/fat_mount.c
// sources: kernel_lib/storage/fat/fat_table.c kernel_lib/storage/fat/fat_name.c
// sources: kernel_lib/storage/fat/fat_cache.c
// sources: kernel_lib/storage/fat/fat_directory.c kernel_lib/storage/fat/fat_read.c
// sources: kernel_lib/storage/fat/fat_space.c kernel_lib/storage/fat/fat_write.c
// sources: kernel_lib/jit/store/function_names.c kernel_lib/jit/store/object_cache.c
// sources: kernel_lib/crc32.c kernel_lib/jit/store/profile_file.c
// sources: kernel_lib/jit/store/profile_parse.c kernel_lib/coverage/coverage_file.c
// sources: tests/host/ram_disk.c tests/host/fat_image.c kernel_lib/error.c
// sources: kernel_lib/io/format.c
// compile: -fsanitize-coverage=trace-pc -fno-builtin
// link: -Wl,--wrap=memcpy,--wrap=memmove,--wrap=memset,--wrap=memcmp,--wrap=memchr
// link: -Wl,--wrap=strlen,--wrap=strcmp,--wrap=strncmp
/*
 * The work that the readers of the disk, and of what the JIT and coverage leave on it, have with
 * it. (A partition table always has four entries.)
 */
#include "fat_image.h"
#include "growth.h"
#include "kernel_lib/coverage/coverage_file.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/jit/store/object_cache.h"
#include "kernel_lib/jit/store/profile_file.h"
#include "kernel_lib/storage/fat/fat.h"
#include "ram_disk.h"

#define BUILD "0123456789abcdef0123456789abcdef"
#define CPU "fedcba9876543210fedcba9876543210"

/* ---- What the JIT and coverage have left on the disk ---- */

static struct jit_function **functions;
static size_t function_count;

static void make_functions(size_t n) {
    functions = calloc(n, sizeof(struct jit_function *));
    CHECK(functions);
    function_count = n;
    for (size_t i = 0; i < n; i++) {
        char *name = malloc(40);
        functions[i] = calloc(1, sizeof *functions[i]);
        CHECK(name && functions[i]);
        snprintf(name, 40, "_ZN8function%06zuEv", place(MIXED, i, n));
        functions[i]->name = name;
    }
}

static const char *function_name(size_t index, bool *has_run) {
    *has_run = false;
    return index < function_count ? functions[index]->name : NULL;
}

static void free_functions(size_t n) {
    for (size_t i = 0; i < n; i++) {
        free((void *)(uintptr_t)functions[i]->name);
        free(functions[i]);
    }
    free(functions);
}

static void read_profile(size_t n, enum order order) {
    struct error why;
    make_functions(n);
    struct profile profile = {.build_id = BUILD, .cpu_id = CPU, functions, n};
    begin();
    put_text("bareflow jit profile 1\nbuild " BUILD "\ncpu " CPU "\nboots 7 max_level 4\n");
    for (size_t i = 0; i < n; i++)
        put_text("function %s calls 1 level 0 specialised 0 arguments 0 because of nothing\n"
                 "candidate %s shape 0 cycles 200 chosen 0\n",
                 functions[place(order, i, n)]->name, functions[place(MIXED, i, n)]->name);
    put_text("crc %08x\n", (unsigned)crc32_update(0, input, input_size));
    is_counting = 1;
    bool good = profile_parse(&profile, input, input_size, &why);
    is_counting = 0;
    CHECK(good);
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
        const char *name = functions[place(order, i, n)]->name;
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
    struct coverage_seen seen = {BUILD, (uint32_t)n, ran, (uint32_t)n, function_name};
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
static void add_directory(struct fat_image *image, size_t n, bool long_names) {
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

static unsigned bits = 16;

/* The last one of n files in a directory, and a file of n fragments. */
static void read_files(size_t n, enum order order) {
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    struct error error;
    image_format(&image, bits, 60000, 1);
    add_directory(&image, n, order == DESCENDING);
    char *bytes = calloc(n, 512);
    CHECK(bytes);
    image_add(&image, 0, "BIG     BIN", NULL, 0x20, bytes, n * 512, 10000, 1);
    ram_disk_init(&disk, image.bytes, image.size);
    CHECK(fat_mount(&fs, &disk.device, 0, image.size / 512, &error));
    is_counting = 1;
    struct fat_file file;
    const char *path = order == MIXED ? "/BIG.BIN" : "/FOLDER/F0000000.TXT";
    bool good = fat_open(&fs, path, &file, &error);
    for (uint64_t at = 0; good && at < file.size; at += 4096)
        good =
            fat_read(&fs, &file, at, bytes, file.size - at < 4096 ? file.size - at : 4096, &error);
    fat_close(&file);
    is_counting = 0;
    CHECK(good);
    fat_unmount(&fs);
    ram_disk_free(&disk);
    image_free(&image);
    free(bytes);
}

int main(void) {
    check_growth("profile", read_profile, 256);
    check_growth("object cache", read_object_cache, 256);
    check_growth("coverage", read_coverage, 512);
    check_growth("FAT16", read_files, 512);
    bits = 32;
    check_growth("FAT32", read_files, 512);
    puts("growth on the disk: passed");
}
