/* Hash tables: the number of buckets, and the hash of bytes. */
#include <__hash_table>
#include <functional>

_LIBCPP_BEGIN_NAMESPACE_STD

static bool is_prime(size_t number) {
    if (number % 2 == 0)
        return number == 2;
    for (size_t divisor = 3; divisor <= number / divisor; divisor += 2)
        if (number % divisor == 0)
            return false;
    return number > 1;
}

/* The least prime that is not less; of 0 it is 0. */
size_t __next_prime(size_t number) {
    while (number > 0 && !is_prime(number))
        number++;
    return number;
}

size_t __hash_memory(_LIBCPP_NOESCAPE const void *bytes, size_t size) noexcept {
    return __murmur2_or_cityhash<size_t>()(bytes, size);
}

_LIBCPP_END_NAMESPACE_STD
