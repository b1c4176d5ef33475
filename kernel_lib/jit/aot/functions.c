/* Where there is no JIT, nothing is to be remembered. */
#include "kernel_lib/jit_runtime.h"

void jit_persist_save(void) {}

bool jit_persist_save_when_due(void) {
    return true;
}
