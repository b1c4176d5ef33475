/* What the parts of the tokenizer share. */
#pragma once
#include "tokenizer.h"

/* Pieces that one call reads. Loops over a vocabulary are cut into calls, because the JIT exchanges
 * a function's code only between its calls. */
#define CALL_PIECES 256u

/* The number of the piece with these bytes; false if there is none. */
bool tokenizer_find(const struct tokenizer *tokenizer, const char *bytes, uint32_t length,
                    uint32_t *token);

/* Allocates room for count pieces of size bytes in all, with TOKEN_NONE for all that may be that.
 * False and *error if there is none. */
bool tokenizer_allocate(struct tokenizer *tokenizer, uint32_t count, size_t size,
                        struct error *error);

/* To be called when the pieces are known: sorts them, and finds the longest one. */
void tokenizer_sort(struct tokenizer *tokenizer);

/* Lists the user-defined pieces; false and *error if there is no memory. */
bool tokenizer_list_user(struct tokenizer *tokenizer, struct error *error);

/* The longest user-defined piece at the beginning of text; NULL if there is none. */
const struct piece *tokenizer_user_piece(const struct tokenizer *tokenizer, const char *text,
                                         size_t length);

/* The byte of a byte piece "<0xHH>", or -1. */
int tokenizer_byte_of(const char *bytes, size_t length);

/* The merge of two pieces with the smallest rank; NULL if there is none. */
const struct merge *tokenizer_merge(const struct tokenizer *tokenizer, uint32_t left,
                                    uint32_t right);

/* Encodes length bytes, at least one, without BOS, EOS or a space in front, to the place behind
 * *count tokens, and adds their number to *count. False and *error as tokenizer_encode. */
bool tokenizer_encode_part(const struct tokenizer *tokenizer, const char *text, size_t length,
                           uint32_t *tokens, size_t *count, struct error *error);
