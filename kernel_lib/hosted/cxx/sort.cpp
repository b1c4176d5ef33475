/* std::sort of numbers by "<", which the headers leave to the library. */
#include <algorithm>

_LIBCPP_BEGIN_NAMESPACE_STD

/* __less of a type only names the comparison. */
template <class Compare, class Iterator> void __sort(Iterator first, Iterator last, Compare) {
    if (first == last)
        return;
    __less<> less;
    auto depth = 2 * std::__bit_log2(static_cast<size_t>(last - first));
    std::__introsort<_ClassicAlgPolicy, __less<> &, Iterator,
                     __use_branchless_sort<__less<>, Iterator>>(first, last, less,
                                                                static_cast<ptrdiff_t>(depth));
}

#define SORT(type) template void __sort<__less<type> &, type *>(type *, type *, __less<type> &);
SORT(char)
SORT(signed char)
SORT(unsigned char)
SORT(short)
SORT(unsigned short)
SORT(int)
SORT(unsigned)
SORT(long)
SORT(unsigned long)
SORT(long long)
SORT(unsigned long long)
SORT(float)
SORT(double)
SORT(long double)

_LIBCPP_END_NAMESPACE_STD
