/* The application's functions where there is no engine that runs it from bitcode: there are none,
 * and nothing is to be remembered of them. */
#include "kernel_lib/jit/function.h"
#include "kernel_lib/jit_runtime.h"

struct jit_function *jit_functions(size_t *count) {
    *count = 0;
    return NULL;
}

void jit_persist_save(void) {}

bool jit_persist_save_when_due(void) {
    return true;
}
