/* Attention: the loops over runs of blocks. */
#include "attention.h"
#include "tinyllama/kernels/vector.h"

/* Some blocks of the sequence that lie one behind the other in the cache. */
struct block_run {
    uint32_t count;
    size_t in_cache; /* which block of the cache the first one is */
};

/* How rows go through the blocks. */
struct passage {
    uint32_t longest; /* blocks of a run */
    bool convert;     /* whether numbers are converted to float32 before, not by the kernels */
    bool halves;      /* what the kernels get */
};

/* Runs are short when they have to be converted, or when many rows read them, one tile after the
 * other: they then stay in the L1 cache. */
static struct passage passage_of(const struct attention *a, const struct kernels *kernels,
                                 uint32_t rows) {
    enum { FEW_ROWS = 4 };
    bool halves = a->type == KV_F16 && rows == 1 && kernels->reads_halves;
    bool convert = a->type != KV_F32 && !halves;
    return (struct passage){convert || rows > FEW_ROWS ? ATTENTION_RUN : UINT32_MAX, convert,
                            halves};
}

/* The run that begins with block first, up to before block end. */
static struct block_run run_from(const struct attention *a, struct passage passage, uint32_t first,
                                 uint32_t end) {
    uint32_t in_cache = first % a->blocks, count = end - first;
    if (count > a->blocks - in_cache)
        count = a->blocks - in_cache;
    if (count > passage.longest)
        count = passage.longest;
    return (struct block_run){count, in_cache};
}

/* Keys or values, of which a position has so many numbers, and how to convert a block of KV_Q8. */
struct numbers {
    const char *blocks;
    uint32_t count;
    void (*unpack_bytes)(float *out, const char *block, uint32_t head_size);
};

/* The blocks of a run as the kernels get them: where they lie, or in a->unpacked. */
static const void *unpack(const struct attention *a, const struct kernels *kernels,
                          struct passage passage, struct numbers numbers, struct block_run run,
                          uint32_t head_size) {
    size_t bytes = attention_block_bytes(a->type, head_size, numbers.count);
    size_t floats = (size_t)numbers.count * ATTENTION_BLOCK;
    const char *blocks = numbers.blocks + run.in_cache * bytes;
    if (!passage.convert)
        return blocks;
    if (a->type == KV_F16)
        kernels->unpack_halves(a->unpacked, (const uint16_t *)blocks, run.count * floats);
    else
        for (uint32_t i = 0; i < run.count; i++)
            numbers.unpack_bytes(a->unpacked + i * floats, blocks + i * bytes, head_size);
    return a->unpacked;
}

/* How many positions of a run, which begins with block first, are mixed: not all of the last block,
 * which may be almost empty. */
static uint32_t positions_to_mix(struct block_run run, uint32_t first, uint32_t end) {
    uint32_t all = run.count * ATTENTION_BLOCK, left = end - first * ATTENTION_BLOCK;
    uint32_t padded = (left + ATTENTION_SUMS - 1) / ATTENTION_SUMS * ATTENTION_SUMS;
    return padded < all ? padded : all;
}

/* out = the total of a row's sums / the total of its weights. */
static void finish(float *out, const float *sums, float weight, uint32_t head_size) {
    for (uint32_t i = 0; i < head_size; i += VECTOR_LANES) {
        const float *sum = sums + attention_sum_index(i);
        vector first = load(sum) + load(sum + ATTENTION_CHUNK);
        vector second = load(sum + 2 * ATTENTION_CHUNK) + load(sum + 3 * ATTENTION_CHUNK);
        vector mixed = (first + second) / splat(weight);
        if (head_size - i >= VECTOR_LANES)
            store(out + i, mixed);
        else
            memcpy(out + i, &mixed, (head_size - i) * sizeof(float));
    }
}

/* The softmax of all rows' scores, but for the division: the sums are in a->weights. */
static void weigh_rows(const struct attention *a, const struct kernels *kernels, uint32_t begin,
                       uint32_t size, uint32_t queries) {
    float *scores = a->scores, *weight = a->weights;
    for (uint32_t i = 0; i < a->count; i++) {
        uint32_t positions = a->first + i + 1, skip = begin;
        if (a->window && positions > a->window)
            skip = positions - a->window;
        for (uint32_t query = 0; query < queries; query++, scores += size)
            *weight++ = kernels->weigh(scores, skip - begin, positions - begin, size);
    }
}

void attend(const struct attention *a, const struct kernels *kernels, uint32_t head_size,
            uint32_t queries) {
    const uint32_t rows = a->count * queries, end = a->first + a->count;
    const uint32_t oldest = a->window && a->first >= a->window ? a->first + 1 - a->window : 0;
    const uint32_t first_block = oldest / ATTENTION_BLOCK;
    const uint32_t end_block = (end + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    const uint32_t size = (end_block - first_block) * ATTENTION_BLOCK;
    const size_t row_sums = attention_row_sums(head_size);
    const struct numbers keys = {a->keys, head_size, kernels->unpack_key_bytes};
    const struct numbers values = {a->values, attention_value_stride(head_size),
                                   kernels->unpack_value_bytes};
    const struct passage passage = passage_of(a, kernels, rows);
    struct block_run run;

    for (uint32_t b = first_block; b < end_block; b += run.count) {
        run = run_from(a, passage, b, end_block);
        kernels->score(a->scores + (b - first_block) * ATTENTION_BLOCK, a->query,
                       unpack(a, kernels, passage, keys, run, head_size), head_size, passage.halves,
                       run.count, rows, size);
    }
    weigh_rows(a, kernels, first_block * ATTENTION_BLOCK, size, queries);
    memset(a->sums, 0, rows * row_sums * sizeof(float));
    for (uint32_t b = first_block; b < end_block; b += run.count) {
        run = run_from(a, passage, b, end_block);
        kernels->mix(a->sums, a->scores + (b - first_block) * ATTENTION_BLOCK,
                     unpack(a, kernels, passage, values, run, head_size), head_size, passage.halves,
                     positions_to_mix(run, b, end), rows, size);
    }
    for (uint32_t row = 0; row < rows; row++)
        finish(a->out + row / queries * a->out_stride + row % queries * head_size,
               a->sums + row * row_sums, a->weights[row], head_size);
}
