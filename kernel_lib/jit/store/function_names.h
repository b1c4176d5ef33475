/* The application's functions by their names: for what reads files that name them. */
#pragma once
#include "kernel_lib/jit/function.h"
#include <stddef.h>

struct function_names {
    struct jit_function **sorted; /* by their names */
    size_t count;
};

/* False when there is no memory for it. */
bool function_names_init(struct function_names *names, struct jit_function *const *functions,
                         size_t count);
void function_names_free(struct function_names *names);

/* The function with this name of size bytes; NULL if there is none. */
struct jit_function *function_names_find(const struct function_names *names, const void *name,
                                         size_t size);
