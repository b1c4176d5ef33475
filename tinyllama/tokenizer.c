/* Reading a tokenizer, and decoding with it. Encoding is in tokenizer_encode.c. */
#include "tokenizer_internal.h"

#define MAX_FILE_BYTES (64u * 1024 * 1024)
#define ENTRY_BYTES 8u /* score and length */
#define FIRST_BYTE_PIECE 3u

/* By length, then by bytes: the shorter comparison first. */
static int compare_bytes(const char *bytes, uint32_t length, const struct piece *piece) {
    if (length != piece->length)
        return length < piece->length ? -1 : 1;
    return memcmp(bytes, piece->bytes, length);
}

/* The first of the count sorted pieces with these bytes; NULL if there is none. */
static const struct piece *find_piece(const struct piece *const *sorted, uint32_t count,
                                      const char *bytes, uint32_t length) {
    uint32_t low = 0, high = count;
    while (low < high) { /* the first piece that is not less is in [low, high] */
        uint32_t middle = low + (high - low) / 2;
        if (compare_bytes(bytes, length, sorted[middle]) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && compare_bytes(bytes, length, sorted[low]) == 0 ? sorted[low] : NULL;
}

bool tokenizer_find(const struct tokenizer *t, const char *bytes, uint32_t length,
                    uint32_t *token) {
    const struct piece *found = find_piece(t->sorted, t->count, bytes, length);
    if (found)
        *token = (uint32_t)(found - t->pieces);
    return found != NULL;
}

const struct piece *tokenizer_user_piece(const struct tokenizer *t, const char *text,
                                         size_t length) {
    for (uint32_t end = t->user_count; end > 0;) { /* one length after the other */
        uint32_t size = t->user[end - 1]->length;
        const struct piece *found =
            size <= length ? find_piece(t->user, t->user_count, text, size) : NULL;
        if (found)
            return found;
        while (end > 0 && t->user[end - 1]->length == size)
            end--;
    }
    return NULL;
}

const struct merge *tokenizer_merge(const struct tokenizer *t, uint32_t left, uint32_t right) {
    uint32_t low = 0, high = t->merge_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct merge *m = &t->merges[middle];
        if (m->left < left || (m->left == left && m->right < right))
            low = middle + 1;
        else
            high = middle;
    }
    const struct merge *found = &t->merges[low];
    return low < t->merge_count && found->left == left && found->right == right ? found : NULL;
}

/* Equal pieces are in the order of their numbers. */
static int compare_pieces(const void *left, const void *right) {
    const struct piece *a = *(const struct piece *const *)left;
    const struct piece *b = *(const struct piece *const *)right;
    int order = compare_bytes(a->bytes, a->length, b);
    return order != 0 ? order : a < b ? -1 : 1;
}

/* Sorted, not hashed: in a malicious file all pieces may have the same hash. */
void tokenizer_sort(struct tokenizer *t) {
    for (uint32_t i = 0; i < t->count; i++)
        t->sorted[i] = &t->pieces[i];
    qsort(t->sorted, t->count, sizeof *t->sorted, compare_pieces);
    if (t->count > 0)
        t->longest = t->sorted[t->count - 1]->length;
}

bool tokenizer_list_user(struct tokenizer *t, struct error *error) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->count; i++)
        count += t->pieces[i].kind == PIECE_USER;
    if (count == 0)
        return true;
    t->user = malloc(count * sizeof *t->user);
    if (!t->user)
        return error_set(error, "no memory for the tokenizer; give the machine more");
    for (uint32_t i = 0; i < t->count; i++)
        if (t->sorted[i]->kind == PIECE_USER)
            t->user[t->user_count++] = t->sorted[i];
    return true;
}

bool tokenizer_allocate(struct tokenizer *t, uint32_t count, size_t size, struct error *error) {
    *t = (struct tokenizer){.count = count, .bos = TOKEN_NONE, .eos = TOKEN_NONE};
    for (int i = 0; i < 256; i++)
        t->byte_pieces[i] = TOKEN_NONE;
    t->memory = malloc(size ? size : 1);
    t->pieces = calloc(count, sizeof *t->pieces);
    t->sorted = malloc(count * sizeof *t->sorted);
    return (t->memory && t->pieces && t->sorted) ||
           error_set(error, "no memory for the tokenizer; give the machine more");
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
        if (tokenizer_byte_of(t->pieces[i].bytes, (uint32_t)length) >= 0)
            t->pieces[i].kind = PIECE_BYTE;
        s->at += (uint32_t)length;
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
    uint64_t size = file_size(file);
    if (size < sizeof(int32_t) || size > MAX_FILE_BYTES)
        return error_set(error, "%s: %llu bytes cannot be a tokenizer", path,
                         (unsigned long long)size);
    bool good = tokenizer_allocate(t, count, (size_t)size, error) &&
                file_read(file, 0, t->memory, (size_t)size, error) &&
                find_pieces(t, (size_t)size, path, error);
    if (!good) {
        tokenizer_free(t);
        return false;
    }
    tokenizer_sort(t);
    t->bos = TOKEN_BOS;
    t->eos = TOKEN_EOS;
    t->add_bos = t->add_space = true;
    for (uint32_t i = 0; i < 256 && FIRST_BYTE_PIECE + i < count; i++)
        t->byte_pieces[i] = FIRST_BYTE_PIECE + i;
    return true;
}

void tokenizer_free(struct tokenizer *t) {
    free(t->memory);
    free(t->pieces);
    free(t->sorted);
    free(t->user);
    free(t->merges);
    free(t->classes);
    *t = (struct tokenizer){0};
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int tokenizer_byte_of(const char *bytes, size_t length) {
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
    const struct piece *piece = &t->pieces[token];
    const char *bytes = piece->bytes;
    *length = piece->kind == PIECE_CONTROL || piece->kind == PIECE_END ? 0 : piece->length;
    if (t->add_space && previous == t->bos && *length > 0 && *bytes == ' ') {
        bytes++;
        --*length;
    }
    if (piece->kind == PIECE_BYTE) {
        byte = (char)tokenizer_byte_of(bytes, *length);
        bytes = &byte;
        *length = 1;
    }
    if (!t->exact && *length == 1 && is_control((unsigned char)*bytes))
        *length = 0;
    return bytes;
}

bool tokenizer_is_end(const struct tokenizer *t, uint32_t token) {
    return token == t->bos || token == t->eos || t->pieces[token].kind == PIECE_END;
}
