/*
 * The vector width: which of the kernels this machine uses.
 */
#pragma once
#include "inference.h"

/* Widths, narrowest first; null: this program does not have it. */
#define OPTIMIZATION_WIDTHS 3
extern const struct kernels *const optimization_kernels[OPTIMIZATION_WIDTHS];

/* Whether these are kernels that this CPU has the instructions of. */
bool optimization_usable(const struct kernels *kernels);

/*
 * Sets inference->kernels, and sends an event "vector". name is "sse2", "avx2", "avx512" or "auto":
 *
 *  - with a JIT the narrowest; the JIT chooses between it and the others;
 *  - in a kernel that was compiled with a JIT's choice also the narrowest, which stands for it;
 *  - under QEMU's emulation (TCG) the narrowest: a single 256-bit instruction makes all later float
 *    code slower there;
 *  - else the one that multiplies by some of the model's weights fastest, which takes less than a
 *    millisecond to find out.
 *
 * False and *error if there is no such width, or this CPU does not have it.
 */
bool optimization_choose(struct inference *inference, const char *name, struct error *error);
