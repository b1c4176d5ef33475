// sources: kernel_lib/jit/store/profile_file.c kernel_lib/jit/store/profile_parse.c
// sources: kernel_lib/jit/store/object_cache.c kernel_lib/jit/settings.c kernel_lib/jit/log.c
// sources: kernel_lib/jit/store/run_mark.c kernel_lib/jit/store/function_names.c
// sources: kernel_lib/config/config.c kernel_lib/config/unknown_keys.c
// sources: kernel_lib/io/utf8.c kernel_lib/io/json_format.c
// sources: kernel_lib/crc32.c kernel_lib/error.c tests/host/console.c
// sources: kernel_lib/io/format.c
/* When what the JIT remembers is written, on a clock that only the test moves and a disk that takes
 * its time; and what is not kept. */
#include "check.h"
#include "console.h"
#include "kernel_lib/jit/store/cpu_id.h"
#include "kernel_lib/jit/store/persist.c"

#define WRITING 5000 /* cycles that a file takes */

static uint64_t fake_clock = 1000000;
static struct jit_function f = {.name = "f", .reason = "calls"},
                           g = {.name = "g", .reason = "calls"};
static int profiles, caches; /* written */
static bool disk_is_gone;

uint64_t jit_clock(void) {
    return fake_clock;
}

struct jit_function *const *jit_functions(size_t *count) {
    static struct jit_function *const functions[] = {&f, &g};
    *count = 2;
    return functions;
}

static jit_stored *stored;

void jit_on_install(jit_stored *function) {
    stored = function;
}

uint8_t *generation_read(const char *path, size_t limit, size_t *size, struct error *error) {
    (void)path, (void)limit, (void)size;
    error->text[0] = '\0';
    return NULL;
}

bool generation_write(const char *path, const void *bytes, size_t size, struct error *error) {
    CHECK(bytes && size > 0);
    fake_clock += WRITING;
    if (disk_is_gone)
        return error_set(error, "the disk is gone");
    *(strcmp(path, PROFILE_PATH) == 0 ? &profiles : &caches) += 1;
    return true;
}

bool files_stopped(void) {
    return false;
}

const char *platform_code_id(void) {
    return "0123456789abcdef0123456789abcdef";
}

const char *jit_cpu_id(void) {
    return "fedcba9876543210fedcba9876543210";
}

void cpu_instruction_sets(char list[CPU_SETS_SIZE]) {
    strcpy(list, "avx2");
}

struct memory_usage memory_usage(void) {
    return (struct memory_usage){0};
}

struct jit_statistics *jit_statistics(void) {
    static struct jit_statistics statistics;
    return &statistics;
}

struct jit_version *jit_load(struct jit_function *function, const struct jit_code *code,
                             const void *object, size_t size) {
    (void)function, (void)code, (void)object, (void)size;
    CHECK(false);
    return NULL;
}

void jit_install(struct jit_function *function, struct jit_version *version, const char *reason) {
    (void)function, (void)version, (void)reason;
}

void jit_release(struct jit_version *version) {
    (void)version;
}

static void compile(struct jit_function *function) {
    stored(function, &(struct jit_code){.body = function, .level = JIT_O1}, "code", 4);
}

static bool tell_story(uint64_t cycles) {
    f.calls += 10;
    fake_clock += cycles;
    return jit_persist_save_when_due();
}

/* The first time at once, then after 256 times as long as writing takes. */
static void test_without_new_code(void) {
    CHECK(tell_story(1) && profiles == 1);
    CHECK(!tell_story(256 * WRITING - 1) && profiles == 1);
    CHECK(tell_story(1) && profiles == 2);
    for (int i = 0; i < 255; i++)
        CHECK(!tell_story(WRITING));
    CHECK(tell_story(WRITING) && profiles == 3 && caches == 0);
}

/* What was compiled is kept at once; a candidate that only has its turn is nothing to keep. */
static void test_new_code(void) {
    compile(&f);
    CHECK(tell_story(1) && profiles == 4 && caches == 1);
    g.autotuning = true;
    compile(&g);
    CHECK(!tell_story(1) && caches == 1);
    g.autotuning = false;
    compile(&g);
    CHECK(tell_story(1) && caches == 2);
}

/* At the end all is written, however soon that is, but nothing twice. */
static void test_end(void) {
    int written = profiles;
    CHECK(!tell_story(1) && profiles == written);
    jit_persist_save();
    CHECK(profiles == written + 1);
    jit_persist_save();
    CHECK(profiles == written + 1);
}

/* A disk that takes its time to fail is asked as seldom. */
static void test_failure(void) {
    disk_is_gone = true;
    fake_clock += 1000 * WRITING;
    console[0] = '\0';
    CHECK(tell_story(1) && strstr(console, "JIT.PRF is not written: the disk is gone"));
    console[0] = '\0';
    compile(&f);
    CHECK(!tell_story(255 * WRITING) && console[0] == '\0');
    CHECK(tell_story(2 * WRITING) && console[0] != '\0');
}

int main(void) {
    jit_persist_start();
    test_without_new_code();
    test_new_code();
    test_end();
    test_failure();
    object_cache_clear(&cache);
    puts("persist: passed");
}
