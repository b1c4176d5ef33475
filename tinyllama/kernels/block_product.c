/* Products with matrices of GGUF's types: panel by panel, some columns at a time. */
#include "block_product.h"
#include <string.h>

/* ---- Layouts ---- */

/* Words of a part that follow each other. */
static void find_byte_layout(struct layout *l, uint32_t stride) {
    l->planes = BYTES;
    l->stride = stride;
    for (uint32_t part = 0; part < DECODED_PARTS; part++)
        l->low[part].offset = part * PART_WORDS * stride;
}

static struct plane_part find_part(struct bit_plane plane, uint32_t stride, uint32_t part) {
    uint32_t run = part / 2, half = part % 2, runs = plane.order == IN_RUNS ? 8u / plane.bits : 1;
    uint32_t word = half * PART_WORDS, index = 0; /* index: of the bits in a byte */
    switch (plane.order) {
    case IN_BLOCK:
        word = run * PART_WORDS;
        index = half;
        break;
    case IN_RUNS:
        word += run / runs * 8;
        index = run % runs;
        break;
    case IN_PAIRS:
        word += part / 8 * 16 + run % 2 * 8;
        index = run / 2 % 2;
        break;
    case IN_ONE_WORD:
        word = 0;
        index = half * PART_WORDS;
    }
    return (struct plane_part){(plane.first + word) * stride, index * plane.bits};
}

static uint32_t byte_mask(uint32_t bits) {
    return 0x01010101u * ((1u << bits) - 1);
}

/* The layout of a panel of so many rows. */
static void find_layout(struct layout *l, const struct weight_type *type, uint32_t rows) {
    bool one_word = type->high.order == IN_ONE_WORD;
    if (type->low.bits == 8) {
        find_byte_layout(l, rows * 4);
        return;
    }
    *l = (struct layout){
        .planes = type->high.bits ? TWO_PLANES : LOW_PLANE,
        .stride = rows * 4,
        .low_mask = byte_mask(type->low.bits),
        .high_mask = byte_mask(type->high.bits),
        .above = type->low.bits,
        .high_stride = one_word ? 0 : rows * 4,
        .high_shift = one_word,
    };
    for (uint32_t i = 0; i < type->columns / WEIGHT_PART; i++) {
        l->low[i] = find_part(type->low, l->stride, i);
        if (type->high.bits)
            l->high[i] = find_part(type->high, l->stride, i);
    }
}

/* ---- Products of a quantised type ---- */

/* A product, and the memory that it works with. */
struct product {
    const struct block_kernels *kernels;
    const struct weight_type *type;
    bool bytes;  /* whether a decoded weight is a byte with a sign */
    bool decode; /* whether integers are decoded: for batches, and with a table */
    struct layout in_panel, in_decoded;
    struct decoded decoded;
};

/* What blocks of 32 columns leave as it is. */
static void fill_with_ones(struct decoded *d) {
    uint32_t *scales = d->scales[0], *minima = d->minima[0];
    for (size_t i = 0; i < sizeof d->scales / sizeof *scales; i++)
        scales[i] = 0x00010001;
    for (size_t i = 0; i < sizeof d->minima / sizeof *minima; i++)
        minima[i] = 0x00010001;
}

static void begin_product(struct product *p, const struct block_kernels *kernels,
                          const struct weight_type *type, uint32_t count) {
    p->kernels = kernels;
    p->type = type;
    p->bytes = type->table || type->low.bits == 8;
    p->decode = type->table || (!p->bytes && count >= BLOCK_POSITIONS);
    find_byte_layout(&p->in_decoded, sizeof p->decoded.words[0]);
    if (type->columns < DECODED_COLUMNS)
        fill_with_ones(&p->decoded);
}

/* Decodes the blocks of a step. */
static void decode(struct product *p, const uint8_t *block, uint32_t rows, uint32_t columns) {
    const struct weight_type *type = p->type;
    for (uint32_t done = 0; done < columns; done += type->columns, block += rows * type->bytes) {
        p->kernels->decode_scales(&p->decoded, done / WEIGHT_PART, block, rows, type);
        if (p->decode)
            p->kernels->decode_words(&p->decoded, done / WEIGHT_PART, block, &p->in_panel, type);
    }
}

/* Multiplies so many columns of a panel, from a block on. */
static void multiply(const struct product *p, float *y, uint32_t y_stride, const uint8_t *block,
                     uint32_t rows, uint32_t columns, struct block_x x, uint32_t count) {
    const struct weight_type *type = p->type;
    const struct block_kernels *kernels = p->kernels;
    const bool whole = type->columns == DECODED_COLUMNS;
    const uint32_t group = p->bytes ? 32 : rounded_group(type->columns);
    const uint32_t parts = type->columns / WEIGHT_PART, tiles = rows / MATRIX_BLOCK;
    struct block_step in_panel = {
        .block = block,
        .block_bytes = rows * type->bytes,
        .layout = &p->in_panel,
        .decoded = &p->decoded,
        .rows = rows,
        .block_parts = parts,
        .groups = columns / group,
        .parts = group / WEIGHT_PART,
        .scale = whole && !p->bytes ? DECODED_COLUMNS / group : 1,
        .x_scale = rounded_group(type->columns) / group,
        .ahead = rows * type->bytes / parts / tiles,
        .offset = type->offset,
        .minima = type->minima,
    };
    struct block_step decoded = in_panel;
    if (p->decode) {
        decoded.block = (const uint8_t *)p->decoded.words;
        decoded.block_bytes = parts * PART_WORDS * sizeof p->decoded.words[0];
        decoded.layout = &p->in_decoded;
    }
    multiply_step *batch = p->bytes ? kernels->bytes_batch : kernels->small_batch;
    multiply_step *single = p->bytes                          ? kernels->bytes
                            : p->in_panel.planes == LOW_PLANE ? kernels->low
                                                              : kernels->two;
    while (count > 0) {
        uint32_t now = count < BLOCK_POSITIONS ? 1 : BLOCK_POSITIONS;
        if (now > 1)
            batch(y, y_stride, &decoded, &x);
        else
            single(y, y_stride, p->bytes ? &decoded : &in_panel, &x);
        x.first = rounded_behind(&x.first, now * x.chunks, now * x.parts, now * x.scales);
        y += (size_t)now * y_stride;
        count -= now;
    }
}

