/* Standard input as the bare machine's console has it: every key as it is typed, and no echo. */
#include "kernel_lib/platform/linux/linux.h"
#include "kernel_lib/platform/linux/syscall.h"
#include <stdbool.h>

/* asm-generic/termbits.h and ioctls.h */
enum { GET_MODES = 0x5401, SET_MODES = 0x5402 };
enum { SIGNALS = 0x1, WHOLE_LINES = 0x2, ECHO = 0x8, EXTENSIONS = 0x8000 };

struct modes {
    unsigned input, output, control, local;
    unsigned char line, characters[19];
};

static struct modes before;
static bool changed;

void linux_terminal_begin(void) {
    if (changed || system_call3(SYS_IOCTL, 0, GET_MODES, (long)&before) < 0)
        return; /* no terminal */
    struct modes modes = before;
    modes.local &= ~(unsigned)(SIGNALS | WHOLE_LINES | ECHO | EXTENSIONS);
    changed = system_call3(SYS_IOCTL, 0, SET_MODES, (long)&modes) == 0;
}

void linux_terminal_end(void) {
    if (changed)
        system_call3(SYS_IOCTL, 0, SET_MODES, (long)&before);
}
