/*
 * Which of the kernels to use on this machine.
 */
#pragma once
#include "inference.h"

/* Widths, narrowest first. */
#define OPTIMIZATION_WIDTHS 3
extern const struct kernels *const optimization_kernels[OPTIMIZATION_WIDTHS];

/* Whether this CPU can run them. */
bool optimization_usable(const struct kernels *kernels);

/*
 * Sets inference->kernels, which has any that are usable. name is "sse2", "avx2", "avx512", or
 * "auto": under QEMU's emulation the narrowest at once, for there one 256-bit instruction is enough
 * to make all later float code slower; on a real CPU whichever multiplies some of the model's
 * weights fastest, which takes a fraction of a millisecond; with a JIT, which makes that choice
 * itself, the narrowest, with the others as alternatives. Tells the choice in an event "vector".
 * False and *error for a name that is none or a width that this CPU does not have.
 */
bool optimization_choose(struct inference *inference, const char *name, struct error *error);
