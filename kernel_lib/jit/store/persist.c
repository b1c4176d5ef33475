#include "kernel_lib/jit/store/persist.h"
#include "kernel_lib/generations.h"
#include "kernel_lib/jit/clock.h"
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit/store/object_cache.h"
#include "kernel_lib/jit/store/profile_file.h"
#include "kernel_lib/jit/store/run_mark.h"
#include "kernel_lib/jit_runtime.h"
#include <inttypes.h>

#define PROFILE_PATH "/profile/JIT.PRF"
#define CACHE_PATH "/profile/JIT.OBJ"
#define MAX_PROFILE (4u << 20)
#define MEBIBYTE (1ull << 20)

static struct profile profile; /* its boots and max_level are those of earlier boots */
static struct object_cache cache;
static bool profile_on, cache_on;
static bool not_trusted;     /* what is on the disk */
static uint64_t saved_calls; /* of all functions when the profile was written last */

/* Saving takes one in SAVING_PART of the time at most, unless there is new code. */
#define SAVING_PART 256
static uint64_t saved_at, save_cycles; /* the last time: jit_clock() at its end, and what it took */
static bool failed;                    /* then new code does not make saving due at once */

static void begins_anew(const char *path, const struct error *why) {
    console_printf("%s begins anew: %s.\n", path, why->text);
}

static void not_written(const char *path, const struct error *error) {
    console_printf("warning: %s is not written: %s\n", path, error->text);
    if (files_stopped())
        console_puts("Nothing is saved any more until /save asks for it.\n");
}

/* ---- When the program begins ---- */

static void read_profile(void) {
    struct error why;
    size_t size;
    uint8_t *bytes = generation_read(PROFILE_PATH, MAX_PROFILE, &size, &why);
    if (bytes ? !profile_parse(&profile, (const char *)bytes, size, &why) : why.text[0] != '\0')
        begins_anew(PROFILE_PATH, &why);
    free(bytes);
}

/* Specialising goes on with the argument values of earlier boots. */
static void restore_values(struct jit_function *function, const struct jit_value_profile *values) {
    if (values->count > 0 && values->arguments <= function->values.arguments)
        function->values = *values;
}

static void read_cache(void) {
    struct error why;
    size_t size;
    uint8_t *bytes = generation_read(CACHE_PATH, cache.limit, &size, &why);
    if (bytes ? !object_cache_parse(&cache, bytes, size, &why) : why.text[0] != '\0')
        begins_anew(CACHE_PATH, &why);
    free(bytes);
}

/* Whether it is slow code that an earlier boot had to leave in a loop. Then the function's first
 * call compiles it for the level that it went on at. */
static bool was_left(const struct cached_object *object) {
    const struct jit_history *earlier = &object->function->earlier;
    return object->code.level < earlier->level && strcmp(earlier->reason, JIT_LONG_LOOP) == 0;
}

/* Whether the settings of this boot allow it, and there is no better way. */
static bool wanted(const struct cached_object *object) {
    const struct jit_settings *settings = jit_settings();
    return object->code.level <= settings->max_level && !was_left(object) &&
           (settings->specialise || !object->code.specialised);
}

/* Wrong code would run in every boot from now on, were there no mark. */
static bool may_use_what_is_left(void) {
    struct error error;
    if ((!cache.objects && profile.boots == 0) || run_mark_begin(&error))
        return true;
    console_printf("warning: the code in %s is not used, because that cannot be noted: %s\n",
                   CACHE_PATH, error.text);
    return false;
}

static void install_objects(void) {
    for (struct cached_object *object = cache.objects; object; object = object->next) {
        struct jit_function *function = object->function;
        if (!wanted(object))
            continue;
        struct jit_version *version =
            jit_load(function, &object->code, object->bytes, object->size);
        if (!version)
            continue;
        if (object->code.specialised)
            restore_values(function, &object->values);
        object->current = true;
        jit_install(function, version, JIT_FROM_CACHE);
        jit_release(version);
        jit_statistics()->from_cache++;
    }
}

static void start_profile(const struct error *why_not) {
    profile_on = true;
    if (not_trusted)
        begins_anew(PROFILE_PATH, why_not);
    else
        read_profile();
    for (size_t i = 0; i < profile.count; i++)
        restore_values(profile.functions[i], &profile.functions[i]->earlier.values);
}

/* The engine has installed code. */
static void keep_code(struct jit_function *function, const struct jit_code *code,
                      const void *object, size_t size) {
    if (!function->autotuning && !object_cache_put(&cache, function, code, object, size))
        jit_log("%s will not have %s: there is no memory for it.", CACHE_PATH, function->name);
}

