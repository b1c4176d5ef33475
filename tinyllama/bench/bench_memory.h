/* The bytes that a token takes, and how fast this machine reads memory. */
#pragma once
#include "tinyllama/model.h"

/* Prints the bytes of the weights that the forward pass of one token reads, and the bytes per
 * second of a loop that only reads them; also as an event "bench". */
void bench_memory(const struct model *model);
