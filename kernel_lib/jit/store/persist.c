#include "kernel_lib/jit/store/persist.h"
#include "kernel_lib/generations.h"
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit/store/object_cache.h"
#include "kernel_lib/jit/store/profile_file.h"
#include "kernel_lib/jit/store/run_mark.h"
#include "kernel_lib/jit_runtime.h"

#define PROFILE_PATH "/profile/JIT.PRF"
#define CACHE_PATH "/profile/JIT.OBJ"
#define MAX_PROFILE (4u << 20)
#define MEBIBYTE (1ull << 20)

static const char from_cache[] = "object cache";

static struct profile before; /* as the earlier starts left it; entries NULL: profile is off */
static struct profile seen;   /* candidates of this start */
static struct object_cache cache;
static bool cache_on;
static bool not_trusted;     /* what is on the disk */
static uint64_t saved_calls; /* of all functions when the profile was written last */

#define SAVING_PART 256 /* of the time, saving takes one in so many, unless there is new code */
static uint64_t saved_at, save_cycles; /* the last time: TSC at its end, and what it took */
static bool failed;                    /* the same: then new code does not make it due at once */

static void begins_anew(const char *path, const struct error *why) {
    console_printf("%s begins anew: %s.\n", path, why->text);
}

static void not_written(const char *path, const struct error *error) {
    console_printf("warning: %s is not written: %s\n", path, error->text);
    if (files_stopped())
        console_puts("Nothing is saved any more until /save asks for it.\n");
}

/* ---- At the start ---- */

static void read_profile(void) {
    struct error why;
    size_t size;
    uint8_t *bytes = generation_read(PROFILE_PATH, MAX_PROFILE, &size, &why);
    if (bytes ? !profile_parse(&before, (const char *)bytes, size, &why) : why.text[0] != '\0')
        begins_anew(PROFILE_PATH, &why);
    free(bytes);
}

/* The values that arguments had, so that specialising need not begin with a blank. */
static void restore_tuples(struct jit_function *function, uint8_t arguments,
                           const struct jit_tuple *tuples, uint8_t count) {
    if (count == 0 || arguments > function->arguments)
        return;
    function->arguments = arguments;
    function->tuple_count = count;
    memcpy(function->tuples, tuples, count * sizeof *tuples);
}

static void read_cache(void) {
    struct error why;
    size_t size;
    uint8_t *bytes = generation_read(CACHE_PATH, cache.limit, &size, &why);
    if (bytes ? !object_cache_parse(&cache, bytes, size, &why) : why.text[0] != '\0')
        begins_anew(CACHE_PATH, &why);
    free(bytes);
}

/* Whether the settings of this start allow it. */
static bool wanted(const struct cached_object *object) {
    const struct jit_settings *settings = jit_settings();
    return object->code.level <= settings->max_level &&
           (settings->specialise || !object->code.specialised);
}

/* Wrong code would run in every boot from now on, were there no mark. */
static bool may_use_what_is_left(void) {
    struct error error;
    if ((!cache.objects && before.boots == 0) || run_mark_begin(&error))
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
            restore_tuples(function, object->arguments, object->tuples, object->tuple_count);
        object->current = true;
        jit_install(function, version, from_cache);
        jit_release(version);
        jit_statistics()->from_cache++;
    }
}

void jit_persist_start(void) {
    size_t count;
    struct jit_function *functions = jit_functions(&count);
    const char *build_id = platform_build_id(), *cpu_id = jit_cpu_id();
    struct error why;
    bool any = jit_settings()->profile || jit_settings()->cache;
    not_trusted = any && !run_mark_read(&why);
    if (jit_settings()->profile && profile_init(&before, build_id, cpu_id, functions, count) &&
        profile_init(&seen, build_id, cpu_id, functions, count)) {
        if (not_trusted)
            begins_anew(PROFILE_PATH, &why);
        else
            read_profile();
        for (size_t i = 0; i < count; i++)
            restore_tuples(&functions[i], before.entries[i].arguments, before.entries[i].tuples,
                           before.entries[i].tuple_count);
    }
    if (jit_settings()->cache) {
        cache_on = true;
        object_cache_init(&cache, build_id, cpu_id, functions, count,
                          jit_settings()->cache_mb * MEBIBYTE);
        if (not_trusted)
            begins_anew(CACHE_PATH, &why);
        else
            read_cache();
    }
    if (may_use_what_is_left())
        install_objects();
    cache.changed = not_trusted; /* then what is on the disk must go */
}

