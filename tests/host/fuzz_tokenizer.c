// sources: tinyllama/tokenizer.c tinyllama/tokenizer_encode.c kernel_lib/error.c
// sources: tests/host/memory_file.c
// sources: tinyllama/tokenizer_words.c
// sources: kernel_lib/io/format.c
// runs: 12000
/*
 * Any bytes as a tokenizer file and a text: reading gives pieces or a message, what is encoded
 * consists of pieces, and decoding them all stays within the file.
 *
 * Input: number of pieces (2 bytes), length of the text (1 byte), the text, the file.
 */
#include "check.h"
#include "memory_file.h"
#include "tinyllama/tokenizer.h"

static void decode_all(const struct tokenizer *t) {
    size_t length, total = 0;
    for (uint32_t token = 0; token < t->count; token++) {
        const char *text = tokenizer_decode(t, token ? token - 1 : TOKEN_BOS, token, &length);
        for (size_t i = 0; i < length; i++)
            total += (unsigned char)text[i];
    }
    __asm__ volatile("" : : "r"(total)); /* every byte was read */
}

static void encode(const struct tokenizer *t, const char *text) {
    size_t room = tokenizer_max_tokens(strlen(text));
    uint32_t *tokens = malloc(room * sizeof *tokens);
    struct error error;
    CHECK(tokens);
    size_t count = tokenizer_encode(t, text, tokens, &error);
    CHECK(count <= room);
    for (size_t i = 1; i < count; i++)
        CHECK(tokens[i] < t->count);
    free(tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3)
        return 0;
    uint32_t count = data[0] | (uint32_t)data[1] << 8;
    size_t length = data[2];
    data += 3;
    size -= 3;
    if (length > size)
        length = size;
    char *text = malloc(length + 1);
    CHECK(text);
    memcpy(text, data, length);
    text[length] = '\0';
    struct tokenizer tokenizer;
    struct error error;
    struct file *file = memory_file(data + length, size - length);
    if (tokenizer_read(&tokenizer, file, "t", count, &error)) {
        decode_all(&tokenizer);
        encode(&tokenizer, text);
        tokenizer_free(&tokenizer);
    }
    file_close(file);
    free(text);
    return 0;
}
