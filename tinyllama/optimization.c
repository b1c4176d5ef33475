/* The choice of the vector width. */
#include "optimization.h"
#include "kernel_lib/jit_runtime.h"

#define BENCHMARK_BYTES (256u * 1024) /* of weights, at most */
#define BENCHMARK_RUNS 4

/* These are null where they are not linked. */
#pragma weak kernels_avx2
#pragma weak kernels_avx512
const struct kernels *const optimization_kernels[OPTIMIZATION_WIDTHS] = {
    &kernels_sse2, &kernels_avx2, &kernels_avx512};

bool optimization_usable(const struct kernels *kernels) {
    const struct cpu_features *cpu = cpu_features();
    if (!kernels)
        return false;
    if (kernels == &kernels_avx2)
        return cpu->avx2;
    if (kernels == &kernels_avx512)
        return cpu->avx512 && cpu->avx512_vnni;
    return true;
}

/* Cycles of a product with w: the least of several runs. */
static uint64_t time_matrix(struct inference *in, const struct matrix *w) {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < BENCHMARK_RUNS; i++) {
        uint64_t begin = cpu_rdtsc();
        inference_multiply(in, in->gate_up, w, in->normed, 0, 1);
        uint64_t cycles = cpu_rdtsc() - begin;
        if (cycles < least)
            least = cycles;
    }
    return least;
}

/* The first panels of w, as a matrix. */
static struct matrix part_of(const struct matrix *w) {
    struct matrix part = *w;
    uint32_t panel = MATRIX_PANEL * MATRIX_BLOCK;
    uint32_t rows = (uint32_t)(BENCHMARK_BYTES / matrix_row_bytes(w)) / panel * panel;
    if (rows < panel)
        rows = panel;
    if (rows < part.rows)
        part.rows = rows;
    return part;
}

static void choose_by_time(struct inference *in) {
    struct matrix w = part_of(&in->model->layer[0].gate_up);
    uint64_t cycles[OPTIMIZATION_WIDTHS] = {0};
    size_t best = 0;
    for (size_t i = 0; i < OPTIMIZATION_WIDTHS; i++) {
        if (!optimization_usable(optimization_kernels[i]))
            continue;
        in->kernels = optimization_kernels[i];
        cycles[i] = time_matrix(in, &w);
        if (cycles[i] < cycles[best])
            best = i;
    }
    in->kernels = optimization_kernels[best];
    console_event("{\"event\":\"vector\",\"name\":\"%s\",\"reason\":\"measured\",\"cycles\":"
                  "{\"sse2\":%llu,\"avx2\":%llu,\"avx512\":%llu}}",
                  in->kernels->name, (unsigned long long)cycles[0], (unsigned long long)cycles[1],
                  (unsigned long long)cycles[2]);
}

static void choose(struct inference *in, const struct kernels *kernels, const char *reason) {
    in->kernels = kernels;
    console_event("{\"event\":\"vector\",\"name\":\"%s\",\"reason\":\"%s\"}", kernels->name,
                  reason);
}

static void add_block_alternatives(const struct block_kernels *own,
                                   const struct block_kernels *wider) {
    jit_add_alternative((const void *)own->low, (const void *)wider->low);
    jit_add_alternative((const void *)own->two, (const void *)wider->two);
    jit_add_alternative((const void *)own->bytes, (const void *)wider->bytes);
    jit_add_alternative((const void *)own->small_batch, (const void *)wider->small_batch);
    jit_add_alternative((const void *)own->bytes_batch, (const void *)wider->bytes_batch);
    jit_add_alternative((const void *)own->subtract_minima, (const void *)wider->subtract_minima);
    jit_add_alternative((const void *)own->decode_scales, (const void *)wider->decode_scales);
    jit_add_alternative((const void *)own->decode_words, (const void *)wider->decode_words);
    jit_add_alternative((const void *)own->unpack_brain_halves,
                        (const void *)wider->unpack_brain_halves);
}

/* The JIT autotunes each kernel by itself, with its real arguments: the wider ones are candidates
 * beside the narrowest. */
static void leave_to_jit(struct inference *in) {
    const struct kernels *own = &kernels_sse2;
    for (size_t i = 1; i < OPTIMIZATION_WIDTHS && !cpu_features()->tcg; i++) {
        const struct kernels *wider = optimization_kernels[i];
        if (!optimization_usable(wider))
            continue;
        jit_add_alternative((const void *)own->matmul_f32, (const void *)wider->matmul_f32);
        jit_add_alternative((const void *)own->matmul_q8, (const void *)wider->matmul_q8);
        jit_add_alternative((const void *)own->quantize, (const void *)wider->quantize);
        jit_add_alternative((const void *)own->round_blocks, (const void *)wider->round_blocks);
        add_block_alternatives(&own->blocks, &wider->blocks);
        jit_add_alternative((const void *)own->multiply_panel_f32,
                            (const void *)wider->multiply_panel_f32);
        jit_add_alternative((const void *)own->score, (const void *)wider->score);
        jit_add_alternative((const void *)own->weigh, (const void *)wider->weigh);
        jit_add_alternative((const void *)own->mix, (const void *)wider->mix);
        jit_add_alternative((const void *)own->unpack_halves, (const void *)wider->unpack_halves);
        jit_add_alternative((const void *)own->unpack_key_bytes,
                            (const void *)wider->unpack_key_bytes);
        jit_add_alternative((const void *)own->unpack_value_bytes,
                            (const void *)wider->unpack_value_bytes);
        jit_add_alternative((const void *)own->rms_norm, (const void *)wider->rms_norm);
        jit_add_alternative((const void *)own->rotate, (const void *)wider->rotate);
        jit_add_alternative((const void *)own->swiglu, (const void *)wider->swiglu);
        jit_add_alternative((const void *)own->geglu, (const void *)wider->geglu);
        jit_add_alternative((const void *)own->add, (const void *)wider->add);
    }
    choose(in, own, "the JIT tries wider ones");
}

bool optimization_choose(struct inference *in, const char *name, struct error *error) {
    if (strcmp(name, "auto") == 0) {
        if (jit_available())
            leave_to_jit(in);
        else if (jit_has_chosen())
            choose(in, &kernels_sse2, "measured by the JIT");
        else if (cpu_features()->tcg)
            choose(in, &kernels_sse2, "emulated CPU");
        else
            choose_by_time(in);
        return true;
    }
    for (size_t i = 0; i < OPTIMIZATION_WIDTHS; i++) {
        const struct kernels *kernels = optimization_kernels[i];
        if (!kernels || strcmp(name, kernels->name) != 0)
            continue;
        if (!optimization_usable(kernels))
            return error_set(error, "vector = %s: this CPU does not have it%s", name,
                             kernels == &kernels_avx512 ? " (F, BW, DQ, VL and VNNI)" : "");
        choose(in, kernels, "setting");
        return true;
    }
    return error_set(error, "vector = %s: there are auto%s", name,
                     optimization_kernels[1] ? ", sse2, avx2 and avx512" : " and sse2");
}
