/* Products with matrices of GGUF's types: panel by panel, some columns at a time. */
#include "block_product.h"
#include <string.h>

/* ---- Layouts ---- */

/* Words of a part that follow each other, from a byte offset on. They are bytes, or a plane of 8
 * bits. */
static void find_byte_layout(struct layout *l, uint32_t first, uint32_t stride) {
    *l = (struct layout){.planes = BYTES, .stride = stride, .low_mask = UINT32_MAX};
    for (uint32_t part = 0; part < DECODED_PARTS; part++)
        l->parts[part].low = first + part * PART_WORDS * stride;
}

/* Where a plane has the bits of a part: the first word, and how far to the left. */
static uint32_t find_bits(struct bit_plane plane, uint32_t part, uint32_t *shift) {
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
    *shift = index * plane.bits;
    return plane.first + word;
}

static uint32_t byte_mask(uint32_t bits) {
    return 0x01010101u * ((1u << bits) - 1);
}

/* The layout of a panel of so many rows. */
static void find_layout(struct layout *l, const struct weight_type *type, uint32_t rows) {
    bool one_word = type->high.order == IN_ONE_WORD;
    const uint32_t first = weight_first_word(type, rows);
    if (type->low.bits == 8) {
        find_byte_layout(l, first, rows * 4);
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
        struct plane_part *part = l->parts + i;
        uint32_t word = find_bits(type->low, i, &part->low_shift);
        part->low = first + weight_word_place(type, word) * l->stride;
        part->low_mask = l->low_mask << part->low_shift;
        if (!type->high.bits)
            continue;
        word = find_bits(type->high, i, &part->high_shift);
        part->high = first + weight_word_place(type, word) * l->stride;
        part->high_mask = l->high_mask << part->high_shift;
    }
}

/* ---- Products of a quantised type ---- */

/* A product, and the memory that it works with. */
struct product {
    const struct block_kernels *kernels;
    const struct weight_type *type;
    multiply_step *one, *some; /* for one position, for BLOCK_POSITIONS */
    bool bytes;                /* whether a decoded weight is a byte with a sign */
    /* Whether integers are decoded: for batches, with a table, and if no kernel has two planes. */
    bool decode;
    bool decode_scales;
    uint32_t rows; /* of the panels that the layouts and steps are for */
    struct layout in_panel, in_decoded;
    struct block_step single, batch;
    struct decoded decoded;
    float sums[MATRIX_BATCH][MATRIX_TYPED_PANEL]; /* of a panel's rows, for each position */
};

/* What blocks of 32 columns leave as it is. Their two parts share a scale, so there are as many
 * scales as minima. */
static void fill_with_ones(struct decoded *d) {
    uint32_t *scales = d->scales[0], *minima = d->minima[0];
    for (size_t i = 0; i < sizeof d->minima / sizeof *minima; i++)
        scales[i] = minima[i] = 0x00010001;
}

static void begin_product(struct product *p, const struct block_kernels *kernels,
                          const struct weight_type *type, uint32_t count) {
    p->kernels = kernels;
    p->type = type;
    p->bytes = type->table || type->low.bits == 8;
    multiply_step *two = type->high.bits == 2 && kernels->six ? kernels->six : kernels->two;
    p->decode =
        type->table || (!p->bytes && (count >= BLOCK_POSITIONS || (type->high.bits && !two)));
    p->one = p->bytes ? kernels->bytes : type->high.bits && !p->decode ? two : kernels->low;
    p->some = p->bytes ? kernels->bytes_batch : kernels->small_batch;
    p->decode_scales = type->scales != SCALES_NONE && p->one != kernels->six;
    p->rows = 0;
    find_byte_layout(&p->in_decoded, 0, sizeof p->decoded.words[0]);
    if (type->scales == SCALES_NONE && !p->bytes)
        fill_with_ones(&p->decoded);
}

/* The steps of panels with so many rows. */
static void prepare_steps(struct product *p, uint32_t rows) {
    const struct weight_type *type = p->type;
    const uint32_t group = p->bytes ? 32 : rounded_group(type->columns);
    const uint32_t parts = type->columns / WEIGHT_PART;
    p->rows = rows;
    find_layout(&p->in_panel, type, rows);
    p->single = (struct block_step){
        .block_bytes = rows * type->bytes,
        .halves_bytes = rows * type->bytes,
        .layout = &p->in_panel,
        .decoded = &p->decoded,
        .rows = rows,
        .block_parts = parts,
        .parts = group / WEIGHT_PART,
        .scale_shift = type->scales == SCALES_NONE || type->scales == SCALES_SIX_MIN,
        .x_shift = rounded_group(type->columns) > group ? 2 : 0,
        .ahead = rows * type->bytes / parts,
        .offset = type->offset,
        .minimum_sign = type->columns == 32 ? 1u << 31 : 0,
        .factors = type->scales == SCALES_OF_HALF,
    };
    /* Whether the products of two parts fit into int16: 16 weights below 16, less offset or not, as
     * those of bytes fit into int32. */
    const bool pairs = p->bytes || (p->single.scale_shift && !type->high.bits);
    p->single.sum_parts = p->bytes || (pairs && type->low.order == IN_RUNS) ? 2 : 1;
    p->batch = p->single;
    p->single.twin = 1u << type->low.order;
    if (!p->decode)
        return;
    p->batch.sum_parts = 1 + pairs;
    p->batch.block = (const uint8_t *)p->decoded.words;
    p->batch.block_bytes = parts * PART_WORDS * sizeof p->decoded.words[0];
    p->batch.layout = &p->in_decoded;
    p->batch.ahead = 0;
    p->single = p->batch;
}

