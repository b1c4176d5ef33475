/* How a program ends before its main returns (C17, 7.22.4), and assert (7.2): where an engine is,
 * these names are LLVM's (site_scons/bareflow/engine/host_symbols.py). */
#include "kernel_lib/hosted/abort.h"
#include "kernel_lib/program.h"
#include "kernel_lib/runtime.h"

_Noreturn void abort(void);
_Noreturn void exit(int code);
_Noreturn void __assert_fail(const char *condition, const char *file, unsigned line,
                             const char *function);
_Noreturn void __stack_chk_fail(void);
char *getenv(const char *name);

_Noreturn void abort(void) {
    program_abort();
}

_Noreturn void __assert_fail(const char *condition, const char *file, unsigned line,
                             const char *function) {
    program_assertion_failed(condition, file, line, function);
}

/* The compiler's library, as Debian has it, calls it. */
_Noreturn void __stack_chk_fail(void) {
    panic("a function has written beyond a variable on its stack");
}

_Noreturn void exit(int code) {
    program_exit(code);
}

/* There is no environment. */
char *getenv(const char *name) {
    (void)name;
    return NULL;
}
