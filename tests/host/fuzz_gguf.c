// sources: tinyllama/formats/gguf.c tinyllama/formats/gguf_cursor.c
// sources: tinyllama/formats/gguf_values.c tinyllama/formats/gguf_model.c
// sources: tinyllama/formats/gguf_weights.c tinyllama/kernels/weight_types.c
// sources: tinyllama/kernels/block_product.c
// sources: tinyllama/inference.c tinyllama/inference_buffers.c
// sources: tinyllama/kernels/kernels.c tinyllama/kernels/elementwise.c
// sources: tinyllama/kv_cache.c tinyllama/attention.c
// sources: tinyllama/kernels/matrix.c tinyllama/model.c
// sources: tinyllama/profiling.c kernel_lib/jit/timers.c kernel_lib/error.c
// sources: tests/host/memory_file.c
// sources: kernel_lib/io/format.c
// versions: sse2
// runs: 900
/*
 * Any bytes as a GGUF file: they are a model or there is a message, and a model can be run,
 * whatever its weights are.
 *
 * The first byte of the input says whether the rest is a file, or changes of a good one: places of
 * two bytes, each with the byte that is there then.
 */
#include "fuzz_model.h"
#include "gguf_example.h"
#include "memory_file.h"
#include "tinyllama/formats/gguf_model.h"

/* Not called: nothing takes long. */
uint64_t cpu_cycles_per_second(void) {
    return UINT64_MAX / 2;
}

static void read_file(const uint8_t *bytes, size_t size) {
    struct model model;
    struct gguf gguf;
    struct error error = {""};
    struct file *file = memory_file(bytes, size);
    bool good = gguf_open(&gguf, file, "m", &error);
    if (good) {
        good = gguf_read_model(&model, &gguf);
        gguf_close(&gguf);
    }
    file_close(file);
    CHECK(good || error.text[0]);
    if (good) {
        run_model(&model);
        model_free(&model);
    }
}

static const struct options examples[] = {
    {.architecture = "llama"},
    {.architecture = "llama", .version = 2, .alignment = 1, .backwards = true, .key_type = Q8_0},
    {.architecture = "qwen2", .bias = true, .key_type = Q8_0},
    {.architecture = "qwen3", .norms = true},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    unsigned kind = *data++ % 8;
    size--;
    if (kind >= sizeof examples / sizeof *examples) {
        read_file(data, size);
        return 0;
    }
    static struct gguf_image good[sizeof examples / sizeof *examples], changed;
    if (good[kind].size == 0)
        good[kind] = *make_image(&examples[kind]);
    struct gguf_image *image = &changed;
    memcpy(image->bytes, good[kind].bytes, image->size = good[kind].size);
    for (; size >= 3; data += 3, size -= 3)
        image->bytes[(data[0] | (size_t)data[1] << 8) % image->size] = data[2];
    read_file(image->bytes, image->size);
    return 0;
}
