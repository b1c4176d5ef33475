/* ctype.h's functions for every value that they are defined for, in the C locale. */
#include "own.h"
#include <ctype.h>

#define EACH_CLASS(DO)                                                                             \
    DO(isalnum)                                                                                    \
    DO(isalpha)                                                                                    \
    DO(iscntrl)                                                                                    \
    DO(isdigit) DO(isgraph) DO(islower) DO(isprint) DO(ispunct) DO(isspace) DO(isupper) DO(isxdigit)

#define DECLARE(name) int own_##name(int c);
EACH_CLASS(DECLARE)
int own_tolower(int c);
int own_toupper(int c);

#define COMPARE(name)                                                                              \
    if ((own_##name(c) != 0) != (name(c) != 0))                                                    \
        DIFFER(#name "(%d) differs", c);

int main(void) {
    for (int c = EOF; c <= 255; c++) {
        EACH_CLASS(COMPARE)
        if (own_tolower(c) != tolower(c) || own_toupper(c) != toupper(c))
            DIFFER("tolower(%d) or toupper(%d) differs", c, c);
    }
    puts("ctype: passed");
}