static void start_cache(struct jit_function *const *functions, size_t count,
                        const struct error *why_not) {
    cache_on = true;
    object_cache_init(&cache, platform_code_id(), jit_cpu_id(), functions, count,
                      jit_settings()->cache_mb * MEBIBYTE);
    if (not_trusted)
        begins_anew(CACHE_PATH, why_not);
    else
        read_cache();
    jit_on_install(keep_code);
}

struct jit_earlier_boots jit_persist_start(void) {
    size_t count;
    struct jit_function *const *functions = jit_functions(&count);
    struct error why;
    bool any = jit_settings()->profile || jit_settings()->cache;
    not_trusted = any && !run_mark_read(&why);
    profile = (struct profile){
        .build_id = platform_code_id(),
        .cpu_id = jit_cpu_id(),
        .functions = functions,
        .count = count,
    };
    if (jit_settings()->profile)
        start_profile(&why);
    cpu_instruction_sets(profile.features);
    if (jit_settings()->cache)
        start_cache(functions, count, &why);
    if (may_use_what_is_left())
        install_objects();
    cache.changed = not_trusted; /* then what is on the disk must go */
    return (struct jit_earlier_boots){profile.boots, profile.max_level, profile.first_cycles};
}

/* ---- Saving ---- */

/* Neither generation of what is not trusted stays, where the disk lets both be written. */
static bool write_file(const char *path, const void *bytes, size_t size, struct error *error) {
    return (!not_trusted || generation_write(path, bytes, size, error)) &&
           generation_write(path, bytes, size, error);
}

/* The least: another one may have been interrupted, or was of a larger function. */
static uint64_t first_cycles(void) {
    uint64_t now = jit_statistics()->first_cycles, earlier = profile.first_cycles;
    return earlier == 0 || (now != 0 && now < earlier) ? now : earlier;
}

char *jit_profile_text(size_t *size) {
    struct profile all = profile;
    all.first_cycles = first_cycles();
    all.boots++;
    all.max_level = jit_settings()->max_level;
    return profile_write(&all, size);
}

void jit_note_model(const char *model) {
    snprintf(profile.model, sizeof profile.model, "%s", model);
}

const char *jit_model(void) {
    return profile.model;
}

/* Sets *size to that of the file, or leaves it when there is nothing new. */
static bool save_profile(size_t *size, struct error *error) {
    uint64_t calls = 0;
    for (size_t i = 0; i < profile.count; i++)
        calls += profile.functions[i]->calls;
    if (!profile_on || calls == saved_calls || files_stopped())
        return true;
    char *text = jit_profile_text(size);
    bool saved = text ? write_file(PROFILE_PATH, text, *size, error)
                      : error_set(error, "there is no memory for it");
    free(text);
    if (saved)
        saved_calls = calls;
    return saved;
}

static bool save_cache(size_t *size, struct error *error) {
    if (!cache_on || !cache.changed || files_stopped())
        return true;
    uint8_t *bytes = object_cache_write(&cache, size);
    bool saved = bytes ? write_file(CACHE_PATH, bytes, *size, error)
                       : error_set(error, "there is no memory for it");
    free(bytes);
    cache.changed = !saved;
    return saved;
}

/* The application has come to the end of what it was asked for. */
static void note_end(void) {
    if (!not_trusted)
        run_mark_end();
}

void jit_persist_save(void) {
    struct error error;
    size_t profile_bytes = 0, cache_bytes = 0;
    uint64_t begin = jit_clock();
    failed = false;
    if (!save_profile(&profile_bytes, &error)) {
        not_written(PROFILE_PATH, &error);
        profile_bytes = 0;
        failed = true;
    }
    if (!save_cache(&cache_bytes, &error)) {
        not_written(CACHE_PATH, &error);
        cache_bytes = 0;
        failed = true;
    }
    not_trusted &= failed || !cache_on || cache.changed;
    note_end();
    if (profile_bytes == 0 && cache_bytes == 0 && !failed)
        return;
    saved_at = jit_clock();
    save_cycles = saved_at - begin;
    if (profile_bytes > 0 || cache_bytes > 0)
        console_event("{\"event\":\"profile_saved\",\"boots\":%" PRIu64
                      ",\"profile_bytes\":%zu,\"cache_bytes\":%zu,\"cycles\":%" PRIu64
                      ",\"heap_used\":%" PRIu64 "}",
                      profile.boots + 1, profile_bytes, cache_bytes, save_cycles,
                      memory_usage().used);
}

bool jit_persist_save_when_due(void) {
    bool due = (cache.changed && !failed) || jit_clock() - saved_at >= SAVING_PART * save_cycles;
    if (due)
        jit_persist_save();
    else
        note_end();
    return due;
}
