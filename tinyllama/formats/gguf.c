/* GGUF's header: the metadata, then the list of tensors. */
#include "gguf.h"
#include "gguf_cursor.h"
#include <stdarg.h>

/* Limits. Real files have some 50 entries and some 1000 tensors. */
#define MAX_ENTRIES 1024u
#define MAX_TENSORS 16384u
#define MAX_DIMENSIONS 4u
#define MAX_EXTENT (1u << 30) /* of one dimension */
#define MAX_ALIGNMENT (1u << 20)
#define DEFAULT_ALIGNMENT 32u
/* The fewest bytes that an entry and a tensor take. */
#define LEAST_ENTRY 13u
#define LEAST_TENSOR 33u

static const uint8_t type_bytes[GGUF_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

bool gguf_error(const struct gguf *g, const char *format, ...) {
    char text[sizeof g->error->text];
    va_list values;
    va_start(values, format);
    error_format(text, sizeof text, format, values);
    va_end(values);
    return error_set(g->error, "%s: %s", g->path, text);
}

bool gguf_recognise(struct file *file) {
    struct error error;
    uint32_t magic = 0;
    return file_size(file) >= sizeof magic && file_read(file, 0, &magic, sizeof magic, &error) &&
           magic == GGUF_MAGIC;
}

/* What the header is read with. */
struct header {
    struct gguf *gguf;
    struct cursor cursor;
    const char *part; /* what is being read, for messages */
    size_t index;
};

/* False, with the message that the file ends; a message of the disk's stays. */
static bool ends(struct header *h) {
    return h->cursor.error->text[0]
               ? false
               : gguf_error(h->gguf, "damaged: it ends within %s %zu", h->part, h->index);
}

static bool take(struct header *h, void *value, size_t size) {
    return cursor_read(&h->cursor, value, size) || ends(h);
}

/* A name of at most GGUF_MAX_NAME bytes, none of them zero, with a zero behind it. */
static bool take_name(struct header *h, char name[GGUF_MAX_NAME + 1]) {
    uint64_t length;
    if (!take(h, &length, sizeof length))
        return false;
    if (length == 0 || length > GGUF_MAX_NAME)
        return gguf_error(h->gguf, "damaged: the name of %s %zu has %llu bytes, not 1 to %u",
                          h->part, h->index, (unsigned long long)length, GGUF_MAX_NAME);
    if (!take(h, name, (size_t)length))
        return false;
    name[length] = '\0';
    return strlen(name) == length ||
           gguf_error(h->gguf, "damaged: the name of %s %zu has a zero in it", h->part, h->index);
}

/* ---- Metadata ---- */

/* Goes on behind a string; its length is added to *bytes. */
static bool skip_string(struct header *h, const char *key, uint64_t *bytes) {
    uint64_t length;
    bool zero = false;
    if (!take(h, &length, sizeof length))
        return false;
    if (!cursor_skip(&h->cursor, length, &zero))
        return ends(h);
    *bytes += length;
    return !zero || gguf_error(h->gguf, "damaged: a string of its %s has a zero in it", key);
}

static bool take_array(struct header *h, struct gguf_entry *entry) {
    uint32_t type;
    uint64_t count;
    if (!take(h, &type, sizeof type) || !take(h, &count, sizeof count))
        return false;
    if (type == GGUF_ARRAY)
        return gguf_error(h->gguf, "its %s is an array of arrays, which nothing here has a use for",
                          entry->key);
    if (type >= GGUF_TYPES)
        return gguf_error(h->gguf, "damaged: its %s has elements of type %u, which there is not",
                          entry->key, (unsigned)type);
    entry->array = true;
    entry->type = (enum gguf_type)type;
    entry->count = count;
    entry->offset = h->cursor.offset;
    uint64_t least = type == GGUF_STRING ? sizeof(uint64_t) : type_bytes[type];
    if (count > cursor_left(&h->cursor) / least)
        return gguf_error(h->gguf,
                          "damaged: its %s has %llu elements, more than the file has room "
                          "for",
                          entry->key, (unsigned long long)count);
    if (type != GGUF_STRING)
        return cursor_skip(&h->cursor, count * least, NULL) || ends(h);
    for (uint64_t i = 0; i < count; i++)
        if (!skip_string(h, entry->key, &entry->string_bytes))
            return false;
    return true;
}

static bool take_value(struct header *h, struct gguf_entry *entry) {
    uint32_t type;
    if (!take(h, &type, sizeof type))
        return false;
    if (type >= GGUF_TYPES)
        return gguf_error(h->gguf, "damaged: its %s has type %u, which there is not", entry->key,
                          (unsigned)type);
    if (type == GGUF_ARRAY)
        return take_array(h, entry);
    entry->type = (enum gguf_type)type;
    entry->offset = h->cursor.offset;
    if (type == GGUF_STRING) {
        entry->offset += sizeof(uint64_t);
        return skip_string(h, entry->key, &entry->count);
    }
    return take(h, &entry->bits, type_bytes[type]) &&
           (type != GGUF_BOOL || entry->bits <= 1 ||
            gguf_error(h->gguf, "damaged: its %s is neither true nor false", entry->key));
}

/* Room for one more element of size bytes in an array that has count of them. */
static bool grow(struct gguf *g, void **array, size_t count, size_t size) {
    if (count & (count - 1)) /* grown to the next power of two before */
        return true;
    void *grown = realloc(*array, (count ? 2 * count : 1) * size);
    if (!grown)
        return gguf_error(g, "no memory for its header; give the machine more");
    *array = grown;
    return true;
}

static bool take_entries(struct header *h, uint64_t count) {
    struct gguf *g = h->gguf;
    h->part = "entry";
    if (count > MAX_ENTRIES || count * LEAST_ENTRY > cursor_left(&h->cursor))
        return gguf_error(g, "its header claims %llu entries: damaged, or more than %u",
                          (unsigned long long)count, MAX_ENTRIES);
    for (h->index = 0; h->index < count; h->index++) {
        struct gguf_entry entry = {.type = GGUF_UINT8};
        if (!take_name(h, entry.key) || !take_value(h, &entry))
            return false;
        if (gguf_entry(g, entry.key))
            return gguf_error(g, "damaged: it has two entries %s", entry.key);
        if (!grow(g, (void **)&g->entries, g->entry_count, sizeof entry))
            return false;
        g->entries[g->entry_count++] = entry;
    }
    return true;
}

/* ---- Tensors ---- */

/* The extents of a tensor: columns, rows, and 1 for all that follow. */
static bool take_extents(struct header *h, struct gguf_tensor *tensor) {
    uint32_t dimensions;
    if (!take(h, &dimensions, sizeof dimensions))
        return false;
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS)
        return gguf_error(h->gguf, "damaged: its tensor %s has %u dimensions", tensor->name,
                          (unsigned)dimensions);
    tensor->columns = tensor->rows = 1;
    for (uint32_t i = 0; i < dimensions; i++) {
        uint64_t extent;
        if (!take(h, &extent, sizeof extent))
            return false;
        if (extent < 1 || extent > (i < 2 ? MAX_EXTENT : 1))
            return gguf_error(h->gguf,
                              "its tensor %s has an extent of %llu, which no matrix of a "
                              "language model has",
                              tensor->name, (unsigned long long)extent);
        if (i == 0)
            tensor->columns = (uint32_t)extent;
        else if (i == 1)
            tensor->rows = (uint32_t)extent;
    }
    return true;
}

