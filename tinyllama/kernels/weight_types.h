/*
 * GGUF's types of weights. A row of a matrix is a sequence of blocks, as in the file.
 *
 * A block of a quantised type has 32 or 256 columns. It is unpacked to 16-bit integers: a weight is
 *
 *   scale * weights[column] - min_scale * mins[column / WEIGHT_PART]
 *
 * where the integers of K types have the scales of their sub-blocks in them: the sums over a block
 * are exact, whatever their order. The other types are float32, or are converted to it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIGHT_PART 16u          /* columns that share a minimum */
#define WEIGHT_MOST_COLUMNS 256u /* of a block */
#define WEIGHT_LEAST_COLUMNS 32u /* of a quantised type's block */

/* A row that is unpacked. */
struct unpacked {
    int16_t *weights;  /* [columns] */
    int16_t *mins;     /* [columns / WEIGHT_PART] */
    float *scales;     /* [columns / the block's columns] */
    float *min_scales; /* the same; all 0 for a type without minima */
};

struct weight_type {
    const char *name;
    uint32_t number;  /* in a file */
    uint32_t columns; /* of a block */
    uint32_t bytes;   /* of a block */
    bool panels;      /* float32: kept in panels (matrix.h), the members below are NULL */
    /* Of a quantised type: unpacks blocks blocks. */
    void (*unpack)(const struct unpacked *out, const uint8_t *row, uint32_t blocks);
    /* Of another one: converts columns weights to float32. */
    void (*convert)(float *out, const uint8_t *row, uint32_t columns);
};

/* The type with this number; NULL if there is none. */
const struct weight_type *weight_type_find(uint32_t number);

/* The names of all types, for messages. */
extern const char weight_type_names[];

/* Bytes of a row; columns are whole blocks. */
static inline size_t weight_row_bytes(const struct weight_type *type, uint32_t columns) {
    return (size_t)columns / type->columns * type->bytes;
}

/* A row as float32; only of types without panels. */
void weight_row_floats(const struct weight_type *type, const uint8_t *row, uint32_t columns,
                       float *out);

/* IEEE 754 binary16 as float32. */
static inline float float_of_half(uint16_t half) {
    /* The exponent's bias is 112 less. The product is exact, also for subnormal numbers. */
    uint32_t bits = (uint32_t)(half & 0x7FFF) << 13;
    union {
        uint32_t bits;
        float number;
    } value = {bits};
    value.number *= 0x1p112f;
    value.bits |= (half & 0x7C00) == 0x7C00 ? 0x7F800000u | bits : 0;
    value.bits |= (uint32_t)(half & 0x8000) << 16;
    return value.number;
}
