/*
 * Reading bits, the lowest of a byte first. Entropy-coded streams are written forwards and read
 * backwards: a stream's last byte has, above its last bits, a 1 and zeros.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bits from bit `at` on, 57 of them at the least; the eight bytes there must be readable. */
static inline uint64_t bits_at(const uint8_t *start, ptrdiff_t at) {
    uint64_t value;
    __builtin_memcpy(&value, start + (at >> 3), sizeof value);
    return value >> (at & 7);
}

static inline uint64_t low_bits(uint64_t value, unsigned count) {
    return value & ~(~UINT64_C(0) << count);
}

/* The number of the highest bit that is set; there must be one. */
static inline unsigned highest_bit(uint32_t value) {
    return 31 - (unsigned)__builtin_clz(value);
}

/* A stream that is read backwards. */
struct bit_stream {
    const uint8_t *start;
    ptrdiff_t left; /* bits; negative: more were taken than there are */
};

static inline bool bit_stream_open(struct bit_stream *stream, const uint8_t *start,
                                   const uint8_t *end) {
    if (start >= end || !end[-1])
        return false;
    stream->start = start;
    stream->left = (end - 1 - start) * 8 + highest_bit(end[-1]);
    return true;
}

/* Takes the next bits, at most 57. The caller must look at `left` before it takes as many again:
 * beyond the stream's beginning only ZSTD_MARGIN bytes can be read. */
static inline uint64_t bit_stream_take(struct bit_stream *stream, unsigned count) {
    stream->left -= count;
    return low_bits(bits_at(stream->start, stream->left), count);
}
