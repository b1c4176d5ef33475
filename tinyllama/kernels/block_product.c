/* Products with rows of GGUF's blocks. */
#include "block_product.h"
#include "elementwise.h"

static void round_all(struct block_product *p, uint32_t columns, uint32_t group) {
    if (p->rounded_group == group)
        return;
    p->rounded_group = group;
    struct rounded to = p->rounded;
    for (uint32_t i = 0; i < p->count; i++) {
        round_blocks(&to, p->x + (size_t)i * p->x_stride, columns, group);
        to.values += columns;
        to.sums += columns / WEIGHT_PART;
        to.scales += columns / group;
    }
}

/* One row; a function of its own because the JIT exchanges a function's code only between its
 * calls. */
static void multiply_row(const struct block_product *p, float *y, uint32_t y_stride,
                         const struct matrix *w, const uint8_t *row) {
    const struct weight_type *type = w->type;
    if (type->convert) {
        type->convert(p->row_floats, row, w->columns);
        p->kernels->row_f32(y, matrix_padded(w->columns), p->row_floats, p->x, p->x_stride,
                            y_stride, p->count);
        return;
    }
    type->unpack(&p->row, row, w->columns / type->columns);
    p->kernels->row_blocks(y, w->columns, type->columns, &p->row, &p->rounded, y_stride, p->count);
}

void multiply_blocks(struct block_product *p, float *y, uint32_t y_stride, const struct matrix *w) {
    const uint8_t *row = w->data;
    size_t row_bytes = matrix_row_bytes(w);
    if (!w->type->convert)
        round_all(p, w->columns, rounded_group(w->type->columns));
    else /* another matrix may have used this memory for longer rows */
        for (uint32_t i = w->columns; i < matrix_padded(w->columns); i++)
            p->row_floats[i] = 0.0f;
    for (uint32_t i = 0; i < w->rows; i++, row += row_bytes)
        multiply_row(p, y + i, y_stride, w, row);
}
