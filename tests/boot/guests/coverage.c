/*
 * A program of known functions, covered from its start on (tests/SConscript links it so). The
 * configuration key `call` is a list of letters: for each a function is called. Ends with code 0,
 * or restarts for `call = r`.
 */
#include "kernel_lib/coverage/coverage.h"
#include "kernel_lib/runtime.h"

/* A function of its own, which is never inlined and has no copies for its constant arguments. */
#define NAMED __attribute__((noinline, optnone))

NAMED void called_deeper(void) {
    console_puts("deeper\n");
}

NAMED void called_once(void) {
    called_deeper();
}

NAMED void called_often(int times) {
    if (times > 0)
        called_often(times - 1);
}

NAMED double called_with_floats(double a, double b, float c) {
    return a * b + c;
}

NAMED void called_by_pointer(void) {
    console_puts("pointer\n");
}

NAMED void never_called(void) {
    console_puts("never\n");
}

NAMED void called_on_request(void) {
    console_puts("request\n");
}

static void call(char letter) {
    static void (*const volatile pointers[])(void) = {never_called, called_by_pointer};
    switch (letter) {
    case 'd':
        called_once();
        break;
    case 'o':
        called_often(1000);
        break;
    case 'f':
        /* Exact in binary, so any register that the breakpoint lost would show. */
        console_puts(called_with_floats(1.5, 2.5, 0.25f) == 4.0 ? "floats ok\n" : "floats lost\n");
        break;
    case 'p':
        pointers[1]();
        break;
    case 'q':
        called_on_request();
        break;
    case 'i': /* an INT3 of the program's own is an exception as ever */
        __asm__ volatile("int3");
        break;
    case 'r':
        platform_reboot();
    }
}

int app_main(void) {
    const char *letters = config_get("call");
    for (size_t i = 0; letters && letters[i]; i++)
        call(letters[i]);
    return 0;
}
