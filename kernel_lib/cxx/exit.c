/* What compilers call for C++'s static objects (Itanium C++ ABI, 3.3.6) and abstract classes. */
#include "kernel_lib/program.h"
#include "kernel_lib/runtime.h"

void *__dso_handle; /* of the program itself */

int atexit(void (*function)(void));
int __cxa_atexit(void (*function)(void *), void *argument, void *library);
_Noreturn void __cxa_pure_virtual(void);

int atexit(void (*function)(void)) {
    return program_at_exit(function);
}

int __cxa_atexit(void (*function)(void *), void *argument, void *library) {
    return program_at_exit_with(function, argument, library);
}

_Noreturn void __cxa_pure_virtual(void) {
    panic("a virtual function was called that its class does not define");
}
