/* Small tokenizers as GGUF files in memory, for tests. */
#pragma once
#include "gguf_image.h"

enum { SCORED_PIECES = 271, MERGED_PIECES = 263 };

/* Encoding by scores: 3 control pieces, 256 bytes, texts. */
static inline void put_scored(struct gguf_image *image) {
    static const char *const texts[] = {
        "\xE2\x96\x81", "a",   "b",    "ab",       "\342\226\201ab",           "c",
        "<s>x",         "<b>", "<bc>", "\xC3\xA9", "\xE2\x96\x81\xE2\x96\x81", "<|im_end|>"};
    static const int32_t kinds[] = {1, 1, 1, 1, 1, 1, 1, 4, 4, 1, 4, 3};
    put_header(image, 3, 0, 5);
    put_text(image, "tokenizer.ggml.model", "llama");
    put_array(image, "tokenizer.ggml.tokens", GGUF_STRING, SCORED_PIECES);
    put_string(image, "<unk>");
    put_string(image, "<s>");
    put_string(image, "</s>");
    for (int i = 0; i < 256; i++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", i);
        put_string(image, name);
    }
    for (int i = 0; i < 12; i++)
        put_string(image, texts[i]);
    put_array(image, "tokenizer.ggml.scores", GGUF_FLOAT32, SCORED_PIECES);
    for (int i = 0; i < SCORED_PIECES; i++)
        put(image, &(float){i < 259 ? 0.0f : (float)-i}, sizeof(float));
    put_array(image, "tokenizer.ggml.token_type", GGUF_INT32, SCORED_PIECES);
    for (int i = 0; i < SCORED_PIECES; i++)
        put32(image, (uint32_t)(i < 3 ? 3 - (i == 0) : i < 259 ? 6 : kinds[i - 259]));
    put_whole(image, "tokenizer.ggml.eot_token_id", 270);
}

/* The character that stands for a byte in GPT-2's vocabularies, as UTF-8. */
static inline size_t put_character(char *text, int byte) {
    int c = byte;
    if (byte <= 32)
        c = 256 + byte;
    else if (byte >= 127 && byte <= 160)
        c = 256 + 33 + byte - 127;
    else if (byte == 173)
        c = 256 + 67;
    if (c < 0x80) {
        text[0] = (char)c;
        return 1;
    }
    text[0] = (char)(0xC0 | c >> 6);
    text[1] = (char)(0x80 | (c & 0x3F));
    return 2;
}

/* Encoding by merges: 256 bytes; ab, abc, " a", bc; a user-defined and a control piece. */
static inline void put_merged(struct gguf_image *image, const char *rules) {
    static const char *const texts[] = {"ab", "abc", "\304\240a", "bc", "[u]", "<|end|>", "aa"};
    static const char *const merges[] = {"b c", "a b", "\xC4\xA0 a", "ab c", "a a"};
    put_header(image, 3, 0, 7);
    put_text(image, "tokenizer.ggml.model", "gpt2");
    put_text(image, "tokenizer.ggml.pre", rules);
    put_array(image, "tokenizer.ggml.tokens", GGUF_STRING, MERGED_PIECES);
    for (int i = 0; i < 256; i++) {
        char text[3] = "";
        text[put_character(text, i)] = '\0';
        put_string(image, text);
    }
    for (int i = 0; i < 7; i++)
        put_string(image, texts[i]);
    put_array(image, "tokenizer.ggml.token_type", GGUF_INT32, MERGED_PIECES);
    for (int i = 0; i < MERGED_PIECES; i++)
        put32(image, i == 260 ? 4 : i == 261 ? 3 : 1);
    put_array(image, "tokenizer.ggml.merges", GGUF_STRING, 5);
    for (int i = 0; i < 5; i++)
        put_string(image, merges[i]);
    put_whole(image, "tokenizer.ggml.eos_token_id", 261);
    put_key(image, "tokenizer.ggml.add_bos_token", GGUF_BOOL);
    put(image, "\0", 1);
}
