/* std::string's functions that the headers leave to the library, and numbers as strings. */
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

_LIBCPP_BEGIN_NAMESPACE_STD

#define DEFINE(...) template __VA_ARGS__;
_LIBCPP_STRING_V1_EXTERN_TEMPLATE_LIST(DEFINE, char)
#undef DEFINE

template string operator+ <char, char_traits<char>, allocator<char>>(char const *, string const &);

namespace {

/* Enough for DBL_MAX; what a long double has beyond is asked for again. */
constexpr size_t MOST_CHARACTERS = 400;

template <typename Number> string printed(const char *format, Number number) {
    char text[MOST_CHARACTERS];
    auto length = static_cast<size_t>(snprintf(text, sizeof text, format, number));
    if (length < sizeof text)
        return string(text, length);
    string longer(length, '\0');
    snprintf(longer.data(), length + 1, format, number);
    return longer;
}

/* Converts by a function of C's library: it gives the number and where it ends, and errno. */
template <typename Number, typename Convert>
Number converted(const char *name, const string &text, size_t *end_index, Convert convert) {
    char *end;
    int before = errno;
    errno = 0;
    Number number = convert(text.c_str(), &end);
    bool is_out_of_range = errno == ERANGE;
    errno = before;
    if (end == text.c_str())
        std::__throw_invalid_argument(name);
    if (is_out_of_range)
        std::__throw_out_of_range(name);
    if (end_index)
        *end_index = static_cast<size_t>(end - text.c_str());
    return number;
}

} // namespace

string to_string(int number) {
    return printed("%d", number);
}
string to_string(unsigned number) {
    return printed("%u", number);
}
string to_string(long number) {
    return printed("%ld", number);
}
string to_string(unsigned long number) {
    return printed("%lu", number);
}
string to_string(long long number) {
    return printed("%lld", number);
}
string to_string(unsigned long long number) {
    return printed("%llu", number);
}
string to_string(float number) {
    return printed("%f", static_cast<double>(number));
}
string to_string(double number) {
    return printed("%f", number);
}
string to_string(long double number) {
    return printed("%Lf", number);
}

int stoi(const string &text, size_t *end, int base) {
    long number = converted<long>(
        "stoi", text, end, [base](const char *from, char **to) { return strtol(from, to, base); });
    if (number < numeric_limits<int>::min() || number > numeric_limits<int>::max())
        std::__throw_out_of_range("stoi");
    return static_cast<int>(number);
}
long stol(const string &text, size_t *end, int base) {
    return converted<long>("stol", text, end,
                           [base](const char *from, char **to) { return strtol(from, to, base); });
}
unsigned long stoul(const string &text, size_t *end, int base) {
    return converted<unsigned long>("stoul", text, end, [base](const char *from, char **to) {
        return strtoul(from, to, base);
    });
}
long long stoll(const string &text, size_t *end, int base) {
    return converted<long long>("stoll", text, end, [base](const char *from, char **to) {
        return strtoll(from, to, base);
    });
}
unsigned long long stoull(const string &text, size_t *end, int base) {
    return converted<unsigned long long>("stoull", text, end, [base](const char *from, char **to) {
        return strtoull(from, to, base);
    });
}
float stof(const string &text, size_t *end) {
    return converted<float>("stof", text, end, strtof);
}
double stod(const string &text, size_t *end) {
    return converted<double>("stod", text, end, strtod);
}
long double stold(const string &text, size_t *end) {
    return converted<long double>("stold", text, end, strtold);
}

_LIBCPP_END_NAMESPACE_STD
