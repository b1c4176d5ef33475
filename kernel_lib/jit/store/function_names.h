/* The application's functions by their names: for what reads files that name them. */
#pragma once
#include "kernel_lib/jit/function.h"
#include <stddef.h>

struct function_names {
    const struct jit_function *functions;
    size_t count;
    const struct jit_function **sorted; /* by their names */
};

/* False when there is no memory for it. */
bool function_names_init(struct function_names *names, const struct jit_function *functions,
                         size_t count);
void function_names_free(struct function_names *names);

/* The place of the function with this name of size bytes; false if there is none. */
bool function_names_find(const struct function_names *names, const void *name, size_t size,
                         size_t *index);