void round_positions(const struct kernels *kernels, const struct rounded *out, const float *x,
                     uint32_t x_stride, uint32_t count, uint32_t columns, uint32_t group) {
    struct rounded to = *out;
    for (uint32_t i = 0; i < count; i++, x += x_stride) {
        kernels->round_blocks(&to, x, columns, group);
        to = rounded_behind(&to, columns / MATRIX_CHUNK, columns / WEIGHT_PART, columns / group);
    }
}

void multiply_blocks(const struct kernels *kernels, float *y, uint32_t y_stride,
                     const struct matrix *w, const struct rounded *x, uint32_t count) {
    struct product p;
    const struct weight_type *type = w->type;
    const uint32_t columns = w->columns, group = rounded_group(type->columns);
    const uint8_t *block = w->data;
    begin_product(&p, &kernels->blocks, type, count);
    for (uint32_t row = 0, rows; row < w->rows; row += rows, y += rows) {
        struct block_x from = {*x, columns / MATRIX_CHUNK, columns / WEIGHT_PART, columns / group};
        rows = matrix_typed_panel_rows(w->rows, row);
        find_layout(&p.in_panel, type, rows);
        for (uint32_t i = 0; i < count; i++)
            memset(y + (size_t)i * y_stride, 0, rows * sizeof *y);
        for (uint32_t first = 0, now; first < columns; first += now) {
            now = columns - first < DECODED_COLUMNS ? columns - first : DECODED_COLUMNS;
            decode(&p, block, rows, now);
            multiply(&p, y, y_stride, block, rows, now, from, count);
            block += (size_t)rows * weight_row_bytes(type, now);
            from.first =
                rounded_behind(&from.first, now / MATRIX_CHUNK, now / WEIGHT_PART, now / group);
        }
    }
}

/* ---- F16 and BF16: float32, a piece of a panel at a time, in the first-level cache ---- */

#define PIECE_COLUMNS 64u

void multiply_halves(const struct kernels *kernels, float *y, uint32_t y_stride,
                     const struct matrix *w, const float *x, uint32_t x_stride, uint32_t count) {
    _Alignas(64) float piece[PIECE_COLUMNS * MATRIX_TYPED_PANEL];
    const bool brain = w->type->number == WEIGHT_BF16;
    const uint16_t *halves = w->data;
    for (uint32_t row = 0, rows; row < w->rows; row += rows) {
        rows = matrix_typed_panel_rows(w->rows, row);
        for (uint32_t first = 0, now; first < w->columns; first += now, halves += now * rows) {
            now = w->columns - first < PIECE_COLUMNS ? w->columns - first : PIECE_COLUMNS;
            (brain ? kernels->blocks.unpack_brain_halves : kernels->unpack_halves)(piece, halves,
                                                                                   now * rows);
            kernels->multiply_panel_f32(y + row, y_stride, piece, rows, rows, now, x + first,
                                        x_stride, count, first > 0);
        }
    }
}

/* ---- Rows ---- */

static void quantised_row(const struct weight_type *type, uint32_t columns, const uint8_t *panel,
                          uint32_t rows, uint32_t lane, float *out) {
    struct product p;
    struct decoded *d = &p.decoded;
    begin_product(&p, &kernels_sse2.blocks, type, 1);
    p.decode = type->low.bits < 8;
    find_layout(&p.in_panel, type, rows);
    for (uint32_t first = 0; first < columns; first += type->columns) {
        decode(&p, panel, rows, type->columns);
        for (uint32_t i = 0; i < type->columns; i++, out++) {
            uint32_t word = d->words[i / 4][lane], part = i / WEIGHT_PART;
            if (!p.decode)
                memcpy(&word, panel + (i / 4 * rows + lane) * 4, sizeof word);
            word >>= i % 4 * 8;
            int weight = p.bytes ? (int8_t)word : (uint8_t)word - type->offset;
            int factor = p.bytes ? 1 : (int16_t)d->scales[part][lane];
            *out = d->scale[p.bytes ? i / 32 : 0][lane] * (float)(factor * weight);
            if (type->minima)
                *out -= d->min_scale[0][lane] *
                        (float)(d->minima[part / 2][lane] >> part % 2 * 16 & 0xFFFF);
        }
        panel += rows * type->bytes;
    }
}

void block_row(const struct matrix *w, uint32_t row, float *out) {
    uint32_t lane = row % MATRIX_TYPED_PANEL, rows = matrix_typed_panel_rows(w->rows, row - lane);
    const struct weight_type *type = w->type;
    const uint8_t *panel =
        (const uint8_t *)w->data + (row - lane) * weight_row_bytes(type, w->columns);
    if (type->columns > 1) {
        quantised_row(type, w->columns, panel, rows, lane, out);
        return;
    }
    for (uint32_t i = 0; i < w->columns; i++) {
        uint16_t half;
        memcpy(&half, panel + (i * rows + lane) * 2, sizeof half);
        uint32_t bits = (uint32_t)half << 16;
        out[i] = float_of_half(half);
        if (type->number == WEIGHT_BF16)
            memcpy(out + i, &bits, sizeof bits);
    }
}
