/* Measures the matrix products, which take most of a token's time. */
#pragma once
#include "tinyllama/inference.h"

/* Prints a line, and sends an event, for each matrix of a layer and for the classifier: cycles of
 * its product with one vector of activations. */
void bench_matmul(struct inference *inference);
