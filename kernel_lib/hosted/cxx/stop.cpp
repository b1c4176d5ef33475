/* How a program ends where an exception would be thrown. */
#include <__verbose_abort>
#include <cstdarg>
extern "C" {
#include "kernel_lib/error.h"
[[noreturn]] void panic(const char *format, ...);
}

_LIBCPP_BEGIN_NAMESPACE_STD

void __libcpp_verbose_abort(const char *format, ...) noexcept {
    error why;
    va_list values;
    va_start(values, format);
    size_t length = error_format(why.text, sizeof why.text, format, values);
    va_end(values);
    if (length > 0 && why.text[length - 1] == '\n')
        why.text[length - 1] = '\0';
    panic("C++: %s", why.text);
}

_LIBCPP_END_NAMESPACE_STD
