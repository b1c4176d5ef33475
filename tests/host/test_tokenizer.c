// sources: tinyllama/tokenizer.c tinyllama/tokenizer_encode.c kernel_lib/error.c
// sources: tests/host/memory_file.c
// sources: tinyllama/tokenizer_words.c
// sources: kernel_lib/io/format.c
/* The tokenizer: what it makes of texts, byte for byte, and what it says about bad files. */
#include "check.h"
#include "memory_file.h"
#include "tinyllama/tokenizer.h"

/* ---- A tokenizer file ---- */

#define BYTES_AT 3u    /* number of the piece of byte 0 */
#define PIECES_AT 259u /* number of the first piece of the list below */

/* Scores: what is merged first has the greatest. */
static const struct {
    const char *bytes;
    float score;
} pieces[] = {
    {" ", -100.0f},       {"a", -100.0f},  {"b", -100.0f},  {"c", -100.0f},   {"ab", -2.0f},
    {"bc", -1.0f},        {" a", -3.0f},   {"abc", -4.0f},  {"\xC3\xA9", -9}, {"aa", -5.0f},
    {"\xE2\x82\xAC", -9}, {" abc", -6.0f}, {"aaaa", -7.0f}, {"ba", -2e10f},   {" \xC3\xA9", -8.0f},
    {"\n", -100.0f},      {"a", -50.0f},   {"", -1.0f},
};
#define PIECE_COUNT (PIECES_AT + sizeof pieces / sizeof *pieces)

enum {
    SPACE = PIECES_AT,
    A,
    B,
    C,
    AB,
    BC,
    SPACE_A,
    ABC,
    E_ACUTE,
    AA,
    EURO,
    SPACE_ABC,
    AAAA,
    BA,
    SPACE_E,
    NEWLINE,
    SECOND_A,
    EMPTY
};

struct image {
    unsigned char bytes[1 << 14];
    size_t size;
};

static void put(struct image *image, const void *bytes, size_t size) {
    CHECK(image->size + size <= sizeof image->bytes);
    memcpy(image->bytes + image->size, bytes, size);
    image->size += size;
}

static void put_piece(struct image *image, const char *bytes, float score) {
    int32_t length = (int32_t)strlen(bytes);
    put(image, &score, sizeof score);
    put(image, &length, sizeof length);
    put(image, bytes, (size_t)length);
}

static struct image make_image(void) {
    struct image image = {.size = 0};
    int32_t longest = 6;
    put(&image, &longest, sizeof longest);
    put_piece(&image, "<unk>", 0.0f);
    put_piece(&image, "\n<s>\n", 0.0f);
    put_piece(&image, "\n</s>\n", 0.0f);
    for (int i = 0; i < 256; i++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", i);
        put_piece(&image, name, 0.0f);
    }
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        put_piece(&image, pieces[i].bytes, pieces[i].score);
    return image;
}

static bool read_image(struct tokenizer *tokenizer, const struct image *image, uint32_t count,
                       struct error *error) {
    void *bytes = malloc(image->size + !image->size);
    CHECK(bytes);
    memcpy(bytes, image->bytes, image->size);
    struct file *file = memory_file(bytes, image->size);
    bool good = tokenizer_read(tokenizer, file, "t.bin", count, error);
    file_close(file);
    free(bytes);
    return good;
}

/* ---- Encoding ---- */

/* The text becomes BOS and these tokens; the list ends with 0. */
static void check_encoding(const struct tokenizer *tokenizer, const char *text,
                           const uint32_t *expected) {
    /* In memory of just the promised size. */
    uint32_t *tokens = malloc(tokenizer_max_tokens(strlen(text)) * sizeof *tokens);
    struct error error;
    CHECK(tokens);
    size_t count = tokenizer_encode(tokenizer, text, tokens, &error);
    CHECK(count >= 1 && tokens[0] == TOKEN_BOS);
    for (size_t i = 1; i < count; i++)
        CHECK(tokens[i] == expected[i - 1]);
    CHECK(expected[count - 1] == 0);
    free(tokens);
}

#define TOKENS(...) ((const uint32_t[]){__VA_ARGS__, 0})

static void test_encoding(const struct tokenizer *t) {
    check_encoding(t, "", (const uint32_t[]){0});
    check_encoding(t, "c", TOKENS(SPACE, C));
    /* bc (-1), before ab (-2); then " a" (-3), before abc (-4); then " abc". */
    check_encoding(t, "abc", TOKENS(SPACE_ABC));
    /* ab, before " a"; " " and ab make nothing. */
    check_encoding(t, "ab", TOKENS(SPACE, AB));
    /* a + bc = abc after bc; nothing better takes the a. */
    check_encoding(t, "cabc", TOKENS(SPACE, C, ABC));
    /* Equal scores: the first pair. " a" (-3) before aa (-5). */
    check_encoding(t, "aaa", TOKENS(SPACE_A, AA));
    check_encoding(t, "caaa", TOKENS(SPACE, C, AA, A));
    check_encoding(t, "caaaa", TOKENS(SPACE, C, AAAA));
    /* ba scores below every limit. */
    check_encoding(t, "cba", TOKENS(SPACE, C, B, A));
    /* Characters of 2 and 3 bytes; one that is no piece becomes its bytes, 0xC3 0xBC. */
    check_encoding(t, "\xC3\xA9", TOKENS(SPACE_E));
    check_encoding(t, "c\xE2\x82\xAC", TOKENS(SPACE, C, EURO));
    check_encoding(t, "\xC3\xBC", TOKENS(SPACE, BYTES_AT + 0xC3, BYTES_AT + 0xBC));
    check_encoding(
        t, "\xF0\x9F\x90\x95",
        TOKENS(SPACE, BYTES_AT + 0xF0, BYTES_AT + 0x9F, BYTES_AT + 0x90, BYTES_AT + 0x95));
    /* No UTF-8: more continuation bytes than there can be, and a leading byte alone. */
    check_encoding(t, "\x80\x81\x82\x83\x84",
                   TOKENS(SPACE, BYTES_AT + 0x80, BYTES_AT + 0x81, BYTES_AT + 0x82, BYTES_AT + 0x83,
                          BYTES_AT + 0x84));
    check_encoding(t, "\xC3", TOKENS(SPACE, BYTES_AT + 0xC3));
    check_encoding(t, "x\n", TOKENS(SPACE, BYTES_AT + 'x', NEWLINE));
}

