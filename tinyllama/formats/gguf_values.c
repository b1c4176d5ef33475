/* GGUF's metadata by name. */
#include "gguf.h"

const struct gguf_entry *gguf_entry(const struct gguf *g, const char *key) {
    for (size_t i = 0; i < g->entry_count; i++)
        if (strcmp(g->entries[i].key, key) == 0)
            return &g->entries[i];
    return NULL;
}

static bool wrong_type(const struct gguf *g, const char *key, const char *wanted) {
    return gguf_error(g, "its %s is not %s", key, wanted);
}

/* A number of an integer type as 64 bits, with its sign. */
static bool as_integer(const struct gguf_entry *entry, int64_t *value) {
    uint64_t bits = entry->bits;
    switch (entry->array ? GGUF_ARRAY : entry->type) {
    case GGUF_UINT8:
    case GGUF_UINT16:
    case GGUF_UINT32:
    case GGUF_INT64:
        *value = (int64_t)bits;
        return true;
    case GGUF_UINT64:
        *value = bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
        return true;
    case GGUF_INT8:
        *value = (int8_t)bits;
        return true;
    case GGUF_INT16:
        *value = (int16_t)bits;
        return true;
    case GGUF_INT32:
        *value = (int32_t)bits;
        return true;
    default:
        return false;
    }
}

bool gguf_whole(const struct gguf *g, const char *key, uint32_t min, uint32_t max,
                uint32_t *value) {
    const struct gguf_entry *entry = gguf_entry(g, key);
    int64_t number;
    if (!entry)
        return true;
    if (!as_integer(entry, &number))
        return wrong_type(g, key, "a whole number");
    if (number < min || number > max)
        return gguf_error(g, "its %s is %lld, which is not between %u and %u", key,
                          (long long)number, (unsigned)min, (unsigned)max);
    *value = (uint32_t)number;
    return true;
}

bool gguf_number(const struct gguf *g, const char *key, double *value) {
    const struct gguf_entry *entry = gguf_entry(g, key);
    if (!entry)
        return true;
    float single;
    double number;
    memcpy(&single, &entry->bits, sizeof single);
    memcpy(&number, &entry->bits, sizeof number);
    if (entry->array || (entry->type != GGUF_FLOAT32 && entry->type != GGUF_FLOAT64))
        return wrong_type(g, key, "a number with a fraction");
    if (entry->type == GGUF_FLOAT32)
        number = single;
    if (!(number >= 0.0 && number <= 1e30))
        return gguf_error(g, "its %s is negative, too large, or no number", key);
    *value = number;
    return true;
}

bool gguf_bool(const struct gguf *g, const char *key, bool *value) {
    const struct gguf_entry *entry = gguf_entry(g, key);
    if (!entry)
        return true;
    if (entry->array || entry->type != GGUF_BOOL)
        return wrong_type(g, key, "true or false");
    *value = entry->bits != 0;
    return true;
}

bool gguf_string(const struct gguf *g, const char *key, char *value, size_t size) {
    const struct gguf_entry *entry = gguf_entry(g, key);
    if (!entry)
        return true;
    if (entry->array || entry->type != GGUF_STRING)
        return wrong_type(g, key, "a string");
    if (entry->count >= size)
        return gguf_error(g, "its %s has %llu bytes, more than %zu", key,
                          (unsigned long long)entry->count, size - 1);
    value[entry->count] = '\0';
    return file_read(g->file, entry->offset, value, (size_t)entry->count, g->error);
}

bool gguf_array(const struct gguf *g, const char *key, enum gguf_type type,
                const struct gguf_entry **entry) {
    const struct gguf_entry *found = gguf_entry(g, key);
    if (!found)
        return true;
    if (!found->array || found->type != type)
        return wrong_type(g, key, "an array of the right type");
    *entry = found;
    return true;
}
