/*
 * Measurements: the baseline of code compiled ahead of time, and the model's speed.
 */
#pragma once
#include "tinyllama/generate.h"

/*
 * Prints cycles of small functions and of matrix products; the bytes that a token reads, and the
 * memory's speed; tokens per second of the text from
 * prompt, at the chosen vector width or, if all_widths, at every usable one; where its time went;
 * and the cycles from begin to initialised, and from begin to the end (all of them values of the
 * TSC). Each result is also an event "bench". False and *error like generate.
 */
bool bench_run(const struct generator *generator, const char *prompt, bool all_widths,
               uint64_t begin, uint64_t initialised, struct error *error);
