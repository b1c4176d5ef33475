#include "sum.h"
#include <stdarg.h>

int sum(int count, ...) {
    va_list numbers;
    int all = 0;
    va_start(numbers, count);
    while (count-- > 0)
        all += va_arg(numbers, int);
    va_end(numbers);
    return all;
}
