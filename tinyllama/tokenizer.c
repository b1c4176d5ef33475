/* Reading a tokenizer, and decoding with it. Encoding is in tokenizer_encode.c. */
#include "tokenizer_internal.h"

#define MAX_FILE_BYTES (64u * 1024 * 1024)
#define ENTRY_BYTES 8u /* score and length */

/* Pieces that one call reads. Loops over a vocabulary are cut into calls, because the JIT exchanges
 * a function's code only between its calls. */
#define CALL_PIECES 256u

/* By length, then by bytes: the shorter comparison first. */
static int compare_bytes(const char *bytes, uint32_t length, const struct piece *piece) {
    if (length != piece->length)
        return length < piece->length ? -1 : 1;
    return memcmp(bytes, piece->bytes, length);
}

bool tokenizer_find(const struct tokenizer *t, const char *bytes, uint32_t length,
                    uint32_t *token) {
    uint32_t low = 0, high = t->count;
    while (low < high) { /* the first piece that is not less is in [low, high] */
        uint32_t middle = low + (high - low) / 2;
        if (compare_bytes(bytes, length, t->sorted[middle]) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == t->count || compare_bytes(bytes, length, t->sorted[low]) != 0)
        return false;
    *token = (uint32_t)(t->sorted[low] - t->pieces);
    return true;
}

/* Equal pieces are in the order of their numbers. */
static int compare_pieces(const void *left, const void *right) {
    const struct piece *a = *(const struct piece *const *)left;
    const struct piece *b = *(const struct piece *const *)right;
    int order = compare_bytes(a->bytes, a->length, b);
    return order != 0 ? order : a < b ? -1 : 1;
}

/* Sorted, not hashed: in a malicious file all pieces may have the same hash. */
static void sort_pieces(struct tokenizer *t) {
    for (uint32_t i = 0; i < t->count; i++)
        t->sorted[i] = &t->pieces[i];
    qsort(t->sorted, t->count, sizeof *t->sorted, compare_pieces);
}

static uint32_t end_of_call(const struct tokenizer *t, uint32_t first) {
    return t->count - first < CALL_PIECES ? t->count : first + CALL_PIECES;
}

/* The file that the pieces are in. */
struct source {
    const char *path;
    size_t size, at;
    struct error *error;
};

/* Finds the pieces from first on. */
static bool find_some(struct tokenizer *t, struct source *s, uint32_t first) {
    for (uint32_t i = first, end = end_of_call(t, first); i < end; i++) {
        int32_t length;
        if (s->size - s->at < ENTRY_BYTES)
            return error_set(s->error,
                             "%s: it ends after %u pieces, the model has %u; is it this "
                             "model's tokenizer?",
                             s->path, (unsigned)i, (unsigned)t->count);
        memcpy(&t->pieces[i].score, t->memory + s->at, sizeof(float));
        memcpy(&length, t->memory + s->at + sizeof(float), sizeof length);
        s->at += ENTRY_BYTES;
        if (length < 0 || (uint32_t)length > s->size - s->at)
            return error_set(s->error,
                             "%s: damaged: piece %u has a length of %d bytes, %zu are left",
                             s->path, (unsigned)i, (int)length, s->size - s->at);
        t->pieces[i].bytes = t->memory + s->at;
        t->pieces[i].length = (uint32_t)length;
        s->at += (uint32_t)length;
        if ((uint32_t)length > t->longest)
            t->longest = (uint32_t)length;
    }
    return true;
}

/* Finds the pieces in the file's size bytes. */
static bool find_pieces(struct tokenizer *t, size_t size, const char *path, struct error *error) {
    /* The length of the longest piece is skipped: the pieces show it. */
    struct source s = {path, size, sizeof(int32_t), error};
    for (uint32_t i = 0; i < t->count; i += CALL_PIECES)
        if (!find_some(t, &s, i))
            return false;
    return s.at == size ||
           error_set(error,
                     "%s: it goes on after the model's %u pieces; is it this model's "
                     "tokenizer?",
                     path, (unsigned)t->count);
}

bool tokenizer_read(struct tokenizer *t, struct file *file, const char *path, uint32_t count,
                    struct error *error) {
    *t = (struct tokenizer){.count = count};
    uint64_t size = file_size(file);
    if (size < sizeof(int32_t) || size > MAX_FILE_BYTES)
        return error_set(error, "%s: %llu bytes cannot be a tokenizer", path,
                         (unsigned long long)size);
    t->memory = malloc(size);
    t->pieces = malloc(count * sizeof *t->pieces);
    t->sorted = malloc(count * sizeof *t->sorted);
    bool good = t->memory && t->pieces && t->sorted;
    if (!good)
        error_set(error, "no memory for the tokenizer; give the machine more");
    good = good && file_read(file, 0, t->memory, size, error) && find_pieces(t, size, path, error);
    if (good)
        sort_pieces(t);
    else
        tokenizer_free(t);
    return good;
}

void tokenizer_free(struct tokenizer *t) {
    free(t->memory);
    free(t->pieces);
    free(t->sorted);
    *t = (struct tokenizer){0};
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte of a byte piece "<0xHH>", or -1. */
static int byte_of(const char *bytes, size_t length) {
    if (length != 6 || memcmp(bytes, "<0x", 3) != 0 || bytes[5] != '>')
        return -1;
    int high = hex_digit(bytes[3]), low = hex_digit(bytes[4]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Bytes from 0x80 on are parts of UTF-8 characters. */
static bool is_control(unsigned char c) {
    return (c < ' ' && !(c >= '\t' && c <= '\r')) || c == 0x7F;
}

const char *tokenizer_decode(const struct tokenizer *t, uint32_t previous, uint32_t token,
                             size_t *length) {
    static char byte;
    const char *bytes = t->pieces[token].bytes;
    *length = t->pieces[token].length;
    if (previous == TOKEN_BOS && *length > 0 && *bytes == ' ') {
        bytes++;
        --*length;
    }
    int value = byte_of(bytes, *length);
    if (value >= 0) {
        byte = (char)value;
        bytes = &byte;
        *length = 1;
    }
    if (*length == 1 && is_control((unsigned char)*bytes))
        *length = 0;
    return bytes;
}
