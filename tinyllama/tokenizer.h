/*
 * llama2.c's tokenizer files, and SentencePiece's byte-pair encoding with them.
 *
 * The file: int32 length of the longest piece; then for each piece float32 score, int32 length,
 * bytes. The number of pieces is not in it: it is the model's vocabulary. Pieces 0, 1 and 2
 * are <unk>, <s> (BOS) and </s> (EOS), pieces 3 to 258 the 256 bytes, as "<0x00>" to "<0xFF>".
 */
#pragma once
#include "kernel_lib/runtime.h"

#define TOKEN_BOS 1u
#define TOKEN_EOS 2u

struct piece {
    const char *bytes; /* not zero-terminated */
    uint32_t length;
    float score; /* pieces with a greater score are merged into first */
};

struct tokenizer {
    uint32_t count;
    struct piece *pieces;
    const struct piece **sorted; /* the pieces in the order of their bytes */
    uint32_t longest;            /* bytes of a piece */
    char *memory;                /* the file */
};

/* Reads a tokenizer of count pieces from file, which path names in messages. False and *error if it
 * is damaged, does not have count pieces or does not fit into memory. */
bool tokenizer_read(struct tokenizer *tokenizer, struct file *file, const char *path,
                    uint32_t count, struct error *error);
void tokenizer_free(struct tokenizer *tokenizer);

/* The most tokens that a text of length bytes becomes, with BOS. */
static inline size_t tokenizer_max_tokens(size_t length) {
    return length + 2;
}

/* The fewest tokens that a text of length bytes becomes, with BOS and the space in front. */
static inline size_t tokenizer_min_tokens(const struct tokenizer *tokenizer, size_t length) {
    size_t longest = tokenizer->longest ? tokenizer->longest : 1;
    return length ? 1 + (length + longest) / longest : 1;
}

/*
 * Encodes a text: BOS, then, unless it is empty, the pieces of " " + text. A character that is no
 * piece becomes its bytes. tokens has room for tokenizer_max_tokens(strlen(text)). Returns the
 * number of tokens; 0 and *error when the tokenizer has no piece for some byte of the text, or
 * there is no memory.
 */
size_t tokenizer_encode(const struct tokenizer *tokenizer, const char *text, uint32_t *tokens,
                        struct error *error);

/*
 * The text of token after previous, with its length in *length. After BOS a leading space is left
 * out; a byte piece is that byte; control characters other than white space are left out.
 */
const char *tokenizer_decode(const struct tokenizer *tokenizer, uint32_t previous, uint32_t token,
                             size_t *length);
