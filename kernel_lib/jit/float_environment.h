/*
 * The floating-point environment of the program: rounding modes, masks and flags of exceptions. The
 * JIT, which the program's calls lead to, computes with floats, too.
 */
#pragma once
#include <stdint.h>

#define DEFAULT_MXCSR 0x1f80 /* to the nearest, all exceptions masked, no flags */

struct jit_float_environment {
    uint8_t x87[28];
    uint32_t mxcsr;
};

/* Keeps the program's, and begins with the default one. */
static inline void jit_float_begin(struct jit_float_environment *program) {
    __asm__ volatile("fnstenv %0\n\tfninit" : "=m"(program->x87));
    program->mxcsr = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(DEFAULT_MXCSR);
}

static inline void jit_float_end(const struct jit_float_environment *program) {
    __asm__ volatile("fldenv %0" : : "m"(program->x87));
    __builtin_ia32_ldmxcsr(program->mxcsr);
}

/* For what computes little, with double: only flags can change. */
static inline uint32_t jit_float_flags(void) {
    return __builtin_ia32_stmxcsr();
}

static inline void jit_float_set_flags(uint32_t program) {
    if (__builtin_ia32_stmxcsr() != program)
        __builtin_ia32_ldmxcsr(program);
}
