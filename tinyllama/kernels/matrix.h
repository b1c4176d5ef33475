/*
 * A weight matrix in the layout that kernels.c multiplies by.
 *
 * Vector lanes are rows. MATRIX_BLOCK rows are a block, MATRIX_PANEL blocks are a panel; the last
 * panel may have fewer, and rows are padded with zeros to whole blocks. A panel's weights lie
 * column after column. So y = W x reads memory once and in order, and y[row] is one sum over the
 * columns in order, at every vector width.
 *
 *   float32   panel: for each column, the panel's rows
 *   int8      panel: for each group of columns
 *                 for each chunk of 4 columns, the panel's rows, 4 bytes each
 *                 the panel's rows' float32 scales
 *             A group's columns are padded to whole chunks.
 *
 * A matrix of a type of GGUF (weight_types.h) has panels of MATRIX_TYPED_PANEL rows: for each
 * block, half after half, and then word after word, those of all rows of the panel. These are the
 * bytes of the file, in another order. MATRIX_BEYOND bytes behind them may be read, and have no
 * effect.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MATRIX_BLOCK 16u
#define MATRIX_PANEL 4u        /* blocks */
#define MATRIX_TYPED_PANEL 32u /* rows */
#define MATRIX_BEYOND 64u      /* bytes */
#define MATRIX_BATCH 64u       /* positions that are multiplied at once, at most */
#define MATRIX_CHUNK 4u        /* columns of int8 that share a 32-bit lane */

struct weight_type;

struct matrix {
    uint32_t rows;    /* a multiple of MATRIX_BLOCK */
    uint32_t columns; /* as in the model */
    uint32_t group;   /* columns that share a scale (a divisor of columns); 0 for float32 */
    const struct weight_type *type; /* of GGUF; NULL: float32 or int8 */
    void *data;                     /* at a multiple of 64 bytes */
};

/* size rounded up to whole blocks: the length of a vector of activations. */
static inline uint32_t matrix_padded(uint32_t size) {
    return (size + MATRIX_BLOCK - 1) / MATRIX_BLOCK * MATRIX_BLOCK;
}

/* Chunks in a group. */
static inline uint32_t matrix_group_chunks(uint32_t group) {
    return (group + MATRIX_CHUNK - 1) / MATRIX_CHUNK;
}

/* Bytes that one row has of a group: its weights and its scale. */
static inline uint32_t matrix_group_bytes(uint32_t group) {
    return matrix_group_chunks(group) * MATRIX_CHUNK + (uint32_t)sizeof(float);
}

/* Rows of the panel that begins at row, in a matrix of so many rows. */
static inline uint32_t matrix_panel_rows(uint32_t rows, uint32_t row) {
    uint32_t left = rows - row, most = MATRIX_PANEL * MATRIX_BLOCK;
    return left < most ? left : most;
}

/* The same of a matrix with a type. */
static inline uint32_t matrix_typed_panel_rows(uint32_t rows, uint32_t row) {
    return rows - row < MATRIX_TYPED_PANEL ? rows - row : MATRIX_TYPED_PANEL;
}

/* Bytes of one row. */
size_t matrix_row_bytes(const struct matrix *matrix);

/* Bytes of the data of a matrix with these rows, columns and group. */
size_t matrix_bytes(const struct matrix *matrix);

/*
 * Stores count weights of a tensor, its elements first, first + 1, ... in row-major order. Row 0 of
 * the tensor is row of the matrix, and both have the same columns.
 */
void matrix_store_f32(struct matrix *matrix, uint32_t row, size_t first, size_t count,
                      const float *weights);
void matrix_store_q8(struct matrix *matrix, uint32_t row, size_t first, size_t count,
                     const int8_t *weights);
/* The same for the scales of an int8 tensor, one for each group of each row. */
void matrix_store_scales(struct matrix *matrix, uint32_t row, size_t first, size_t count,
                         const float *scales);

/* Stores a row of a matrix with a type; blocks as they are in a file. */
void matrix_store_blocks(struct matrix *matrix, uint32_t row, const uint8_t *blocks);

/* Copies row, which is below rows, of a matrix without a type to out as float32. */
void matrix_row(const struct matrix *matrix, uint32_t row, float *out);
