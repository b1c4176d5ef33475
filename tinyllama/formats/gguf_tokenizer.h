/*
 * Tokenizers in GGUF files: SentencePiece's by scores (`llama`) and byte-level by merges (`gpt2`).
 */
#pragma once
#include "gguf.h"
#include "tinyllama/tokenizer.h"

/* Whether the file has a tokenizer. */
bool gguf_has_tokenizer(const struct gguf *gguf);

/* Reads the tokenizer of count pieces. False and gguf->error if it is damaged, of a kind that is
 * not supported, does not have count pieces or does not fit into memory. */
bool gguf_read_tokenizer(struct tokenizer *tokenizer, const struct gguf *gguf, uint32_t count);

/* Reads the chat template, a program in Jinja, to *program, which is allocated; NULL if the file
 * has none. False and gguf->error if it cannot be read. */
bool gguf_read_chat_template(const struct gguf *gguf, char **program);
