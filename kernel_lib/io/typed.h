/* What terminals send, as console_getchar gives it. */
#pragma once
#include <stdbool.h>

/* All zero at the beginning of an input. */
struct typed {
    bool after_return;
};

/* The byte that the program gets for one that has come, or -1 for none: Enter is CR, LF or both in
 * this order, backspace is DEL. */
static inline int typed_byte(struct typed *typed, int byte) {
    enum { DELETE = 0x7F };
    bool is_second = typed->after_return && byte == '\n';
    typed->after_return = byte == '\r';
    return is_second ? -1 : byte == '\r' ? '\n' : byte == DELETE ? '\b' : byte;
}
