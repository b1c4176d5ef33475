/* The one locale. (LLVM-libc's setlocale reads through the null pointer that asks for its name.) */
#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

char *setlocale(int category, const char *name) {
    static char the_one[] = "C";
    bool is_known = category >= 0 && category <= LC_ALL;
    return is_known && (!name || !*name || strcmp(name, the_one) == 0) ? the_one : NULL;
}
