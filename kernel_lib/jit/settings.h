/*
 * What the configuration says about the JIT (keys jit.*).
 */
#pragma once
#include "kernel_lib/error.h"
#include "kernel_lib/jit/function.h"

#ifdef __cplusplus
extern "C" {
#endif

enum jit_compile_all {
    JIT_COMPILE_NONE,
    JIT_COMPILE_FAILURES,
    JIT_COMPILE_COPIES,
    JIT_COMPILE_ALL
};

/* The key of a member is its name behind "jit.". */
struct jit_settings {
    enum jit_level tier0;            /* where functions begin */
    enum jit_level max_level;        /* the highest that code is compiled for */
    uint64_t thresholds[JIT_LEVELS]; /* calls from which a level is due */
    uint64_t cost_ms;                /* an interpreted call this long compiles */
    uint64_t interpret_loops;        /* deeper loops are not interpreted */
    uint64_t budget;                 /* most percent of the time for compiling */
    bool idle;                       /* compiles while waiting for input */
    bool specialise;                 /* compiles for frequent argument values */
    bool cache, profile;             /* keeps compiled code and the profile on the disk */
    uint64_t cache_mb;               /* room for compiled code on the disk, in MiB */
    const char *export_profile;      /* a file: the profile for jit_export(); "": this machine's */
    bool write_native;               /* jit_export() when the program has ended */
    /* For coverage (compile_all.h): part compile_part of compile_parts of the functions. */
    enum jit_compile_all compile_all;
    uint64_t compile_part, compile_parts;
};

/* The defaults until jit_configure(). */
const struct jit_settings *jit_settings(void);

/* Reads the configuration. False with *error, which names the possible values, for a value that is
 * none of them; false for a key that begins with "jit." and does not exist, which the console
 * names. */
bool jit_configure(struct error *error);

#ifdef __cplusplus
}
#endif
