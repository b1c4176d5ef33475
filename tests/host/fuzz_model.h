/* What the fuzz targets of models share: running one. */
#pragma once
#include "tinyllama/inference.h"

/* Not called: profiling is off, and nothing takes long. */
void console_puts(const char *string) {
    (void)string;
}
void console_printf(const char *format, ...) {
    (void)format;
}
void console_progress(const char *format, ...) {
    (void)format;
}

/* A batch of two tokens through a model, and the logits of both. */
static void run_model(const struct model *model) {
    struct inference inference;
    struct error error;
    if (!inference_init(&inference, model, &kernels_sse2, 2, KV_F32, &error))
        return;
    inference_forward(&inference, (uint32_t[]){model->config.vocabulary - 1, 0}, 2, 0);
    inference_classify(&inference, 0);
    inference_classify(&inference, 1);
    inference_free(&inference);
}
