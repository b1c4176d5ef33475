/*
 * Tokenizers: SentencePiece's byte-pair encoding by scores, from llama2.c's tokenizer files or
 * GGUF, and byte-level byte-pair encoding by merges (GPT-2's), from GGUF.
 *
 * llama2.c's file: int32 length of the longest piece; then for each piece float32 score, int32
 * length, bytes. The number of pieces is not in it: it is the model's vocabulary. Pieces 0, 1
 * and 2 are <unk>, <s> (BOS) and </s> (EOS), pieces 3 to 258 the 256 bytes, as "<0x00>" to
 * "<0xFF>".
 */
#pragma once
#include "kernel_lib/runtime.h"

/* Of llama2.c's models. */
#define TOKEN_BOS 1u
#define TOKEN_EOS 2u

#define TOKEN_NONE UINT32_MAX

enum piece_kind {
    PIECE_NORMAL,
    PIECE_BYTE,    /* stands for one byte */
    PIECE_CONTROL, /* has no text */
    PIECE_END,     /* a control piece that ends a text */
    PIECE_USER,    /* is found in a text as a whole, before all else */
};

struct piece {
    const char *bytes; /* not zero-terminated */
    uint32_t length : 28;
    uint32_t kind : 4; /* enum piece_kind */
    float score;       /* pieces with a greater score are merged into first */
};

/* Two pieces that byte-level encoding merges; those of a smaller rank first. */
struct merge {
    uint32_t left, right, rank;
};

/* How byte-level encoding divides a text into words (tokenizer_words.h). */
enum word_rules {
    WORDS_NONE, /* not at all: encoding by scores */
    WORDS_DEFAULT,
    WORDS_GPT2,
    WORDS_LLAMA_BPE,
    WORDS_SMOLLM,
    WORDS_QWEN2,
};

struct tokenizer {
    uint32_t count;
    struct piece *pieces;
    const struct piece **sorted; /* the pieces in the order of their bytes */
    uint32_t longest;            /* bytes of a piece */
    char *memory;                /* the pieces' bytes */
    uint32_t byte_pieces[256];   /* or TOKEN_NONE */
    uint32_t bos, eos;           /* or TOKEN_NONE */
    bool add_bos, add_eos;       /* to a text */
    bool add_space;              /* in front of a text */
    bool exact;                  /* decoding leaves no control characters out */
    const struct piece **user;   /* the user-defined pieces, in the order of their bytes */
    uint32_t user_count;
    enum word_rules words;
    struct merge *merges; /* in the order of left, right, rank */
    uint32_t merge_count;
    uint32_t *classes; /* of characters (tokenizer_words.h) */
};

/* Reads a llama2.c tokenizer of count pieces from file, which path names in messages. False and
 * *error if it is damaged, does not have count pieces or does not fit into memory. */
bool tokenizer_read(struct tokenizer *tokenizer, struct file *file, const char *path,
                    uint32_t count, struct error *error);
void tokenizer_free(struct tokenizer *tokenizer);

/* The most tokens that a text of length bytes becomes, with BOS, a space in front, and EOS. */
static inline size_t tokenizer_max_tokens(size_t length) {
    return length + 3;
}

/* The fewest tokens that a text of length bytes becomes. */
static inline size_t tokenizer_min_tokens(const struct tokenizer *tokenizer, size_t length) {
    size_t longest = tokenizer->longest ? tokenizer->longest : 1;
    size_t bytes = length && tokenizer->add_space ? length + 1 : length;
    return tokenizer->add_bos + (bytes + longest - 1) / longest;
}

/*
 * Encodes a text: BOS if the tokenizer adds it, then, unless the text is empty, the pieces of the
 * text, with a space in front if the tokenizer adds one, then EOS in the same way. A character that
 * is no piece becomes its bytes. tokens has room for tokenizer_max_tokens(strlen(text)). Returns
 * the number of tokens; 0 and *error when the tokenizer has no piece for some byte of the text, or
 * there is no memory, or there is no token at all.
 */
size_t tokenizer_encode(const struct tokenizer *tokenizer, const char *text, uint32_t *tokens,
                        struct error *error);

/* A part of a text. In markup, control pieces are found by their names; elsewhere their names are
 * a text like any other. */
struct span {
    const char *text;
    bool markup;
};

/* The most tokens that spans become. */
size_t tokenizer_max_span_tokens(const struct span *spans, size_t count);

/*
 * Encodes count spans as one text. At the beginning (first), BOS is added if the tokenizer adds it
 * and the text has none; the tokenizer's space is added there and behind each control piece. EOS is
 * not added. tokens has room for tokenizer_max_span_tokens. False and *error as tokenizer_encode.
 */
bool tokenizer_encode_spans(const struct tokenizer *tokenizer, const struct span *spans,
                            size_t count, bool first, uint32_t *tokens, size_t *token_count,
                            struct error *error);

/* Makes the user-defined pieces of a markup control pieces, unless they are white space: they are
 * no longer found in texts. */
void tokenizer_reserve(struct tokenizer *tokenizer, const char *markup);

/* From now on the first control piece of a markup ends a text. */
void tokenizer_end_turn_with(struct tokenizer *tokenizer, const char *markup);

/*
 * The text of token after previous, with its length in *length. After BOS the space that encoding
 * adds is left out; a byte piece is that byte; a control piece has no text. Control characters
 * other than white space are left out unless the tokenizer is exact.
 */
const char *tokenizer_decode(const struct tokenizer *tokenizer, uint32_t previous, uint32_t token,
                             size_t *length);

/* Whether the text ends with this token: BOS, EOS, or another one that ends a turn. */
bool tokenizer_is_end(const struct tokenizer *tokenizer, uint32_t token);