/* A long prompt, in time that is not absurd. */
static void test_long_text(const struct tokenizer *t) {
    enum { LENGTH = 20000 };
    char *text = malloc(LENGTH + 1);
    uint32_t *tokens = malloc(tokenizer_max_tokens(LENGTH) * sizeof *tokens);
    struct error error;
    CHECK(text && tokens);
    memset(text, 'a', LENGTH);
    text[0] = 'c';
    text[LENGTH] = '\0';
    size_t count = tokenizer_encode(t, text, tokens, &error);
    /* BOS, " ", c; 19,999 a are 4,999 aaaa, an aa and an a */
    CHECK(count == 3 + 4999 + 2);
    CHECK(tokens[3] == AAAA && tokens[count - 2] == AA && tokens[count - 1] == A);
    free(text);
    free(tokens);
}

static void test_few_pieces(void) {
    struct tokenizer t;
    struct error error;
    struct image image = {.size = 0};
    uint32_t tokens[8];
    put(&image, &(int32_t){6}, 4);
    put_piece(&image, "<unk>", 0);
    put_piece(&image, "<s>", 0);
    put_piece(&image, "</s>", 0);
    put_piece(&image, " ", 0);
    CHECK(read_image(&t, &image, 4, &error));
    CHECK(tokenizer_encode(&t, " ", tokens, &error) == 3);
    CHECK(tokenizer_encode(&t, "a", tokens, &error) == 0);
    CHECK(strcmp(error.text, "the tokenizer has no piece for the byte 0x61 of the prompt") == 0);
    tokenizer_free(&t);
}

/* ---- Decoding ---- */

static void check_decoding(const struct tokenizer *t, uint32_t previous, uint32_t token,
                           const char *expected) {
    size_t length;
    const char *text = tokenizer_decode(t, previous, token, &length);
    CHECK(length == strlen(expected) && memcmp(text, expected, length) == 0);
}

static void test_decoding(const struct tokenizer *t) {
    check_decoding(t, A, SPACE_ABC, " abc");
    check_decoding(t, TOKEN_BOS, SPACE_ABC, "abc");
    check_decoding(t, TOKEN_BOS, SPACE, "");
    check_decoding(t, TOKEN_BOS, EMPTY, "");
    check_decoding(t, A, NEWLINE, "\n");
    check_decoding(t, A, BYTES_AT + 'x', "x");
    check_decoding(t, A, BYTES_AT + '\n', "\n");
    check_decoding(t, A, BYTES_AT + 0xC3, "\xC3");
    static const unsigned char controls[] = {0, 7, 8, 0x0E, 0x1B, 0x1F, 0x7F};
    for (size_t i = 0; i < sizeof controls; i++)
        check_decoding(t, A, BYTES_AT + controls[i], "");
}

/* ---- Bad files ---- */

static void expect(const struct image *image, uint32_t count, const char *message) {
    struct tokenizer tokenizer;
    struct error error = {""};
    CHECK(!read_image(&tokenizer, image, count, &error));
    if (strcmp(error.text, message) != 0)
        fprintf(stderr, "said: %s\nwant: %s\n", error.text, message);
    CHECK(strcmp(error.text, message) == 0);
    CHECK(memory_files_open() == 0);
}

static void test_bad_files(void) {
    struct image image = make_image(), cut = image;
    cut.size = 3;
    expect(&cut, PIECE_COUNT, "t.bin: 3 bytes cannot be a tokenizer");
    expect(&image, PIECE_COUNT + 1,
           "t.bin: it ends after 277 pieces, the model has 278; is it this model's tokenizer?");
    expect(&image, PIECE_COUNT - 1,
           "t.bin: it goes on after the model's 276 pieces; is it this model's tokenizer?");
    cut.size = 4 + 8 + 5 + 7;
    expect(&cut, PIECE_COUNT,
           "t.bin: it ends after 1 pieces, the model has 277; is it this model's tokenizer?");
    cut.size = 4 + 8 + 4;
    expect(&cut, PIECE_COUNT, "t.bin: damaged: piece 0 has a length of 5 bytes, 4 are left");
    static const int32_t lengths[] = {-1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char message[200];
        memcpy(image.bytes + 8, &lengths[i], sizeof *lengths);
        snprintf(message, sizeof message,
                 "t.bin: damaged: piece 0 has a length of %d bytes, %zu are left", (int)lengths[i],
                 image.size - 12);
        expect(&image, PIECE_COUNT, message);
    }
}

int main(void) {
    struct image image = make_image();
    struct tokenizer tokenizer;
    struct error error;
    CHECK(PIECE_COUNT == 277);
    CHECK(read_image(&tokenizer, &image, PIECE_COUNT, &error));
    test_encoding(&tokenizer);
    test_long_text(&tokenizer);
    test_decoding(&tokenizer);
    tokenizer_free(&tokenizer);
    test_few_pieces();
    test_bad_files();
    puts("tokenizer: passed");
}
