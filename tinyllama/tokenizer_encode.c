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

/* The list of the text's tokens while they are merged, and a tournament tree that finds the best
 * pair: each node is the better one of its two children, so that n merges take n log n. */
struct pairs {
    const struct tokenizer *tokenizer;
    uint32_t *tokens;
    uint32_t count;            /* of tokens at first */
    uint32_t *merge;           /* the piece that a token and the next one make, or NO_MERGE */
    uint32_t *next, *previous; /* the neighbours that are left; count: none */
    uint32_t *best; /* the tree: best[1] is the root, best[2 * i] and best[2 * i + 1] are the
                       children of best[i]; leaves, from count on, are not stored */
    char *buffer;
};

/* The piece that two neighbours make together, or NO_MERGE. Their bytes are joined in the
 * buffer. */
static uint32_t merged(const struct pairs *pairs, uint32_t left, uint32_t right) {
    const struct tokenizer *t = pairs->tokenizer;
    const struct piece *a = &t->pieces[left], *b = &t->pieces[right];
    uint32_t token;
    if (a->length + b->length > t->longest)
        return NO_MERGE;
    memcpy(pairs->buffer, a->bytes, a->length);
    memcpy(pairs->buffer + a->length, b->bytes, b->length);
    return tokenizer_find(t, pairs->buffer, a->length + b->length, &token) &&
                   t->pieces[token].score > LEAST_SCORE
               ? token
               : NO_MERGE;
}

/* The better one of two places in the text: the one with the greater score, or else the first. */
static uint32_t better(const struct pairs *pairs, uint32_t a, uint32_t b) {
    uint32_t merge_a = pairs->merge[a], merge_b = pairs->merge[b];
    if (merge_a == NO_MERGE || merge_b == NO_MERGE)
        return merge_a == NO_MERGE ? b : a;
    float score_a = pairs->tokenizer->pieces[merge_a].score;
    float score_b = pairs->tokenizer->pieces[merge_b].score;
    return score_a > score_b || (score_a == score_b && a < b) ? a : b;
}

static uint32_t best_of(const struct pairs *pairs, uint32_t node) {
    return node < pairs->count ? pairs->best[node] : node - pairs->count;
}

static void play(struct pairs *pairs, uint32_t node) {
    pairs->best[node] = better(pairs, best_of(pairs, 2 * node), best_of(pairs, 2 * node + 1));
}

/* Finds the piece that the token at this place and the next one make. */
static void match(struct pairs *pairs, uint32_t at) {
    uint32_t next = pairs->next[at];
    pairs->merge[at] =
        next == pairs->count ? NO_MERGE : merged(pairs, pairs->tokens[at], pairs->tokens[next]);
}

static void rematch(struct pairs *pairs, uint32_t at) {
    match(pairs, at);
    for (uint32_t node = (at + pairs->count) / 2; node > 0; node /= 2)
        play(pairs, node);
}

/* Merges a token and its successor. */
static void merge_at(struct pairs *pairs, uint32_t at) {
    uint32_t removed = pairs->next[at], next = pairs->next[removed];
    pairs->tokens[at] = pairs->merge[at];
    pairs->next[at] = next;
    if (next < pairs->count)
        pairs->previous[next] = at;
    pairs->next[removed] = pairs->count;
    rematch(pairs, removed);
    rematch(pairs, at);
    if (pairs->previous[at] < pairs->count)
        rematch(pairs, pairs->previous[at]);
}

/* Merges the pair that makes the piece with the greatest score, of equal ones the first, until no
 * pair is left. Returns the number of tokens. */
static size_t merge_pairs(struct pairs *pairs) {
    uint32_t count = pairs->count;
    for (uint32_t i = 0; i < count; i++) {
        pairs->next[i] = i + 1;
        pairs->previous[i] = i > 0 ? i - 1 : count;
        match(pairs, i);
    }
    for (uint32_t node = count - 1; node > 0; node--)
        play(pairs, node);
    while (pairs->merge[best_of(pairs, 1)] != NO_MERGE)
        merge_at(pairs, best_of(pairs, 1));
    size_t left = 0;
    for (uint32_t i = 0; i < count; i = pairs->next[i])
        pairs->tokens[left++] = pairs->tokens[i];
    return left;
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
    struct pairs pairs = {
        .tokenizer = t, .tokens = tokens + 1, .count = (uint32_t)(dummy_prefix + characters)};
    uint32_t *places = malloc(4 * (size_t)pairs.count * sizeof *places);
    pairs.buffer = malloc(t->longest + 1);
    if (places && pairs.buffer) {
        pairs.merge = places;
        pairs.next = places + pairs.count;
        pairs.previous = places + 2 * (size_t)pairs.count;
        pairs.best = places + 3 * (size_t)pairs.count;
        count += merge_pairs(&pairs);
    } else {
        count = error_set(error, "no memory to encode the prompt");
    }
    free(places);
    free(pairs.buffer);
    return count;
}
