/*
 * Compiled code as bytes: what the engine gives the object cache to keep, and takes from it in
 * the next boot. The bytes are an ELF object that names all it refers to, so it fits wherever the
 * same functions and variables exist.
 */
#pragma once
#include "kernel_lib/jit/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a version was made of. The argument values that it has clones for are in its code. */
struct jit_code {
    struct jit_function *body; /* the function itself, or an alternative */
    enum jit_level level;
    bool specialised;
    unsigned options; /* bits of enum jit_codegen_options */
};

/* From now on the engine calls stored whenever it has installed code. object is NULL when stored
 * was given it before, or it came from jit_load(). There is one such function; NULL: none. */
typedef void jit_stored(struct jit_function *function, const struct jit_code *code,
                        const void *object, size_t size);
void jit_on_install(jit_stored *stored);

/* Links an object that such a function was given by the same build, and holds the version. NULL
 * when it cannot be linked, about which the console says why. */
struct jit_version *jit_load(struct jit_function *function, const struct jit_code *code,
                             const void *object, size_t size);

/* What making code has cost so far, in TSC cycles, and what there is of it now. */
struct jit_costs {
    uint64_t compiled, compile_cycles;
    uint64_t failed;
    uint64_t code_bytes; /* memory of all versions, in whole pages */
    uint64_t retired;    /* versions that wait until no call is in them */
};
struct jit_costs jit_costs(void);

#ifdef __cplusplus
}
#endif
