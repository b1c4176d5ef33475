// sources: tinyllama/formats/gguf.c tinyllama/formats/gguf_cursor.c
// sources: tinyllama/formats/gguf_values.c tinyllama/formats/gguf_tokenizer.c
// sources: tinyllama/tokenizer.c tinyllama/tokenizer_encode.c tinyllama/tokenizer_words.c
// sources: tinyllama/kernels/weight_types.c kernel_lib/error.c tests/host/memory_file.c
// sources: kernel_lib/io/format.c
// runs: 1000
/*
 * Any changes of a GGUF file with a tokenizer, and any text: there is a message or a tokenizer,
 * what is encoded consists of pieces, and with an unchanged tokenizer the text comes out again.
 *
 * Input: kind of tokenizer and number of changes (1 byte), the changes (place, 2 bytes, and
 * byte), the text.
 */
#include "gguf_tokenizer_example.h"
#include "memory_file.h"
#include "tinyllama/formats/gguf_tokenizer.h"

static void use(const struct tokenizer *t, const char *text, bool changed) {
    size_t size = strlen(text), at = 0;
    uint32_t *tokens = malloc(tokenizer_max_tokens(size) * sizeof *tokens);
    struct error error;
    CHECK(tokens);
    size_t count = tokenizer_encode(t, text, tokens, &error);
    CHECK(count <= tokenizer_max_tokens(size));
    for (size_t i = 0; i < count; i++) {
        size_t length;
        CHECK(tokens[i] < t->count);
        const char *bytes = tokenizer_decode(t, i ? tokens[i - 1] : TOKEN_NONE, tokens[i], &length);
        if (changed)
            continue;
        CHECK(length <= size - at && memcmp(text + at, bytes, length) == 0);
        at += length;
    }
    CHECK(changed || at == size);
    free(tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const rules[] = {"default", "gpt-2", "llama-bpe", "smollm", "qwen2"};
    static struct gguf_image image;
    struct tokenizer tokenizer;
    struct gguf gguf;
    struct error error;
    if (size < 1)
        return 0;
    unsigned kind = *data % 6, changes = *data / 6 % 8;
    data++;
    size--;
    if (kind == 5)
        put_scored(&image);
    else
        put_merged(&image, rules[kind]);
    uint32_t count = kind == 5 ? SCORED_PIECES : MERGED_PIECES;
    bool changed = changes > 0 && size >= 3;
    for (; changes > 0 && size >= 3; changes--, data += 3, size -= 3)
        image.bytes[(data[0] | (size_t)data[1] << 8) % image.size] = data[2];
    char *text = malloc(size + 1);
    CHECK(text);
    memcpy(text, data, size);
    text[size] = '\0';
    struct file *file = memory_file(image.bytes, image.size);
    if (gguf_open(&gguf, file, "t", &error)) {
        if (gguf_read_tokenizer(&tokenizer, &gguf, count)) {
            use(&tokenizer, text, changed);
            tokenizer_free(&tokenizer);
        }
        gguf_close(&gguf);
    }
    file_close(file);
    free(text);
    return 0;
}
