// sources: tinyllama/formats/checkpoint.c tinyllama/model.c tinyllama/kernels/matrix.c
// sources: tinyllama/inference.c tinyllama/inference_buffers.c
// sources: tinyllama/kernels/kernels.c tinyllama/kernels/elementwise.c
// sources: tinyllama/kv_cache.c tinyllama/attention.c
// sources: tinyllama/profiling.c kernel_lib/jit/timers.c kernel_lib/error.c
// sources: tests/host/memory_file.c
// sources: tinyllama/kernels/weight_types.c tinyllama/kernels/block_product.c
// sources: kernel_lib/io/format.c
// versions: sse2
// runs: 60000
/*
 * Any bytes as a model file: they are a model or there is a message, and a model can be run,
 * whatever its weights are.
 *
 * Files that fit their header are rare among random ones, so the first byte of the input may ask
 * for the file to be made as long as its header says: the rest is then repeated.
 */
#include "check.h"
#include "fuzz_model.h"
#include "memory_file.h"
#include "tinyllama/formats/checkpoint.h"

#define MAX_FILE_BYTES (1u << 20)

/* The size that the message about a wrong size asks for; 0 if it is another message. */
static size_t size_asked_for(const char *message) {
    const char *number = strstr(message, "asks for ");
    return number ? strtoull(number + strlen("asks for "), NULL, 10) : 0;
}

static void read_file(const uint8_t *bytes, size_t size, struct error *error) {
    struct model model;
    struct file *file = memory_file(bytes, size);
    error->text[0] = '\0';
    bool good = checkpoint_read(&model, file, "m", error);
    file_close(file);
    CHECK(good == (error->text[0] == '\0'));
    if (good) {
        run_model(&model);
        model_free(&model);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error error;
    if (size < 2)
        return 0;
    bool lengthen = *data++ & 1;
    size--;
    read_file(data, size, &error);
    size_t wanted = size_asked_for(error.text);
    if (!lengthen || wanted <= size || wanted > MAX_FILE_BYTES)
        return 0;
    uint8_t *longer = malloc(wanted);
    CHECK(longer);
    for (size_t i = 0; i < wanted; i++)
        longer[i] = data[i % size];
    read_file(longer, wanted, &error);
    free(longer);
    return 0;
}