/* Decodes the blocks of a step. */
static void decode(struct product *p, const uint8_t *block, uint32_t columns) {
    const struct weight_type *type = p->type;
    if (p->decode_scales)
        p->kernels->decode_scales(&p->decoded, block, p->rows, type);
    for (uint32_t done = 0; p->decode && done < columns; done += type->columns) {
        p->kernels->decode_words(&p->decoded, done / WEIGHT_PART, block, &p->in_panel, type);
        block += p->rows * type->bytes;
    }
}

/* The activations of a position. Those of the first are not copied: with one position the copy,
 * just after x was written, would take as long as a part's products. Not inlined: it is called
 * twice. */
__attribute__((noinline)) static const struct block_x *
position_of(struct block_x *room, const struct block_x *x, uint32_t position) {
    if (position == 0)
        return x;
    *room = *x;
    room->first =
        rounded_behind(&x->first, position * x->chunks, position * x->parts, position * x->scales);
    return room;
}

/* Multiplies so many columns of a panel, from a block on. */
static void multiply(struct product *p, const uint8_t *block, uint32_t columns,
                     const struct block_x *x, uint32_t count) {
    const struct weight_type *type = p->type;
    struct block_x from;
    p->single.groups = p->batch.groups = columns / WEIGHT_PART / p->single.parts;
    p->single.halves = p->batch.halves = block;
    if (!p->decode)
        p->batch.block = p->single.block = block;
    for (uint32_t i = 0; type->minima && i < count; i++) {
        const struct block_x *at = position_of(&from, x, i);
        p->kernels->subtract_minima(p->sums[i], &p->single, at);
    }
    for (uint32_t position = 0, now; position < count; position += now) {
        const struct block_x *at = position_of(&from, x, position);
        bool many = count - position >= BLOCK_POSITIONS;
        now = many ? BLOCK_POSITIONS : 1;
        (many ? p->some : p->one)(p->sums[position], MATRIX_TYPED_PANEL,
                                  many ? &p->batch : &p->single, at);
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
        if (rows != p.rows)
            prepare_steps(&p, rows);
        memset(p.sums, 0, count * sizeof *p.sums);
        for (uint32_t first = 0, now; first < columns; first += now) {
            now = columns - first < DECODED_COLUMNS ? columns - first : DECODED_COLUMNS;
            decode(&p, block, now);
            multiply(&p, block, now, &from, count);
            block += (size_t)rows * weight_row_bytes(type, now);
            from.first =
                rounded_behind(&from.first, now / MATRIX_CHUNK, now / WEIGHT_PART, now / group);
        }
        for (uint32_t i = 0; i < count; i++)
            memcpy(y + (size_t)i * y_stride, p.sums[i], rows * sizeof *y);
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

static float load_half(const void *from) {
    uint16_t half;
    memcpy(&half, from, sizeof half);
    return float_of_half(half);
}

static void quantised_row(const struct weight_type *type, uint32_t columns, const uint8_t *panel,
                          uint32_t rows, uint32_t lane, float *out) {
    struct product p;
    struct decoded *d = &p.decoded;
    begin_product(&p, &kernels_sse2.blocks, type, 1);
    p.decode = type->low.bits < 8;
    prepare_steps(&p, rows);
    for (uint32_t first = 0; first < columns; first += type->columns) {
        const uint8_t *half = panel + lane * 2, *words = panel + weight_first_word(type, rows);
        float scale = load_half(half), minimum = load_half(half + (type->minima ? rows * 2 : 0));
        decode(&p, panel, type->columns);
        for (uint32_t i = 0; i < type->columns; i++, out++) {
            uint32_t word = d->words[i / 4][lane], part = i / WEIGHT_PART;
            if (!p.decode)
                memcpy(&word, words + (i / 4 * rows + lane) * 4, sizeof word);
            word >>= i % 4 * 8;
            int weight = p.bytes ? (int8_t)word : (uint8_t)word - type->offset;
            float factor =
                p.bytes ? 1.0f : (float)(int16_t)d->scales[part >> p.single.scale_shift][lane];
            if (p.single.factors)
                factor = d->factors[i / 32][lane];
            *out = scale * (factor * (float)weight);
            if (type->minima)
                *out -= (p.single.minimum_sign ? -minimum : minimum) *
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