/* Its offset is still that from the first tensor's. */
static bool take_tensor(struct header *h, struct gguf_tensor *tensor) {
    uint32_t type;
    if (!take_name(h, tensor->name) || !take_extents(h, tensor) || !take(h, &type, sizeof type) ||
        !take(h, &tensor->offset, sizeof tensor->offset))
        return false;
    tensor->type = weight_type_find(type);
    if (!tensor->type)
        return gguf_error(h->gguf, "its tensor %s has type %u; there are %s", tensor->name,
                          (unsigned)type, weight_type_names);
    if (tensor->columns % tensor->type->columns != 0)
        return gguf_error(h->gguf, "its tensor %s has %u columns, no multiple of %s's %u",
                          tensor->name, (unsigned)tensor->columns, tensor->type->name,
                          (unsigned)tensor->type->columns);
    tensor->bytes = (uint64_t)tensor->rows * weight_row_bytes(tensor->type, tensor->columns);
    return true;
}

static bool take_tensors(struct header *h, uint64_t count) {
    struct gguf *g = h->gguf;
    h->part = "tensor";
    if (count > MAX_TENSORS || count * LEAST_TENSOR > cursor_left(&h->cursor))
        return gguf_error(g, "its header claims %llu tensors: damaged, or more than %u",
                          (unsigned long long)count, MAX_TENSORS);
    for (h->index = 0; h->index < count; h->index++) {
        struct gguf_tensor tensor = {.type = NULL};
        if (!take_tensor(h, &tensor) ||
            !grow(g, (void **)&g->tensors, g->tensor_count, sizeof tensor))
            return false;
        g->tensors[g->tensor_count++] = tensor;
    }
    return true;
}

