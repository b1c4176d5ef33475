/* C's command processor (C17, 7.22.4.8): there is none. */
#include <stddef.h>

int system(const char *command);

int system(const char *command) {
    return command ? -1 : 0;
}
