/* The memory's speed, next to what a token needs of it. */
#include "bench_memory.h"
#include "bench_workloads.h"

#define PASSES 5

/* Bytes of the matrices of a token; of an embedding that is no classifier only a row is read. */
static uint64_t bytes_per_token(const struct model *m) {
    uint64_t bytes = matrix_bytes(&m->classifier);
    for (uint32_t i = 0; i < m->config.layers; i++) {
        const struct layer *l = &m->layer[i];
        const struct matrix *const matrices[] = {&l->qkv,     &l->key, &l->value, &l->attention_out,
                                                 &l->gate_up, &l->up,  &l->down};
        for (size_t j = 0; j < sizeof matrices / sizeof *matrices; j++)
            if (matrices[j]->rows > 0)
                bytes += matrix_bytes(matrices[j]);
    }
    return bytes;
}

/* Cycles of reading the matrix's bytes. */
static uint64_t read_matrix(const struct matrix *w) {
    typedef uint64_t pair __attribute__((vector_size(16)));
    const pair *pairs = w->data, *end = pairs + matrix_bytes(w) / sizeof *pairs;
    pair sums[4] = {0};
    uint64_t begin = cpu_rdtsc();
    for (; pairs + 4 <= end; pairs += 4)
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++)
            sums[i] += pairs[i];
    pair all = sums[0] + sums[1] + sums[2] + sums[3];
    opaque(all[0] + all[1]);
    return cpu_rdtsc() - begin;
}

/* Bytes per second: the most of PASSES over the matrices of all layers and the classifier, in the
 * order in which the forward pass reads them. */
static uint64_t bandwidth(const struct model *m) {
    uint64_t least = UINT64_MAX, bytes = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        uint64_t cycles = read_matrix(&m->classifier);
        bytes = matrix_bytes(&m->classifier);
        for (uint32_t i = 0; i < m->config.layers; i++) {
            const struct layer *l = &m->layer[i];
            cycles += read_matrix(&l->gate_up) + read_matrix(&l->down);
            bytes += matrix_bytes(&l->gate_up) + matrix_bytes(&l->down);
        }
        least = cycles < least ? cycles : least;
    }
    return least ? bytes * (cpu_cycles_per_second() / 1000) / least * 1000 : 0;
}

void bench_memory(const struct model *model) {
    unsigned long long bytes = bytes_per_token(model), rate = bandwidth(model);
    console_printf("weights per token %llu bytes, memory is read at %llu MB/s\n", bytes,
                   rate / 1000000);
    console_event("{\"event\":\"bench\",\"name\":\"memory\",\"weight_bytes_per_token\":%llu,"
                  "\"bytes_per_s\":%llu}",
                  bytes, rate);
}