static int compare_names(const void *left, const void *right) {
    const struct gguf_tensor *a = left, *b = right;
    return strcmp(a->name, b->name);
}
static int compare_offsets(const void *left, const void *right) {
    const struct gguf_tensor *a = left, *b = right;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void order(struct gguf *g, int (*compare)(const void *, const void *)) {
    if (g->tensor_count > 0)
        qsort(g->tensors, g->tensor_count, sizeof *g->tensors, compare);
}

void gguf_order_by_place(struct gguf *g) {
    order(g, compare_offsets);
}

struct gguf_tensor *gguf_tensor(const struct gguf *g, const char *name) {
    struct gguf_tensor key;
    if (strlen(name) > GGUF_MAX_NAME || g->tensor_count == 0)
        return NULL;
    strcpy(key.name, name);
    return bsearch(&key, g->tensors, g->tensor_count, sizeof key, compare_names);
}

/* Checks the tensors' places; data begins at begin in the file. */
static bool place_tensors(struct gguf *g, uint64_t begin, uint32_t alignment) {
    uint64_t size = file_size(g->file);
    order(g, compare_offsets);
    for (size_t i = 0; i < g->tensor_count; i++) {
        struct gguf_tensor *t = &g->tensors[i];
        if (t->offset % alignment != 0)
            return gguf_error(g, "damaged: its tensor %s does not begin at a multiple of %u",
                              t->name, (unsigned)alignment);
        if (begin > size || t->offset > size - begin || t->bytes > size - begin - t->offset)
            return gguf_error(g,
                              "damaged or cut short: its tensor %s has %llu bytes, which end "
                              "behind its %llu",
                              t->name, (unsigned long long)t->bytes, (unsigned long long)size);
        t->offset += begin;
        if (i > 0 && t[-1].offset + t[-1].bytes > t->offset)
            return gguf_error(g, "damaged: its tensors %s and %s overlap", t[-1].name, t->name);
    }
    order(g, compare_names);
    for (size_t i = 1; i < g->tensor_count; i++)
        if (strcmp(g->tensors[i - 1].name, g->tensors[i].name) == 0)
            return gguf_error(g, "damaged: it has two tensors %s", g->tensors[i].name);
    return true;
}

/* ---- The whole header ---- */

static bool take_header(struct header *h) {
    struct gguf *g = h->gguf;
    uint32_t magic, version, alignment = DEFAULT_ALIGNMENT;
    uint64_t tensors, entries;
    h->part = "header";
    if (!take(h, &magic, sizeof magic) || !take(h, &version, sizeof version))
        return false;
    if (magic != GGUF_MAGIC)
        return gguf_error(g, "no GGUF file");
    if (version == 0x02000000 || version == 0x03000000)
        return gguf_error(g, "a big-endian GGUF file; only little-endian ones can be read");
    if (version != 2 && version != 3)
        return gguf_error(g, "GGUF of version %u; versions 2 and 3 can be read", (unsigned)version);
    if (!take(h, &tensors, sizeof tensors) || !take(h, &entries, sizeof entries) ||
        !take_entries(h, entries) || !take_tensors(h, tensors) ||
        !gguf_whole(g, "general.alignment", 1, MAX_ALIGNMENT, &alignment))
        return false;
    uint64_t begin = (h->cursor.offset + alignment - 1) / alignment * alignment;
    return place_tensors(g, begin, alignment);
}

bool gguf_open(struct gguf *g, struct file *file, const char *path, struct error *error) {
    *g = (struct gguf){.file = file, .path = path, .error = error};
    struct header h = {.gguf = g};
    bool good = cursor_begin(&h.cursor, file, 0, file_size(file), error) && take_header(&h);
    cursor_end(&h.cursor);
    if (!good)
        gguf_close(g);
    return good;
}

void gguf_close(struct gguf *g) {
    free(g->entries);
    free(g->tensors);
    *g = (struct gguf){0};
}
