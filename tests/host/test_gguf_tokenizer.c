// sources: tinyllama/formats/gguf.c tinyllama/formats/gguf_cursor.c
// sources: tinyllama/formats/gguf_values.c tinyllama/formats/gguf_tokenizer.c
// sources: tinyllama/tokenizer.c tinyllama/tokenizer_encode.c tinyllama/tokenizer_words.c
// sources: tinyllama/kernels/weight_types.c kernel_lib/error.c tests/host/memory_file.c
// sources: kernel_lib/io/format.c
/*
 * Tokenizers from GGUF files: kinds of pieces, encoding by scores and by merges, texts of any bytes
 * that come out again, and bad files.
 */
#include "chance.h"
#include "gguf_tokenizer_example.h"
#include "memory_file.h"
#include "tinyllama/formats/gguf_tokenizer.h"

static bool read_image(struct tokenizer *t, const struct gguf_image *image, uint32_t count,
                       struct error *error) {
    struct gguf gguf;
    void *bytes = malloc(image->size);
    CHECK(bytes);
    memcpy(bytes, image->bytes, image->size);
    struct file *file = memory_file(bytes, image->size);
    bool good = gguf_open(&gguf, file, "t", error);
    if (good) {
        good = gguf_read_tokenizer(t, &gguf, count);
        gguf_close(&gguf);
    }
    file_close(file);
    free(bytes);
    return good;
}

static struct gguf_image image;

