/*
 * The clock of the JIT, which tests on the host replace by one of their own.
 */
#pragma once
#include <stdint.h>

/* TSC cycles. */
uint64_t jit_clock(void);
