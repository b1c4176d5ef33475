/* The functions that are measured. */
#include "bench_workloads.h"
#include <stdbool.h>

uint64_t fibonacci(uint64_t n) {
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

uint64_t sum_to_n(uint64_t n) {
    uint64_t sum = 0;
    for (uint64_t i = 1; i <= n; i++)
        sum = opaque(sum + i); /* else the compiler makes it n (n + 1) / 2 */
    return sum;
}

uint64_t count_primes(uint64_t limit) {
    uint64_t count = 0;
    for (uint64_t n = 2; n <= limit; n++) {
        bool prime = true;
        for (uint64_t divisor = 2; prime && divisor * divisor <= n; divisor++)
            prime = n % divisor != 0;
        count += prime;
    }
    return count;
}

void do_nothing(void) {
    __asm__ volatile("");
}
