/*
 * Initialisation at the first use: pthread_once, which std::call_once comes down to, and that of
 * static variables in functions (Itanium C++ ABI, 3.3.3). There is one thread; so what is under way
 * is nested. Not in glibc_abi, for libstdc++ has the same functions, and whoever is linked first
 * wins.
 */
#include "kernel_lib/jit/engine/once.h"
#include "kernel_lib/jit/engine/kernel.h"

namespace {

constexpr unsigned MOST_NESTED = 64;
constexpr unsigned char DONE = 1; /* of a guard's first byte, which compiled code reads */

/* What says that something is initialised; nullptr for a guard, which says so only in the end. */
int *under_way[MOST_NESTED];
unsigned nested;

void begin(int *done) {
    if (nested == MOST_NESTED)
        panic("a static variable is used by its own initialisation");
    under_way[nested++] = done;
}

} // namespace

extern "C" int pthread_once(int *done, void (*function)()) {
    if (!*done) {
        begin(done);
        *done = 1;
        function();
        nested--;
    }
    return 0;
}

/* Whether the caller has to initialise the variable. */
extern "C" int __cxa_guard_acquire(unsigned char *guard) {
    if (*guard == DONE)
        return 0;
    begin(nullptr);
    return 1;
}

extern "C" void __cxa_guard_release(unsigned char *guard) {
    *guard = DONE;
    nested--;
}

extern "C" void __cxa_guard_abort(unsigned char *) {
    nested--;
}

void jit::abandon_initialisation() {
    while (nested > 0)
        if (int *done = under_way[--nested])
            *done = 0;
}
