// sources: kernel_lib/config/config.c kernel_lib/config/parse.c kernel_lib/config/unknown_keys.c
// sources: tests/host/console.c tinyllama/tokenizer.c tinyllama/tokenizer_encode.c
// sources: tinyllama/formats/checkpoint.c tinyllama/model.c tinyllama/kernels/matrix.c
// sources: kernel_lib/error.c tests/host/memory_file.c
// sources: tinyllama/kernels/weight_types.c
// sources: tinyllama/tokenizer_words.c
// sources: kernel_lib/io/format.c
// compile: -fsanitize-coverage=trace-pc -fno-builtin
// link: -Wl,--wrap=memcpy,--wrap=memmove,--wrap=memset,--wrap=memcmp,--wrap=memchr
// link: -Wl,--wrap=strlen,--wrap=strcmp,--wrap=strncmp
/* The work that the readers of configuration, tokenizer and model have with their input. */
#include "console.h"
#include "growth.h"
#include "kernel_lib/config/config.h"
#include "kernel_lib/runtime.h"
#include "memory_file.h"
#include "tinyllama/formats/checkpoint.h"
#include "tinyllama/tokenizer.h"

/* ---- The configuration ---- */

static void report(void *context, unsigned line, const char *message) {
    (void)line, (void)message;
    ++*(unsigned *)context;
}

static void check_known(void *context, const struct setting *setting) {
    CHECK(config_get(setting->key) == setting->value && setting->known);
    ++*(size_t *)context;
}

static void read_config(size_t n, enum order order) {
    unsigned reports = 0;
    begin();
    console[0] = '\0';
    for (size_t i = 0; i < n; i++)
        put_text("key.with-a-long-beginning.%06zu = %zu\n", place(order, i, n), i);
    is_counting = 1;
    config_parse(input, input_size, report, &reports);
    size_t unknown = config_report_unknown(""), keys = 0;
    config_visit(check_known, &keys);
    size_t still_unknown = config_report_unknown("");
    config_clear();
    is_counting = 0;
    CHECK(keys == n && unknown == n && still_unknown == 0 && reports == 0);
}

static void read_wrong_config(size_t n, enum order order) {
    unsigned reports = 0;
    begin();
    for (size_t i = 0; i < n; i++)
        put_text(order == ASCENDING ? "key = %zu\n" : "=\n", i);
    is_counting = 1;
    config_parse(input, input_size, report, &reports);
    config_clear();
    is_counting = 0;
    CHECK(reports == 20);
}

/* ---- The tokenizer ---- */

static void put_piece(const char *bytes, float score) {
    put(&score, sizeof score);
    put32((uint32_t)strlen(bytes));
    put(bytes, strlen(bytes));
}

/* Strings of six characters, up to 4096, whose FNV-1a hashes end in the same 12 bits: the low bits
 * of a hash depend only on the low bits of what it was before. */
static const char *colliding(size_t index) {
    static char blocks[2][64][4], text[7];
    enum { LOW_BITS = 0xFFF };
    static uint32_t state = 2166136261u & LOW_BITS;
    static int stages;
    for (; stages < 2; stages++) {
        uint32_t next = LOW_BITS + 1;
        for (uint32_t i = 0, found = 0; i < 1 << 18 && found < 64; i++) {
            const char block[4] = {'0' + (char)(i & 63), '0' + (char)(i >> 6 & 63),
                                   '0' + (char)(i >> 12)};
            uint32_t hash = state;
            for (int k = 0; k < 3; k++)
                hash = (hash ^ (unsigned char)block[k]) * 16777619u & LOW_BITS;
            if (next > LOW_BITS)
                next = hash;
            if (hash == next)
                memcpy(blocks[stages][found++], block, sizeof block);
        }
        state = next;
    }
    snprintf(text, sizeof text, "%s%s", blocks[0][index % 64], blocks[1][index / 64 % 64]);
    return text;
}

