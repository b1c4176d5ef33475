/* How keys and values lie in memory: in blocks of ATTENTION_BLOCK positions. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define ATTENTION_BLOCK 16u /* positions */

/* Blocks that are converted to float32 and read together, at most. */
#define ATTENTION_RUN 4u

/* Dimensions of a key or value that share a scale, with KV_Q8. */
#define ATTENTION_GROUP 32u

/* The partial sums of a row: of each chunk of dimensions ATTENTION_SUMS, one behind the other. */
#define ATTENTION_SUMS 4u
#define ATTENTION_CHUNK 16u
static inline uint32_t attention_row_sums(uint32_t head_size) {
    uint32_t chunks = (head_size + ATTENTION_CHUNK - 1) / ATTENTION_CHUNK;
    return chunks * ATTENTION_SUMS * ATTENTION_CHUNK;
}
/* Where the first partial sum of a dimension is; the others are ATTENTION_CHUNK apart. */
static inline uint32_t attention_sum_index(uint32_t dimension) {
    uint32_t in_chunk = dimension % ATTENTION_CHUNK;
    return (dimension - in_chunk) * ATTENTION_SUMS + in_chunk;
}

/* Numbers of one head and position in a block of values: head_size, padded with zeros. */
static inline uint32_t attention_value_stride(uint32_t head_size) {
    return (head_size + 7) / 8 * 8;
}

static inline uint32_t attention_groups(uint32_t head_size) {
    return (head_size + ATTENTION_GROUP - 1) / ATTENTION_GROUP;
}

/*
 * A block of keys is [head_size][ATTENTION_BLOCK] numbers, a block of values
 * [ATTENTION_BLOCK][attention_value_stride]. They are float32; or binary16; or int8, and then
 * float32 scales follow: [attention_groups][ATTENTION_BLOCK] or
 * [ATTENTION_BLOCK][attention_groups].
 */
enum kv_type { KV_F32, KV_F16, KV_Q8, KV_TYPES };

/* Bytes of a block of keys, or of values, whose positions have so many numbers (head_size or
 * attention_value_stride). */
static inline size_t attention_block_bytes(enum kv_type type, uint32_t head_size,
                                           uint32_t numbers) {
    size_t count = (size_t)numbers * ATTENTION_BLOCK;
    if (type == KV_Q8)
        return count + (size_t)attention_groups(head_size) * ATTENTION_BLOCK * sizeof(float);
    return count * (type == KV_F16 ? sizeof(uint16_t) : sizeof(float));
}
