/*
 * Measurements: the baseline of code compiled ahead of time, and the model's speed.
 */
#pragma once
#include "tinyllama/generate.h"

/*
 * Prints small functions' cycles, and those of initialisation and in all since begin (TSC;
 * initialised: its end); then tells the story of prompt quietly, with each usable vector width when
 * all_widths, else with the chosen one, and prints tokens per second and where the time went. Tells
 * each result in an event "bench". False and *error like story_tell.
 */
bool bench_run(const struct teller *teller, const char *prompt, bool all_widths, uint64_t begin,
               uint64_t initialised, struct error *error);
