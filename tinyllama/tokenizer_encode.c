/* Byte-pair encoding (Sennrich et al., 2016), by the scores of SentencePiece or by merges. */
#include "tokenizer_internal.h"
#include "tokenizer_words.h"

#define NO_MERGE UINT32_MAX
#define LEAST_SCORE (-1e10f) /* pieces with lower ones are never merged into */

/* Bytes of the UTF-8 character at text, with left bytes there: an ASCII character, or another byte
 * with the continuation bytes behind it, at most 4 in all. */
static uint32_t character_length(const char *text, size_t left) {
    uint32_t length = 1;
    while ((unsigned char)*text >= 0x80 && length < 4 && length < left &&
           (text[length] & 0xC0) == 0x80)
        length++;
    return length;
}

static bool take_byte(const struct tokenizer *t, unsigned char byte, uint32_t *token,
                      struct error *error) {
    *token = t->byte_pieces[byte];
    return *token != TOKEN_NONE ||
           error_set(error, "the tokenizer has no piece for the byte 0x%02X of the prompt", byte);
}

/* The tokens of a text's characters, before any is merged; 0 and *error if there is none for a
 * byte. Byte-level encoding begins with bytes. */
static size_t split(const struct tokenizer *t, const char *text, size_t size, uint32_t *tokens,
                    struct error *error) {
    size_t count = 0;
    for (const char *end = text + size; text < end;) {
        uint32_t length = t->words ? 1 : character_length(text, (size_t)(end - text));
        if (!t->words && tokenizer_find(t, text, length, &tokens[count])) {
            count++;
            text += length;
            continue;
        }
        for (; length > 0; length--, text++)
            if (!take_byte(t, (unsigned char)*text, &tokens[count++], error))
                return 0;
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
    float *score;              /* of that merge: the greatest is first */
    uint32_t *next, *previous; /* the neighbours that are left; count: none */
    uint32_t *best; /* the tree: best[1] is the root, best[2 * i] and best[2 * i + 1] are the
                       children of best[i]; leaves, from count on, are not stored */
    char *buffer;
};

/* The piece that two neighbours make together, or NO_MERGE; with its score. Their bytes are joined
 * in the buffer. */
static uint32_t merged(const struct pairs *pairs, uint32_t left, uint32_t right, float *score) {
    const struct tokenizer *t = pairs->tokenizer;
    const struct piece *a = &t->pieces[left], *b = &t->pieces[right];
    const struct merge *merge = NULL;
    uint32_t token;
    if (a->length + b->length > t->longest)
        return NO_MERGE;
    if (t->words && !(merge = tokenizer_merge(t, left, right)))
        return NO_MERGE;
    memcpy(pairs->buffer, a->bytes, a->length);
    memcpy(pairs->buffer + a->length, b->bytes, b->length);
    if (!tokenizer_find(t, pairs->buffer, a->length + b->length, &token))
        return NO_MERGE;
    if (t->exact && t->pieces[token].kind != PIECE_NORMAL && t->pieces[token].kind != PIECE_USER)
        return NO_MERGE; /* no text becomes a control piece */
    *score = merge ? -(float)merge->rank : t->pieces[token].score;
    return *score > LEAST_SCORE ? token : NO_MERGE;
}

/* The better one of two places in the text: the one with the greater score, or else the first. */
static uint32_t better(const struct pairs *pairs, uint32_t a, uint32_t b) {
    uint32_t merge_a = pairs->merge[a], merge_b = pairs->merge[b];
    if (merge_a == NO_MERGE || merge_b == NO_MERGE)
        return merge_a == NO_MERGE ? b : a;
    float score_a = pairs->score[a], score_b = pairs->score[b];
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
    pairs->merge[at] = next == pairs->count ? NO_MERGE
                                            : merged(pairs, pairs->tokens[at], pairs->tokens[next],
                                                     &pairs->score[at]);
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
    if (count == 0)
        return 0;
    while (pairs->merge[best_of(pairs, 1)] != NO_MERGE)
        merge_at(pairs, best_of(pairs, 1));
    size_t left = 0;
    for (uint32_t i = 0; i < count; i = pairs->next[i])
        pairs->tokens[left++] = pairs->tokens[i];
    return left;
}

/* What a text is encoded with. */
struct encoder {
    const struct tokenizer *tokenizer;
    uint32_t *tokens;
    size_t count; /* of tokens by now */
    struct pairs pairs;
    struct error *error;
};

/* Encodes a part of the text that is merged by itself. */
static bool encode_part(struct encoder *e, const char *text, size_t length) {
    struct pairs *pairs = &e->pairs;
    pairs->tokens = e->tokens + e->count;
    pairs->count = (uint32_t)split(e->tokenizer, text, length, pairs->tokens, e->error);
    if (pairs->count == 0)
        return false;
    e->count += merge_pairs(pairs);
    return true;
}

/* Encodes a part without user-defined pieces. */
static bool encode_plain(struct encoder *e, const char *text, size_t length) {
    const struct tokenizer *t = e->tokenizer;
    size_t rest[3] = {0}, size;
    if (!t->words)
        return length == 0 || encode_part(e, text, length);
    for (; length > 0; text += size, length -= size) {
        size = words_next(t, text, length, rest);
        /* Llama 3's tokenizer takes a word that is a piece as it is. */
        uint32_t *token = &e->tokens[e->count];
        if (t->words == WORDS_LLAMA_BPE && tokenizer_find(t, text, (uint32_t)size, token) &&
            t->pieces[*token].kind == PIECE_NORMAL)
            e->count++;
        else if (!encode_part(e, text, size))
            return false;
    }
    return true;
}

/* Encodes all of a text: user-defined pieces are found first, from left to right. */
static bool encode_text(struct encoder *e, const char *text, size_t length) {
    const struct tokenizer *t = e->tokenizer;
    size_t begin = 0;
    for (size_t at = 0; t->user_count > 0 && at < length;) {
        const struct piece *user = tokenizer_user_piece(t, text + at, length - at);
        if (!user) {
            at++;
            continue;
        }
        if (!encode_plain(e, text + begin, at - begin))
            return false;
        e->tokens[e->count++] = (uint32_t)(user - t->pieces);
        begin = at += user->length;
    }
    return encode_plain(e, text + begin, length - begin);
}

/* Memory for parts of up to size bytes. Returns what has to be freed; NULL with *error. */
static void *allocate_pairs(struct encoder *e, size_t size) {
    uint32_t *places = malloc(5 * size * sizeof *places + e->tokenizer->longest + 1);
    if (!places) {
        error_set(e->error, "no memory to encode the prompt");
        return NULL;
    }
    e->pairs = (struct pairs){
        .tokenizer = e->tokenizer,
        .merge = places,
        .next = places + size,
        .previous = places + 2 * size,
        .best = places + 3 * size,
        .score = (float *)(places + 4 * size),
        .buffer = (char *)(places + 5 * size),
    };
    return places;
}

bool tokenizer_encode_part(const struct tokenizer *t, const char *text, size_t length,
                           uint32_t *tokens, size_t *count, struct error *error) {
    struct encoder e = {.tokenizer = t, .tokens = tokens, .count = *count, .error = error};
    void *places = allocate_pairs(&e, length);
    bool good = places && encode_text(&e, text, length);
    free(places);
    *count = e.count;
    return good;
}

size_t tokenizer_encode(const struct tokenizer *t, const char *text, uint32_t *tokens,
                        struct error *error) {
    size_t length = strlen(text), space = length > 0 && t->add_space, count = 0;
    if (t->add_bos && t->bos != TOKEN_NONE)
        tokens[count++] = t->bos;
    if (length > 0) {
        char *spaced = malloc(length + 2);
        if (!spaced)
            return error_set(error, "no memory to encode the prompt");
        spaced[0] = ' ';
        strcpy(spaced + space, text);
        bool good = tokenizer_encode_part(t, spaced, space + length, tokens, &count, error);
        free(spaced);
        if (!good)
            return 0;
    }
    if (t->add_eos && t->eos != TOKEN_NONE)
        tokens[count++] = t->eos;
    return count > 0 || error_set(error, "the model begins no text by itself: give it a prompt")
               ? count
               : 0;
}
