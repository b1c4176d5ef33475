/*
 * Perplexity: how well a model predicts a text, as llama.cpp's tool of that name measures it.
 *
 * The text's tokens are divided into windows as long as the context; what is left at the end is not
 * used. Each window is a sequence of its own. If the tokenizer adds BOS to texts, BOS takes the
 * place of a window's first token. What the tokens of the second half contribute is counted:
 * perplexity = e^(mean of -ln p(token)).
 */
#pragma once
#include "inference.h"
#include "tokenizer.h"

/* The perplexity of the text in a file, in windows of so many positions (at least 4). A line for
 * each window and one for the whole text go to the console, and then the event "perplexity". False
 * and *error if the text is shorter than two windows, as llama.cpp demands it, too; if it is no
 * text; or if a logit is NaN. */
bool perplexity_measure(struct inference *inference, const struct tokenizer *tokenizer,
                        uint32_t window, const char *path, struct error *error);
