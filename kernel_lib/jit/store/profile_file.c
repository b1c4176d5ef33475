/* The profile: adding up, and writing it as text. */
#include "kernel_lib/jit/store/profile_file.h"
#include "kernel_lib/crc32.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Adding up ---- */

static void add_times(struct jit_times *all, const struct jit_times *more) {
    if (more->calls == 0)
        return;
    if (all->calls == 0) {
        *all = *more;
        return;
    }
    all->calls += more->calls;
    all->total += more->total;
    if (more->min < all->min)
        all->min = more->min;
    if (more->max > all->max)
        all->max = more->max;
}

/* The level that the function is for. A call that has left a loop says that new ones had better
 * begin there. */
static enum jit_level level_of(const struct jit_function *f) {
    return f->policy.continued > f->level ? f->policy.continued : f->level;
}

/* Why. */
static const char *reason_of(const struct jit_function *f) {
    if (level_of(f) > f->level)
        return JIT_LONG_LOOP;
    bool from_cache = strcmp(f->reason, JIT_FROM_CACHE) == 0;
    return from_cache && f->earlier.calls > 0 ? f->earlier.reason : f->reason;
}

void profile_add(struct jit_history *all, const struct jit_function *f) {
    *all = f->earlier;
    if (f->calls == 0)
        return;
    all->calls += f->calls;
    for (int level = 0; level < JIT_LEVELS; level++)
        add_times(&all->times[level], &f->times[level]);
    /* A short boot does not take back what a long one has found out. */
    if (level_of(f) >= all->level) {
        all->level = level_of(f);
        all->specialised = f->specialised;
        snprintf(all->reason, sizeof all->reason, "%s", reason_of(f));
    }
    /* The values of this boot have begun with those of earlier ones (persist.c). */
    if (f->values.count > 0)
        all->values = f->values;
    if (f->candidates.count > 0)
        all->candidates = f->candidates;
}

/* ---- Writing ---- */

/* A text that grows; text is NULL once there was no memory. */
struct writer {
    char *text;
    size_t length, size;
};

__attribute__((format(printf, 2, 3))) static void print(struct writer *writer, const char *format,
                                                        ...) {
    enum { LONGEST = 1024 };
    if (writer->size - writer->length < LONGEST) {
        size_t size = writer->size * 2 + LONGEST;
        char *text = realloc(writer->text, size);
        if (!text)
            free(writer->text);
        writer->text = text;
        writer->size = size;
    }
    if (!writer->text) {
        writer->length = writer->size = 0;
        return;
    }
    va_list values;
    va_start(values, format);
    writer->length += (size_t)vsnprintf(writer->text + writer->length, LONGEST, format, values);
    va_end(values);
}

static void write_function(struct writer *writer, const char *name,
                           const struct jit_history *history) {
    const struct jit_value_profile *values = &history->values;
    print(writer,
          "function %.400s calls %" PRIu64 " level %d specialised %d arguments %d because %s\n",
          name, history->calls, (int)history->level, history->specialised, values->arguments,
          history->reason);
    for (int level = 0; level < JIT_LEVELS; level++) {
        const struct jit_times *times = &history->times[level];
        if (times->calls)
            print(writer,
                  "times %d calls %" PRIu64 " total %" PRIu64 " min %" PRIu64 " max %" PRIu64 "\n",
                  level, times->calls, times->total, times->min, times->max);
    }
    for (unsigned i = 0; i < values->count && values->arguments; i++) {
        print(writer, "tuple calls %" PRIu64 " values", values->frequent[i].calls);
        for (unsigned k = 0; k < values->arguments; k++)
            print(writer, " %" PRIu64, values->frequent[i].values[k]);
        print(writer, "\n");
    }
    for (unsigned i = 0; i < history->candidates.count; i++) {
        const struct jit_candidate *candidate = &history->candidates.list[i];
        print(writer, "candidate %.400s shape %u cycles %" PRIu64 " chosen %d\n",
              candidate->body->name, candidate->options, candidate->cycles, candidate->chosen);
    }
}

char *profile_write(const struct profile *profile, size_t *size) {
    struct writer writer = {0};
    print(&writer, "bareflow jit profile 1\nbuild %s\ncpu %s\nboots %" PRIu64 " max_level %d\n",
          profile->build_id, profile->cpu_id, profile->boots, (int)profile->max_level);
    if (profile->features[0])
        print(&writer, "features %s\n", profile->features);
    if (profile->model[0])
        print(&writer, "model %s\n", profile->model);
    if (profile->first_cycles)
        print(&writer, "first_compilation %" PRIu64 "\n", profile->first_cycles);
    for (size_t i = 0; i < profile->count; i++) {
        struct jit_history all;
        profile_add(&all, profile->functions[i]);
        if (all.calls > 0)
            write_function(&writer, profile->functions[i]->name, &all);
    }
    if (writer.text)
        print(&writer, "crc %08x\n", (unsigned)crc32_update(0, writer.text, writer.length));
    *size = writer.length;
    return writer.text;
}
