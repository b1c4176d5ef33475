// sources: kernel_lib/jit/store/persist.c kernel_lib/jit/store/profile_file.c
// sources: kernel_lib/jit/store/profile_parse.c kernel_lib/jit/store/function_names.c
// sources: kernel_lib/jit/store/object_cache.c kernel_lib/jit/store/cpu_id.c
// sources: kernel_lib/jit/settings.c kernel_lib/jit/log.c kernel_lib/jit/store/run_mark.c
// sources: kernel_lib/removed/removed_functions.c
// sources: kernel_lib/jit/clock.c
/*
 * What the JIT remembers, with an engine and a policy that only pretend. Prints what the engine is
 * given from the cache ("loaded NAME level N, M bytes") and the last level of each function, then
 * lets the functions run and saves, `saves` times (0: for ever), and prints "saved N" after each.
 * With the setting `output` it also replaces that file each time.
 * The object of a function is OBJECT_BYTES of one character, which changes with every save.
 */
#include "kernel_lib/jit/code.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit/store/persist.h"
#include "kernel_lib/jit_runtime.h"

#define FUNCTIONS 3
#define OBJECT_BYTES 60000 /* many clusters, so that a power cut finds the file half written */

static struct jit_function hot = {.name = "hot", .reason = "not called yet", .values.arguments = 2},
                           warm = {.name = "warm",
                                   .reason = "not called yet",
                                   .values.arguments = 1},
                           cold = {.name = "cold", .reason = "not called yet"};
static struct jit_function *const functions[FUNCTIONS] = {&hot, &warm, &cold};

struct jit_function *const *jit_functions(size_t *count) {
    *count = FUNCTIONS;
    return functions;
}

static jit_stored *stored;

void jit_on_install(jit_stored *function) {
    stored = function;
}

struct jit_statistics *jit_statistics(void) {
    static struct jit_statistics statistics;
    return &statistics;
}

struct jit_version *jit_load(struct jit_function *function, const struct jit_code *code,
                             const void *object, size_t size) {
    const char *bytes = object;
    for (size_t i = 1; i < size; i++)
        if (bytes[i] != bytes[0])
            return NULL;
    console_printf("loaded %s level %d, %zu bytes\n", function->name, code->level, size);
    function->level = code->level;
    function->specialised = code->specialised;
    return (struct jit_version *)function;
}

void jit_install(struct jit_function *function, struct jit_version *version, const char *reason) {
    if ((struct jit_function *)version != function)
        panic("a version of another function");
    function->reason = reason;
}

void jit_release(struct jit_version *version) {
    (void)version;
}

static void compile(struct jit_function *function, enum jit_level level, unsigned save) {
    static char object[OBJECT_BYTES];
    struct jit_code code = {function, level, level >= JIT_O2, 0};
    memset(object, (int)('a' + save % 26), sizeof object);
    function->level = level;
    function->specialised = code.specialised;
    function->reason = "calls";
    stored(function, &code, object, sizeof object);
}

static void note_times(struct jit_function *function, uint64_t cycles) {
    struct jit_times *times = &function->times[function->level];
    if (times->calls == 0 || cycles < times->min)
        times->min = cycles;
    if (cycles > times->max)
        times->max = cycles;
    times->calls++;
    times->total += cycles;
}

/* Hot is called 1000 times and compiled to O3, warm 10 times and to O1, cold never. */
static void run(unsigned save) {
    hot.calls += 1000;
    warm.calls += 10;
    hot.values.count = 1;
    hot.values.frequent[0].values[0] = 64;
    hot.values.frequent[0].values[1] = 172;
    hot.values.frequent[0].calls += 100;
    compile(&hot, JIT_O3, save);
    compile(&warm, JIT_O1, save);
    note_times(&hot, 500);
    note_times(&warm, 2000 + save);
    hot.candidates =
        (struct jit_candidates){.list = {{&hot, 0, 510, false}, {&warm, 3, 500, true}}, .count = 2};
}

static void write_output(const char *path, unsigned long save) {
    static char output[OBJECT_BYTES];
    struct error error;
    memset(output, (int)('a' + save % 26), sizeof output);
    if (!file_replace(path, output, save * 2000 % sizeof output, &error))
        console_printf("warning: %s\n", error.text);
}

/* Then the machine stops all of a sudden: "w" waits, "g" goes on, "r" has a result. */
static void progress(const char *steps) {
    for (; *steps; steps++)
        jit_note_progress(*steps == 'w' ? JIT_WAITS : *steps == 'g' ? JIT_GOES_ON : JIT_HAS_RESULT);
    panic("stopped");
}

int app_main(void) {
    struct error error;
    if (!jit_configure(&error)) {
        console_printf("error: %s\n", error.text);
        return 1;
    }
    jit_persist_start();
    for (int i = 0; i < FUNCTIONS; i++)
        console_printf("%s was on level %d, has %d tuples\n", functions[i]->name,
                       functions[i]->earlier.level, functions[i]->values.count);
    if (config_get("stop"))
        progress(config_get("stop"));
    const char *value = config_get("saves");
    unsigned long saves = value ? strtoul(value, NULL, 10) : 1;
    for (unsigned long save = 1; saves == 0 || save <= saves; save++) {
        run((unsigned)save);
        jit_persist_save();
        if (config_get("output"))
            write_output(config_get("output"), save);
        console_printf("saved %lu\n", save);
    }
    return 0;
}