enum jit_level jit_profile_last_level(const struct jit_function *function) {
    size_t count;
    return before.entries ? before.entries[function - jit_functions(&count)].level
                          : JIT_INTERPRETER;
}

enum jit_level jit_profile_max_level(void) {
    return before.max_level;
}

uint64_t jit_profile_usual_calls(const struct jit_function *function) {
    size_t count;
    if (!before.entries || before.boots == 0)
        return 0;
    return before.entries[function - jit_functions(&count)].calls / before.boots;
}

/* ---- While the program runs ---- */

void jit_profile_note_candidate(const struct jit_function *function,
                                const struct jit_function *body, unsigned shape, uint64_t cycles,
                                bool chosen) {
    if (!seen.entries)
        return;
    struct profile_entry *entry = &seen.entries[function - seen.functions];
    size_t index = (size_t)(body - seen.functions);
    unsigned place = 0; /* of the same one in an earlier trial, or a new one */
    while (place < entry->candidate_count &&
           (entry->candidates[place].body != index || entry->candidates[place].shape != shape))
        place++;
    if (place == PROFILE_CANDIDATES)
        return;
    entry->candidates[place] = (struct profile_candidate){index, shape, cycles, chosen};
    if (place == entry->candidate_count)
        entry->candidate_count++;
}

void jit_cache_store(const struct jit_function *function, const struct jit_code *code,
                     const void *object, size_t size) {
    if (!cache_on || function->on_trial)
        return;
    size_t index = (size_t)(function - cache.functions);
    if (!object_cache_put(&cache, &cache.functions[index], code, object, size))
        jit_log("%s will not have %s: there is no memory for it.", CACHE_PATH, function->name);
}

/* ---- Saving ---- */

/* What this start has seen so far. */
static void gather(const struct jit_function *functions, size_t count) {
    seen.max_level = jit_settings()->max_level;
    for (size_t i = 0; i < count; i++) {
        const struct jit_function *function = &functions[i];
        struct profile_entry *entry = &seen.entries[i];
        entry->calls = function->calls;
        memcpy(entry->times, function->times, sizeof entry->times);
        entry->level = function->level;
        entry->specialised = function->specialised;
        entry->arguments = function->arguments;
        entry->tuple_count = function->tuple_count;
        memcpy(entry->tuples, function->tuples, sizeof entry->tuples);
        const char *reason = function->reason;
        if (reason == from_cache && before.entries[i].calls > 0)
            reason = before.entries[i].reason; /* why it was compiled then */
        snprintf(entry->reason, sizeof entry->reason, "%s", reason);
    }
}

/* Neither generation of what is not trusted stays, where the disk lets both be written. */
static bool write_file(const char *path, const void *bytes, size_t size, struct error *error) {
    return (!not_trusted || generation_write(path, bytes, size, error)) &&
           generation_write(path, bytes, size, error);
}

/* Sets *size to that of the file, or leaves it when there is nothing new. */
static bool save_profile(size_t *size, struct error *error) {
    size_t count;
    const struct jit_function *functions = jit_functions(&count);
    uint64_t calls = 0;
    for (size_t i = 0; i < count; i++)
        calls += functions[i].calls;
    if (!seen.entries || calls == saved_calls || files_stopped())
        return true;
    gather(functions, count);
    struct profile all;
    char *text = NULL;
    if (profile_init(&all, before.build_id, before.cpu_id, functions, count)) {
        profile_add(&all, &before, &seen);
        text = profile_write(&all, size);
        profile_free(&all);
    }
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
    uint64_t begin = cpu_rdtsc();
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
    saved_at = cpu_rdtsc();
    save_cycles = saved_at - begin;
    if (profile_bytes > 0 || cache_bytes > 0)
        console_event("{\"event\":\"profile_saved\",\"boots\":%llu,\"profile_bytes\":%zu,"
                      "\"cache_bytes\":%zu,\"cycles\":%llu,\"heap_used\":%llu}",
                      (unsigned long long)before.boots + 1, profile_bytes, cache_bytes,
                      (unsigned long long)save_cycles, (unsigned long long)memory_usage().used);
}

bool jit_persist_save_when_due(void) {
    bool due = (cache.changed && !failed) || cpu_rdtsc() - saved_at >= SAVING_PART * save_cycles;
    if (due)
        jit_persist_save();
    else
        note_end();
    return due;
}
