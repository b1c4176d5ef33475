#include "snapshot_index.h"
#include "kernel_lib/io/format.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "# The kernels that this machine has written for itself, oldest first.\n"
#define LINE_SIZE 768 /* at most, of a line that is written */

/* A word of a line: what is in front of the "=" and behind it. */
struct word {
    const char *key, *value;
    size_t key_size, value_size;
};

static const struct {
    const char *key;
    size_t offset, size;
    bool may_lack;
} texts[] = {
#define TEXT(member, may_lack)                                                                     \
    {#member, offsetof(struct snapshot, member), sizeof((struct snapshot *)0)->member, may_lack}
    TEXT(kernel, false), TEXT(kind, false),   TEXT(build, false), TEXT(maker, false),
    TEXT(parent, false), TEXT(result, false), TEXT(cpu, true),    TEXT(model, true),
#undef TEXT
};
#define TEXTS (sizeof texts / sizeof *texts)

static bool is_key(const struct word *word, const char *key) {
    return strlen(key) == word->key_size && memcmp(word->key, key, word->key_size) == 0;
}

static bool take_number(uint32_t *number, const struct word *word) {
    *number = 0;
    for (size_t i = 0; i < word->value_size; i++) {
        unsigned digit = (unsigned)(word->value[i] - '0');
        if (digit > 9 || *number > (UINT32_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return word->value_size > 0;
}

/* Takes a word in; one with an unknown key is none of this version's. */
static bool take(struct snapshot *snapshot, const struct word *word) {
    for (size_t i = 0; i < TEXTS; i++)
        if (is_key(word, texts[i].key)) {
            if (word->value_size == 0 || word->value_size >= texts[i].size)
                return false;
            char *text = (char *)snapshot + texts[i].offset;
            memcpy(text, word->value, word->value_size);
            text[word->value_size] = '\0';
            return true;
        }
    if (is_key(word, "bytes"))
        return take_number(&snapshot->bytes, word);
    if (is_key(word, "boots"))
        return take_number(&snapshot->boots, word);
    return true;
}

unsigned snapshot_number(const char *kernel) {
    unsigned number = 0;
    if (strlen(kernel) != 8 || strcmp(kernel + 4, ".KRN") != 0)
        return 0;
    for (int i = 0; i < 4; i++) {
        unsigned digit = (unsigned)(kernel[i] - '0');
        if (digit > 9)
            return 0;
        number = number * 10 + digit;
    }
    return number;
}

/* Whether a kernel of this name may have written one. */
static bool is_parent(const char *kernel) {
    return snapshot_number(kernel) > 0 || strcmp(kernel, "BAREFLOW.KRN") == 0 ||
           strcmp(kernel, "FALLBACK.KRN") == 0;
}

static bool parse_line(struct snapshot *snapshot, const char *at, const char *end) {
    *snapshot = (struct snapshot){0};
    while (at < end) {
        if (*at == ' ' || *at == '\r') {
            at++;
            continue;
        }
        const char *stop = at;
        while (stop < end && *stop != ' ' && *stop != '\r')
            stop++;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        if (!equals)
            return false;
        struct word word = {at, equals + 1, (size_t)(equals - at), (size_t)(stop - equals - 1)};
        if (!take(snapshot, &word))
            return false;
        at = stop;
    }
    for (size_t i = 0; i < TEXTS; i++)
        if (!((char *)snapshot)[texts[i].offset] && !texts[i].may_lack)
            return false;
    return snapshot_number(snapshot->kernel) > 0 && is_parent(snapshot->parent) &&
           strcmp(snapshot->kernel, snapshot->parent) != 0;
}

size_t snapshot_index_parse(struct snapshot_index *index, const char *text, size_t size) {
    const char *at = text, *end = text + size;
    size_t left_out = 0;
    index->count = 0;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end ? line_end : end;
        struct snapshot snapshot;
        bool is_empty = *at == '#' || *at == '\r' || at == line_end;
        if (!is_empty && index->count < SNAPSHOTS_MAX && parse_line(&snapshot, at, line_end) &&
            !snapshot_index_find(index, snapshot.kernel))
            index->snapshot[index->count++] = snapshot;
        else if (!is_empty)
            left_out++;
        at = line_end + 1;
    }
    return left_out;
}

char *snapshot_index_format(const struct snapshot_index *index) {
    size_t size = sizeof HEAD + index->count * LINE_SIZE, length = sizeof HEAD - 1;
    char *text = malloc(size);
    if (!text)
        return NULL;
    memcpy(text, HEAD, sizeof HEAD);
    for (size_t i = 0; i < index->count; i++) {
        const struct snapshot *snapshot = &index->snapshot[i];
        for (size_t j = 0; j < TEXTS; j++) {
            const char *value = (const char *)snapshot + texts[j].offset;
            if (*value)
                length += format_into(text + length, size - length, "%s=%s ", texts[j].key, value);
        }
        length += format_into(text + length, size - length, "bytes=%u boots=%u\n", snapshot->bytes,
                              snapshot->boots);
    }
    return text;
}

struct snapshot *snapshot_index_find(struct snapshot_index *index, const char *kernel) {
    for (size_t i = 0; i < index->count; i++)
        if (strcmp(index->snapshot[i].kernel, kernel) == 0)
            return &index->snapshot[i];
    return NULL;
}

unsigned snapshot_index_next(const struct snapshot_index *index) {
    unsigned last = 0;
    for (size_t i = 0; i < index->count; i++)
        if (snapshot_number(index->snapshot[i].kernel) > last)
            last = snapshot_number(index->snapshot[i].kernel);
    return last + 1;
}

struct snapshot *snapshot_index_add(struct snapshot_index *index, unsigned number) {
    struct snapshot *added = &index->snapshot[index->count++];
    *added = (struct snapshot){.result = "new"};
    format_into(added->kernel, sizeof added->kernel, "%04u.KRN", number);
    return added;
}

bool snapshot_works(const struct snapshot *snapshot) {
    return strcmp(snapshot->result, "failed") != 0 && strcmp(snapshot->result, "missed") != 0;
}

void snapshot_index_keep(struct snapshot_index *index, const char *kernel, uint32_t *kept) {
    const struct snapshot *snapshot = snapshot_index_find(index, kernel);
    if (snapshot)
        *kept |= 1u << (snapshot - index->snapshot);
    for (size_t steps = index->count; snapshot && steps > 0; steps--) { /* it may be a circle */
        snapshot = snapshot_index_find(index, snapshot->parent);
        if (!snapshot || !snapshot_works(snapshot))
            continue;
        *kept |= 1u << (snapshot - index->snapshot);
        return;
    }
}

uint32_t snapshot_index_kept(struct snapshot_index *index) {
    uint32_t kept = 0;
    for (size_t i = index->count; i-- > 0;)
        if (strcmp(index->snapshot[i].result, "good") == 0) {
            snapshot_index_keep(index, index->snapshot[i].kernel, &kept);
            break;
        }
    for (size_t i = 0; i < index->count; i++)
        if (strcmp(index->snapshot[i].kind, "full") == 0)
            return kept | 1u << i;
    return kept;
}

void snapshot_index_remove(struct snapshot_index *index, struct snapshot *snapshot) {
    size_t behind = index->count - (size_t)(snapshot - index->snapshot) - 1;
    memmove(snapshot, snapshot + 1, behind * sizeof *snapshot);
    index->count--;
}
