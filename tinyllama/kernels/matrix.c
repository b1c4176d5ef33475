/* The layout of weight matrices. */
#include "matrix.h"
#include "weight_types.h"
#include <string.h>

size_t matrix_row_bytes(const struct matrix *matrix) {
    if (matrix->type)
        return weight_row_bytes(matrix->type, matrix->columns);
    if (matrix->group == 0)
        return matrix->columns * sizeof(float);
    return (size_t)matrix->columns / matrix->group * matrix_group_bytes(matrix->group);
}

size_t matrix_bytes(const struct matrix *matrix) {
    return matrix->rows * matrix_row_bytes(matrix);
}

/* Where a row lies: the start of its panel, the panel's rows, and the row's number among them. */
struct place {
    char *panel;
    size_t rows, lane;
};

static struct place find_row(const struct matrix *matrix, uint32_t row) {
    bool typed = matrix->type != NULL;
    uint32_t first = row - row % (typed ? MATRIX_TYPED_PANEL : MATRIX_PANEL * MATRIX_BLOCK);
    return (struct place){
        .panel = (char *)matrix->data + first * matrix_row_bytes(matrix),
        .rows = (typed ? matrix_typed_panel_rows : matrix_panel_rows)(matrix->rows, first),
        .lane = row - first,
    };
}

static float *find_f32(struct place place, uint32_t column) {
    return (float *)place.panel + column * place.rows + place.lane;
}

static char *find_group(const struct matrix *matrix, struct place place, uint32_t group) {
    return place.panel + group * place.rows * matrix_group_bytes(matrix->group);
}

static int8_t *find_q8(const struct matrix *matrix, struct place place, uint32_t column) {
    uint32_t in_group = column % matrix->group;
    char *group = find_group(matrix, place, column / matrix->group);
    size_t chunk = in_group / MATRIX_CHUNK;
    return (int8_t *)group + (chunk * place.rows + place.lane) * MATRIX_CHUNK +
           in_group % MATRIX_CHUNK;
}

static float *find_scale(const struct matrix *matrix, struct place place, uint32_t group) {
    size_t chunks = matrix_group_chunks(matrix->group);
    char *scales = find_group(matrix, place, group) + chunks * place.rows * MATRIX_CHUNK;
    return (float *)scales + place.lane;
}

/* A piece of a tensor that lies in one row of the matrix. */
struct run {
    struct place place;
    uint32_t column, length;
};

/* The run that begins at element first of a tensor of so many columns, whose row 0 is row of the
 * matrix; at most count elements. */
static struct run find_run(const struct matrix *matrix, uint32_t row, size_t first, size_t count,
                           uint32_t columns) {
    uint32_t column = (uint32_t)(first % columns), left = columns - column;
    return (struct run){
        .place = find_row(matrix, row + (uint32_t)(first / columns)),
        .column = column,
        .length = count < left ? (uint32_t)count : left,
    };
}

void matrix_store_f32(struct matrix *matrix, uint32_t row, size_t first, size_t count,
                      const float *weights) {
    while (count > 0) {
        struct run run = find_run(matrix, row, first, count, matrix->columns);
        float *to = find_f32(run.place, run.column);
        for (uint32_t i = 0; i < run.length; i++, to += run.place.rows)
            *to = weights[i];
        first += run.length;
        count -= run.length;
        weights += run.length;
    }
}

static inline uint32_t smaller_of(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* Stores count weights of one group, from column in_chunk of chunk on; the next chunk is stride
 * bytes later. */
static inline void store_in_group(int8_t *chunk, uint32_t in_chunk, size_t stride, uint32_t count,
                                  const int8_t *weights) {
    while (count > 0) {
        uint32_t now = smaller_of(MATRIX_CHUNK - in_chunk, count);
        memcpy(chunk + in_chunk, weights, now);
        in_chunk = 0;
        chunk += stride;
        count -= now;
        weights += now;
    }
}

static inline void store_run_q8(const struct matrix *matrix, struct run run,
                                const int8_t *weights) {
    while (run.length > 0) {
        uint32_t in_group = run.column % matrix->group, in_chunk = in_group % MATRIX_CHUNK;
        uint32_t now = smaller_of(matrix->group - in_group, run.length);
        store_in_group(find_q8(matrix, run.place, run.column) - in_chunk, in_chunk,
                       run.place.rows * MATRIX_CHUNK, now, weights);
        run.column += now;
        run.length -= now;
        weights += now;
    }
}

void matrix_store_q8(struct matrix *matrix, uint32_t row, size_t first, size_t count,
                     const int8_t *weights) {
    while (count > 0) {
        struct run run = find_run(matrix, row, first, count, matrix->columns);
        store_run_q8(matrix, run, weights);
        first += run.length;
        count -= run.length;
        weights += run.length;
    }
}

void matrix_store_scales(struct matrix *matrix, uint32_t row, size_t first, size_t count,
                         const float *scales) {
    uint32_t groups = matrix->columns / matrix->group;
    while (count > 0) {
        struct run run = find_run(matrix, row, first, count, groups);
        for (uint32_t i = 0; i < run.length; i++)
            *find_scale(matrix, run.place, run.column + i) = scales[i];
        first += run.length;
        count -= run.length;
        scales += run.length;
    }
}

/* Where a panel has bit i of a word IN_ONE_WORD: in bit i / 4 of byte i % 4. */
static uint32_t bits_by_byte(uint32_t word) {
    uint32_t to = 0;
    for (uint32_t i = 0; i < 32; i++)
        to |= (word >> i & 1) << (i % 4 * 8 + i / 4);
    return to;
}

void matrix_store_blocks(struct matrix *matrix, uint32_t row, const uint8_t *blocks) {
    const struct weight_type *type = matrix->type;
    struct place place = find_row(matrix, row);
    size_t halves = type->halves, words = weight_words(type);
    size_t first_word = type->halves_last ? 0 : 2 * halves;
    size_t first_half = type->halves_last ? 4 * words : 0;
    for (uint32_t i = 0; i < matrix->columns; i += type->columns, blocks += type->bytes) {
        for (uint32_t half = 0; half < halves; half++, place.panel += 2 * place.rows)
            memcpy(place.panel + 2 * place.lane, blocks + first_half + 2 * half, 2);
        for (uint32_t index = 0; index < words; index++) {
            uint32_t word, at = weight_word_place(type, index);
            memcpy(&word, blocks + first_word + 4 * index, sizeof word);
            if (type->high.bits && type->high.order == IN_ONE_WORD && index == type->high.first)
                word = bits_by_byte(word);
            memcpy(place.panel + 4 * (at * place.rows + place.lane), &word, sizeof word);
        }
        place.panel += 4 * words * place.rows;
    }
}

void matrix_row(const struct matrix *matrix, uint32_t row, float *out) {
    struct place place = find_row(matrix, row);
    for (uint32_t i = 0; i < matrix->columns; i++)
        out[i] = matrix->group == 0 ? *find_f32(place, i)
                                    : (float)*find_q8(matrix, place, i) *
                                          *find_scale(matrix, place, i / matrix->group);
}