static void check_encoding(const struct tokenizer *t, const char *text, const uint32_t *expected,
                           size_t expected_count) {
    /* In memory of just the promised size. */
    uint32_t *tokens = malloc(tokenizer_max_tokens(strlen(text)) * sizeof *tokens);
    struct error error;
    CHECK(tokens);
    size_t count = tokenizer_encode(t, text, tokens, &error);
    CHECK(count == expected_count);
    CHECK(count >= tokenizer_min_tokens(t, strlen(text)));
    CHECK(memcmp(tokens, expected, count * sizeof *tokens) == 0);
    free(tokens);
}
#define ENCODES(t, text, ...)                                                                      \
    check_encoding(t, text, (const uint32_t[]){__VA_ARGS__},                                       \
                   sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* The text is encoded, and all its tokens together are the text again. */
static void check_round_trip(const struct tokenizer *t, const char *text) {
    size_t size = strlen(text), at = 0;
    uint32_t *tokens = malloc(tokenizer_max_tokens(size) * sizeof *tokens);
    struct error error;
    CHECK(tokens);
    size_t count = tokenizer_encode(t, text, tokens, &error);
    CHECK(count > 0 && count <= tokenizer_max_tokens(size));
    for (size_t i = 0; i < count; i++) {
        size_t length;
        const char *bytes = tokenizer_decode(t, i ? tokens[i - 1] : TOKEN_NONE, tokens[i], &length);
        CHECK(length <= size - at && memcmp(text + at, bytes, length) == 0);
        at += length;
    }
    CHECK(at == size);
    free(tokens);
}

static void check_random_texts(const struct tokenizer *t) {
    static const char *const parts[] = {"a",
                                        "b",
                                        "c",
                                        " ",
                                        "\n",
                                        "\r",
                                        "1",
                                        "9",
                                        "'s",
                                        "'",
                                        "\xC3\xA9",
                                        "\xF0\x9F\x98\x80",
                                        "[u]",
                                        "<b>",
                                        "!",
                                        "\xFF",
                                        "\x80",
                                        "<s>",
                                        "\xE2\x96\x81",
                                        "$",
                                        "\1",
                                        "<|end|>",
                                        "</s>",
                                        "\xD9\xA3",
                                        "\xC2\xA0",
                                        "<bc>",
                                        "\xE2\x80"};
    uint32_t state = 99;
    check_round_trip(t, "a");
    for (int round = 0; round < 3000; round++) {
        char text[512] = "";
        for (int i = 0; i < 1 + round % 60; i++)
            strcat(text, parts[(chance_next(&state) >> 16) % (sizeof parts / sizeof *parts)]);
        check_round_trip(t, text);
    }
}

static void test_scored(void) {
    enum { SPACE = 259, A, B, AB, SPACE_AB, C, S_X, USER_B, USER_BC, E_ACUTE, TWO_SPACES, TURN };
    struct tokenizer t;
    struct error error;
    put_scored(&image);
    CHECK(read_image(&t, &image, SCORED_PIECES, &error));
    CHECK(t.bos == 1 && t.eos == 2 && t.add_bos && !t.add_eos && t.add_space);
    ENCODES(&t, "", 1);
    ENCODES(&t, "ab", 1, SPACE_AB);
    ENCODES(&t, "cab", 1, SPACE, C, AB);
    ENCODES(&t, "c\xC3\xA9\xC3\xBC", 1, SPACE, C, E_ACUTE, 3 + 0xC3, 3 + 0xBC);
    ENCODES(&t, "a<bc>b", 1, SPACE, A, USER_BC, B); /* the longest one */
    ENCODES(&t, "<b>", 1, SPACE, USER_B);
    /* What looks like a control piece is only text. */
    ENCODES(&t, "<s>x", 1, SPACE, 3 + '<', 3 + 's', 3 + '>', 3 + 'x');
    CHECK(tokenizer_is_end(&t, 1) && tokenizer_is_end(&t, 2) && tokenizer_is_end(&t, TURN));
    CHECK(!tokenizer_is_end(&t, A) && !tokenizer_is_end(&t, 0));
    size_t length;
    tokenizer_decode(&t, A, 2, &length);
    CHECK(length == 0);
    CHECK(tokenizer_decode(&t, 1, SPACE_AB, &length)[0] == 'a' && length == 2);
    check_random_texts(&t);
    tokenizer_free(&t);
}

static void test_merged(void) {
    enum { AB = 256, ABC, SPACE_A, BC, USER, CONTROL, AA };
    static const char *const rules[] = {"default", "gpt-2", "llama-bpe", "smollm", "qwen2"};
    struct tokenizer t;
    struct error error;
    for (int i = 0; i < 5; i++) {
        put_merged(&image, rules[i]);
        CHECK(read_image(&t, &image, MERGED_PIECES, &error));
        CHECK(t.bos == TOKEN_NONE && t.eos == CONTROL && !t.add_bos && !t.add_space);
        ENCODES(&t, "ab", AB);
        ENCODES(&t, " ab", ' ', AB); /* "a b" is before " a" */
        ENCODES(&t, " a", SPACE_A);
        ENCODES(&t, "x[u]ab", 'x', USER, AB);
        /* "b c" comes first, so abc is not made of it but where a whole word is taken. */
        if (strcmp(rules[i], "llama-bpe") == 0)
            ENCODES(&t, "abc", ABC);
        else
            ENCODES(&t, "abc", 'a', BC);
        uint32_t none[8];
        CHECK(tokenizer_encode(&t, "", none, &error) == 0);
        check_random_texts(&t);
        tokenizer_free(&t);
    }
}

/* A long word, in time that is not absurd. */
static void test_long_word(void) {
    enum { LENGTH = 100000 };
    struct tokenizer t;
    struct error error;
    char *text = malloc(LENGTH + 1);
    uint32_t *tokens = malloc(tokenizer_max_tokens(LENGTH) * sizeof *tokens);
    CHECK(text && tokens);
    memset(text, 'a', LENGTH);
    text[LENGTH] = '\0';
    put_merged(&image, "qwen2");
    CHECK(read_image(&t, &image, MERGED_PIECES, &error));
    CHECK(tokenizer_encode(&t, text, tokens, &error) == LENGTH / 2);
    tokenizer_free(&t);
    free(text);
    free(tokens);
}

static void expect(uint32_t count, const char *message) {
    struct tokenizer t;
    struct error error = {""};
    bool good = read_image(&t, &image, count, &error);
    if (good || strcmp(error.text, message) != 0)
        fprintf(stderr, "said: %s\nwant: %s\n", error.text, message);
    CHECK(!good && strcmp(error.text, message) == 0);
}

static void test_bad_files(void) {
    put_scored(&image);
    expect(272, "t: its tokenizer.ggml.tokens has 271 elements where its model has 272");
    put_header(&image, 3, 0, 1);
    put_text(&image, "tokenizer.ggml.model", "bert");
    expect(9, "t: its tokenizer is of the kind \"bert\"; there are llama and gpt2");
    put_header(&image, 3, 0, 1);
    put_text(&image, "tokenizer.ggml.model", "llama");
    expect(9, "t: it has no tokenizer.ggml.tokens");
    put_merged(&image, "tekken");
    expect(MERGED_PIECES, "t: its tokenizer divides texts by \"tekken\"; there are default gpt-2 "
                          "llama-bpe smollm qwen2");
}

/* Any byte of the file changed: no crash, and a message or a tokenizer that encodes. */
static void test_mutations(void) {
    for (int kind = 0; kind < 2; kind++) {
        if (kind == 0)
            put_scored(&image);
        else
            put_merged(&image, "default");
        for (size_t i = 0; i < image.size; i += 1 + (i > 300) * 3) {
            unsigned char before = image.bytes[i];
            struct tokenizer t;
            struct error error = {""};
            uint32_t tokens[64];
            image.bytes[i] ^= (unsigned char)(1 << i % 8 | 0x40);
            if (read_image(&t, &image, kind ? MERGED_PIECES : SCORED_PIECES, &error)) {
                tokenizer_encode(&t, "ab [u]<bc> 12!", tokens, &error);
                tokenizer_free(&t);
            } else {
                CHECK(error.text[0]);
            }
            image.bytes[i] = before;
        }
    }
    CHECK(memory_files_open() == 0);
}

int main(void) {
    test_scored();
    test_merged();
    test_long_word();
    test_bad_files();
    test_mutations();
    puts("gguf tokenizer: passed");
}
