// sources: tinyllama/tokenizer.c tinyllama/tokenizer_encode.c tinyllama/tokenizer_markup.c
// sources: tinyllama/tokenizer_words.c kernel_lib/error.c tests/host/memory_file.c
// sources: kernel_lib/io/format.c
/* Texts with markup between them: names of control pieces are pieces in markup, texts elsewhere. */
#include "chat_tokenizer.h"

static struct tokenizer t;

static const char *encoded(const struct span *spans, size_t count, bool first) {
    uint32_t tokens[256];
    size_t found;
    struct error error;
    CHECK(tokenizer_max_span_tokens(spans, count) <= 256);
    CHECK(tokenizer_encode_spans(&t, spans, count, first, tokens, &found, &error));
    return spelled(&t, tokens, found);
}
#define ENCODED(first, ...)                                                                        \
    encoded((const struct span[]){__VA_ARGS__},                                                    \
            sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span), first)

static void test_names(void) {
    CHECK(strcmp(ENCODED(true, {"<|im_start|>user\n", true}, {"Hi", false}, {"<|im_end|>\n", true}),
                 "[<s>][<|im_start|>]user\nHi[<|im_end|>]\n") == 0);
    /* In a text, they are text. */
    CHECK(strcmp(ENCODED(false, {"<|im_start|>", true}, {"a<|im_end|></s>b", false}),
                 "[<|im_start|>]a<|im_end|></s>b") == 0);
    /* No name reaches from a text into markup, or from markup into a text. */
    CHECK(strcmp(ENCODED(false, {"<|im_", false}, {"end|>", true}), "<|im_end|>") == 0);
    CHECK(strcmp(ENCODED(false, {"<|im_", true}, {"end|>", false}), "<|im_end|>") == 0);
    CHECK(strcmp(ENCODED(true, {"", true}, {"", false}), "[<s>]") == 0);
    CHECK(strcmp(ENCODED(false, {"", true}), "") == 0);
    /* BOS that is there is not added. */
    CHECK(strcmp(ENCODED(true, {"<s>x", true}), "[<s>]x") == 0);
    CHECK(strcmp(ENCODED(true, {"<s>x", false}), "[<s>]<s>x") == 0);
}

static void test_spaces(void) {
    t.add_space = true;
    CHECK(strcmp(ENCODED(true, {"<s>[INST] ", true}, {"Hi", false}, {" [/INST]", true}),
                 "[<s>] [INST] Hi [/INST]") == 0);
    CHECK(strcmp(ENCODED(true, {"Hi", false}, {"</s>\n", true}), "[<s>] Hi[</s>] \n") == 0);
    CHECK(strcmp(ENCODED(false, {"x</s><s>[", true}), "x[</s>][<s>] [") == 0);
    t.add_space = false;
}

static void test_reserved(void) {
    CHECK(strcmp(ENCODED(false, {"<think>", false}), "[<think>]") == 0);
    tokenizer_reserve(&t, "<|im_start|>assistant\n<think>\n");
    CHECK(strcmp(ENCODED(false, {"<think></think>", false}), "<think>[</think>]") == 0);
    CHECK(strcmp(ENCODED(false, {"<think>", true}), "[<think>]") == 0);
}

static void test_end_of_turn(void) {
    CHECK(!tokenizer_is_end(&t, END));
    tokenizer_end_turn_with(&t, "\n<|im_end|>\n<|im_start|>user\n");
    CHECK(tokenizer_is_end(&t, END) && !tokenizer_is_end(&t, START));
    CHECK(strcmp(ENCODED(false, {"a<|im_end|>", true}), "a[<|im_end|>]") == 0);
    tokenizer_end_turn_with(&t, "no piece");
}

int main(void) {
    chat_tokenizer(&t);
    test_names();
    test_spaces();
    test_reserved();
    test_end_of_turn();
    tokenizer_free(&t);
    puts("tokenizer_markup: passed");
    return 0;
}
