/* What the parts of the tokenizer share. */
#pragma once
#include "tokenizer.h"

/* The number of the piece with these bytes; false if there is none. */
bool tokenizer_find(const struct tokenizer *tokenizer, const char *bytes, uint32_t length,
                    uint32_t *token);
