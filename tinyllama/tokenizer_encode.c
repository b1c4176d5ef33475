/* Byte-pair encoding (Sennrich et al., 2016) by the scores of SentencePiece. */
#include "tokenizer_internal.h"

#define FIRST_BYTE_PIECE 3u
#define NO_MERGE UINT32_MAX
#define LEAST_SCORE (-1e10f) /* pieces with lower ones are never merged into */

/* Bytes of the UTF-8 character at text: a leading byte with the continuation bytes behind it, at
 * most 4 in all. */
static uint32_t character_length(const char *text) {
    uint32_t length = 1;
    while (length < 4 && (text[length] & 0xC0) == 0x80)
        length++;
    return length;
}

static size_t split(const struct tokenizer *t, const char *text, uint32_t *tokens,
                    struct error *error) {
    size_t count = 0;
    while (*text) {
        uint32_t length = character_length(text);
        if (tokenizer_find(t, text, length, &tokens[count])) {
            count++;
            text += length;
            continue;
        }
        for (; length > 0; length--, text++) {
            uint32_t token = FIRST_BYTE_PIECE + (unsigned char)*text;
            if (token >= t->count)
                return error_set(error,
                                 "the tokenizer has no piece for the byte 0x%02X of the "
                                 "prompt",
                                 (unsigned char)*text);
            tokens[count++] = token;
        }
    }
    return count;
}

/* The piece that two neighbours make together, or NO_MERGE. The pieces lie apart in memory, so
 * their bytes are brought together in buffer. */
static uint32_t merged(const struct tokenizer *t, uint32_t left, uint32_t right, char *buffer) {
    const struct piece *a = &t->pieces[left], *b = &t->pieces[right];
    uint32_t token;
    if (a->length + b->length > t->longest)
        return NO_MERGE;
    memcpy(buffer, a->bytes, a->length);
    memcpy(buffer + a->length, b->bytes, b->length);
    return tokenizer_find(t, buffer, a->length + b->length, &token) ? token : NO_MERGE;
}

/* Merges, as long as there is one, the pair that makes the piece with the best score, of equal ones
 * the first. merge[i] is what tokens i and i + 1 make; only a merge's neighbours change. */
static size_t merge_pairs(const struct tokenizer *t, uint32_t *tokens, size_t count,
                          uint32_t *merge, char *buffer) {
    for (size_t i = 0; i + 1 < count; i++)
        merge[i] = merged(t, tokens[i], tokens[i + 1], buffer);
    for (;;) {
        float best_score = LEAST_SCORE;
        size_t best = count;
        for (size_t i = 0; i + 1 < count; i++)
            if (merge[i] != NO_MERGE && t->pieces[merge[i]].score > best_score) {
                best_score = t->pieces[merge[i]].score;
                best = i;
            }
        if (best == count)
            return count;
        tokens[best] = merge[best];
        count--;
        memmove(tokens + best + 1, tokens + best + 2, (count - best - 1) * sizeof *tokens);
        memmove(merge + best, merge + best + 1, (count - best) * sizeof *merge);
        if (best > 0)
            merge[best - 1] = merged(t, tokens[best - 1], tokens[best], buffer);
        if (best + 1 < count)
            merge[best] = merged(t, tokens[best], tokens[best + 1], buffer);
    }
}

size_t tokenizer_encode(const struct tokenizer *t, const char *text, uint32_t *tokens,
                        struct error *error) {
    size_t count = 0;
    tokens[count++] = TOKEN_BOS;
    if (!*text)
        return count;
    size_t dummy_prefix = split(t, " ", tokens + count, error);
    size_t characters = dummy_prefix ? split(t, text, tokens + count + dummy_prefix, error) : 0;
    if (characters == 0)
        return 0;
    uint32_t *merge = malloc(tokenizer_max_tokens(strlen(text)) * sizeof *merge);
    char *buffer = malloc(t->longest + 1);
    if (merge && buffer)
        count += merge_pairs(t, tokens + count, dummy_prefix + characters, merge, buffer);
    else
        count = error_set(error, "no memory to encode the prompt");
    free(merge);
    free(buffer);
    return count;
}