/* A file of n pieces in all. */
static void make_tokenizer(size_t n, enum order order) {
    begin();
    put32(0);
    put_piece("<unk>", 0);
    put_piece("<s>", 0);
    put_piece("</s>", 0);
    put_piece(" ", -1e9f);
    put_piece("a", -1e9f);
    put_piece("b", -1e9f);
    put_piece("aa", order == ASCENDING ? -2 : -1);
    put_piece("aaaa", order == ASCENDING ? -1 : -2);
    put_piece("ab", -3);
    put_piece("bb", -4);
    put_piece("abab", -3);
    for (size_t i = 11; i < n; i++) {
        char text[40];
        snprintf(text, sizeof text, "piece %08zu", place(order, i, n));
        put_piece(order == MIXED ? colliding(i) : text, -1);
    }
}

static struct tokenizer read_pieces(size_t n) {
    struct tokenizer tokenizer;
    struct error error;
    struct file *file = memory_file(input, input_size);
    CHECK(tokenizer_read(&tokenizer, file, "t", (uint32_t)n, &error));
    file_close(file);
    return tokenizer;
}

static void read_tokenizer(size_t n, enum order order) {
    make_tokenizer(n, order);
    is_counting = 1;
    struct tokenizer tokenizer = read_pieces(n);
    is_counting = 0;
    tokenizer_free(&tokenizer);
}

/* A prompt of n characters: all the same, alternating, or mixed. */
static void read_prompt(size_t n, enum order order) {
    make_tokenizer(100, order);
    struct tokenizer tokenizer = read_pieces(100);
    char *text = malloc(n + 1);
    uint32_t *tokens = malloc(tokenizer_max_tokens(n) * sizeof *tokens);
    CHECK(text && tokens);
    for (size_t i = 0; i < n; i++)
        text[i] = order == ASCENDING    ? 'a'
                  : order == DESCENDING ? "ab"[i % 2]
                                        : "ab"[(uint32_t)i * 2654435761u >> 17 & 1];
    text[n] = '\0';
    struct error error;
    is_counting = 1;
    size_t count = tokenizer_encode(&tokenizer, text, tokens, &error);
    is_counting = 0;
    CHECK(count > n / 4 && count < n);
    CHECK(count >= tokenizer_min_tokens(&tokenizer, n));
    tokenizer_free(&tokenizer);
    free(text);
    free(tokens);
}

/* ---- The model ---- */

/* n in layers, in the vocabulary, in both dimensions. */
static void read_checkpoint(size_t n, enum order order) {
    uint32_t layers = order == ASCENDING ? (uint32_t)n : 1;
    uint32_t vocabulary = order == DESCENDING ? (uint32_t)n * 16 : 16;
    uint32_t dim = 8, hidden = order == MIXED ? (uint32_t)n * 16 : 16;
    size_t norms = (2 * (size_t)layers + 1) * dim, context = 8;
    size_t layer = 4 * dim * dim + 3 * (size_t)dim * hidden;
    size_t floats = norms + (size_t)vocabulary * dim + layers * layer + context * dim;
    static const float weight = 0.5f;
    begin();
    put32(dim), put32(hidden), put32(layers), put32(1), put32(1), put32(vocabulary);
    put32((uint32_t)context);
    for (size_t i = 0; i < floats; i++)
        put(&weight, sizeof weight);
    struct file *file = memory_file(input, input_size);
    struct model model;
    struct error error;
    is_counting = 1;
    bool good = checkpoint_read(&model, file, "m", &error);
    is_counting = 0;
    CHECK(good);
    model_free(&model);
    file_close(file);
}

int main(void) {
    check_growth("config", read_config, 512);
    check_growth("wrong config", read_wrong_config, 512);
    check_growth("tokenizer", read_tokenizer, 512);
    check_growth("prompt", read_prompt, 512);
    check_growth("checkpoint", read_checkpoint, 64);
    puts("growth: passed");
}
