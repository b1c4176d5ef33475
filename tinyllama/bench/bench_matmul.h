/* Measures the products that a token takes most of its time for. */
#pragma once
#include "tinyllama/inference.h"

/* Prints a line, and sends an event, for each matrix of a layer and for the classifier: cycles of
 * its product with one vector of activations. */
void bench_matmul(struct inference *inference);
