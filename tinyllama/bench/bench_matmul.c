/* Products of the model's matrices. */
#include "bench_matmul.h"
#include "kernel_lib/jit_runtime.h"

#define WARM_UP 1000   /* calls */
#define WARM_UP_MS 500 /* with a JIT: at least, without the time of compiling */
#define CALLS 200
#define FEWEST 12     /* calls, however long they take */
#define LIMIT_MS 5000 /* after that no more calls */
#define MATRICES 5

/* A product, with the arguments that it has in the forward pass. */
struct product {
    const char *name;
    const struct matrix *matrix;
    const float *x;
    uint32_t x_stride;
    float *out;
    struct jit_times times;
};

static void time_products(struct inference *in, struct product *products) {
    for (size_t i = 0; i < MATRICES; i++) {
        struct product *p = &products[i];
        uint64_t begin = cpu_rdtsc();
        inference_multiply(in, p->out, p->matrix, p->x, p->x_stride, 1);
        jit_times_add(&p->times, cpu_rdtsc() - begin);
    }
}

/* Times all products in turn, as in the forward pass: at least so many times and for so many
 * milliseconds, but at most for LIMIT_MS. */
static void repeat(struct inference *in, struct product *products, unsigned times, unsigned ms) {
    uint64_t per_ms = cpu_cycles_per_second() / 1000, passed = 0;
    uint64_t start = cpu_rdtsc() - jit_statistics()->compile_cycles;
    for (size_t i = 0; i < MATRICES; i++)
        products[i].times = (struct jit_times){.min = UINT64_MAX};
    for (unsigned n = 0;
         n < FEWEST || ((n < times || passed < ms * per_ms) && passed < LIMIT_MS * per_ms); n++) {
        time_products(in, products);
        passed = cpu_rdtsc() - jit_statistics()->compile_cycles - start;
    }
}

static void report(const struct product *p, const char *vector) {
    char name[24];
    unsigned long long calls = p->times.calls, average = p->times.total / p->times.calls,
                       min = p->times.min, max = p->times.max;
    snprintf(name, sizeof name, "matmul %s", p->name);
    console_printf("%-20s %8llu %10llu %10llu %10llu\n", name, calls, average, min, max);
    console_event("{\"event\":\"bench\",\"name\":\"matmul\",\"matrix\":\"%s\",\"vector\":\"%s\","
                  "\"rows\":%u,\"columns\":%u,\"calls\":%llu,\"average\":%llu,\"min\":%llu,"
                  "\"max\":%llu}",
                  p->name, vector, (unsigned)p->matrix->rows, (unsigned)p->matrix->columns, calls,
                  average, min, max);
}

void bench_matmul(struct inference *in) {
    const struct model *model = in->model;
    const struct layer *layer = &model->layer[0];
    uint32_t dim = matrix_padded(model->config.dim),
             hidden = matrix_padded(model->config.hidden_dim);
    struct product products[MATRICES] = {
        {"qkv", &layer->qkv, in->normed, dim, in->qkv, {0}},
        {"attention_out", &layer->attention_out, in->normed, dim, in->branch, {0}},
        {"gate_up", &layer->gate_up, in->normed, dim, in->gate_up, {0}},
        {"down", &layer->down, in->gate_up, 2 * hidden, in->branch, {0}},
        {"classifier", &model->classifier, in->normed, dim, in->logits, {0}},
    };
    for (uint32_t i = 0; i < dim; i++) /* a vector without zeros */
        in->normed[i] = 1.0f / (float)(i + 1);
    repeat(in, products, WARM_UP, jit_available() ? WARM_UP_MS : 0);
    repeat(in, products, CALLS, 0);
    for (size_t i = 0; i < MATRICES; i++)
        report(&products[i], in->kernels->name);
}
