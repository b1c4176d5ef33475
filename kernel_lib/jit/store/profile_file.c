/* The profile: adding up, and writing it as text. */
#include "kernel_lib/jit/store/profile_file.h"
#include "kernel_lib/crc32.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool profile_init(struct profile *profile, const char *build_id, const char *cpu_id,
                  const struct jit_function *functions, size_t count) {
    *profile = (struct profile){build_id, cpu_id, functions, count, 0, JIT_INTERPRETER, NULL};
    profile->entries = calloc(count + 1, sizeof *profile->entries);
    return profile->entries != NULL;
}

void profile_free(struct profile *profile) {
    free(profile->entries);
    profile->entries = NULL;
}

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

static void add_entry(struct profile_entry *all, const struct profile_entry *now) {
    all->calls += now->calls;
    for (int level = 0; level < JIT_LEVELS; level++)
        add_times(&all->times[level], &now->times[level]);
    /* A short start does not take back what a long one has found out. */
    if (now->level >= all->level) {
        all->level = now->level;
        all->specialised = now->specialised;
        memcpy(all->reason, now->reason, sizeof all->reason);
    }
    /* The tuples of now have begun with those of before (persist.c), and gone on from there. */
    if (now->tuple_count > 0) {
        all->arguments = now->arguments;
        all->tuple_count = now->tuple_count;
        memcpy(all->tuples, now->tuples, sizeof all->tuples);
    }
    if (now->candidate_count > 0) {
        all->candidate_count = now->candidate_count;
        memcpy(all->candidates, now->candidates, sizeof all->candidates);
    }
}

void profile_add(struct profile *all, const struct profile *before, const struct profile *now) {
    all->boots = before->boots + 1;
    all->max_level = now->max_level;
    memcpy(all->entries, before->entries, before->count * sizeof *before->entries);
    for (size_t i = 0; i < all->count; i++)
        if (now->entries[i].calls > 0)
            add_entry(&all->entries[i], &now->entries[i]);
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

static unsigned long long wide(uint64_t number) {
    return number;
}

static void write_entry(struct writer *writer, const struct profile *profile, size_t index) {
    const struct profile_entry *entry = &profile->entries[index];
    print(writer, "function %.400s calls %llu level %d specialised %d arguments %d because %s\n",
          profile->functions[index].name, wide(entry->calls), (int)entry->level, entry->specialised,
          entry->arguments, entry->reason);
    for (int level = 0; level < JIT_LEVELS; level++) {
        const struct jit_times *times = &entry->times[level];
        if (times->calls)
            print(writer, "times %d calls %llu total %llu min %llu max %llu\n", level,
                  wide(times->calls), wide(times->total), wide(times->min), wide(times->max));
    }
    for (unsigned i = 0; i < entry->tuple_count && entry->arguments; i++) {
        print(writer, "tuple calls %llu values", wide(entry->tuples[i].calls));
        for (unsigned k = 0; k < entry->arguments; k++)
            print(writer, " %llu", wide(entry->tuples[i].values[k]));
        print(writer, "\n");
    }
    for (unsigned i = 0; i < entry->candidate_count; i++) {
        const struct profile_candidate *candidate = &entry->candidates[i];
        print(writer, "candidate %.400s shape %u cycles %llu chosen %d\n",
              profile->functions[candidate->body].name, candidate->shape, wide(candidate->cycles),
              candidate->chosen);
    }
}

char *profile_write(const struct profile *profile, size_t *size) {
    struct writer writer = {0};
    print(&writer, "bareflow jit profile 1\nbuild %s\ncpu %s\nboots %llu max_level %d\n",
          profile->build_id, profile->cpu_id, wide(profile->boots), (int)profile->max_level);
    for (size_t i = 0; i < profile->count; i++)
        if (profile->entries[i].calls > 0)
            write_entry(&writer, profile, i);
    if (writer.text)
        print(&writer, "crc %08x\n", (unsigned)crc32_update(0, writer.text, writer.length));
    *size = writer.length;
    return writer.text;
}
