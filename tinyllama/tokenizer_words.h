/*
 * Division of a text into words, before byte-level byte-pair encoding: what the regular expressions
 * of the tokenizers match, with Unicode's letters, numbers, punctuation and white space.
 */
#pragma once
#include "tokenizer.h"

/* Makes the table of the characters' classes; NULL if there is no memory. To be freed. */
uint32_t *words_make_classes(void);

/* Bytes of the first word of text, by the tokenizer's rules; length is at least 1. rest, which is 0
 * at the text's beginning, keeps how far a division that later rules divide again reaches. */
size_t words_next(const struct tokenizer *tokenizer, const char *text, size_t length,
                  size_t rest[3]);
