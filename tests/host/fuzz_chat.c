// sources: tinyllama/chat/template.c tinyllama/tokenizer.c tinyllama/tokenizer_encode.c
// sources: tinyllama/tokenizer_markup.c tinyllama/tokenizer_words.c
// sources: kernel_lib/error.c kernel_lib/crc32.c tests/host/memory_file.c
// sources: kernel_lib/io/format.c
// runs: 3000
/*
 * Any bytes as the image builder's chat template, and any texts with markup between them: there is
 * a message or a template; the tokens of the texts spell them, and only markup has control pieces.
 *
 * Input: what it is (1 byte), and either the file behind its head, or spans with a zero behind
 * each, of which bits of the first byte say whether they are markup.
 */
#include "chat_tokenizer.h"
#include "memory_file.h"
#include "tinyllama/chat/template.h"

#define HEAD "BareFlow chat template 1\n"

enum { MOST_SPANS = 6 };

struct file *file_open(const char *path, struct error *error) {
    error_set(error, "%s is not there", path);
    return NULL;
}

static void use_template(const uint8_t *data, size_t size) {
    struct chat_template t = {0};
    struct error error = {""};
    bool fits;
    size_t length = strlen(HEAD) + size;
    char *file = malloc(length + 1);
    CHECK(file);
    memcpy(file, HEAD, strlen(HEAD));
    memcpy(file + strlen(HEAD), data, size);
    file[length] = '\0';
    bool good = chat_template_parse(&t, file, length, 0, &fits, &error);
    CHECK(good || error.text[0]);
    if (good) {
        const char *const texts[] = {t.begin, t.system_end, t.answer, t.past_answer, t.turn};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            CHECK(texts[i] > file && texts[i] + strlen(texts[i]) < file + length);
    }
    free(file);
}

/* The bytes of the pieces. Returns how many of them are control pieces. */
static size_t spell(const struct tokenizer *t, const uint32_t *tokens, size_t count, char *text) {
    size_t special = 0;
    for (size_t i = 0; i < count; i++) {
        CHECK(tokens[i] < t->count);
        const struct piece *piece = &t->pieces[tokens[i]];
        if (piece->kind == PIECE_BYTE) {
            *text++ = (char)(tokens[i] - 3);
            continue;
        }
        special += piece->kind == PIECE_CONTROL || piece->kind == PIECE_END;
        memcpy(text, piece->bytes, piece->length);
        text += piece->length;
    }
    *text = '\0';
    return special;
}

static void encode(const struct tokenizer *t, const struct span *spans, size_t count, bool markup,
                   const char *expected) {
    size_t most = tokenizer_max_span_tokens(spans, count), found;
    uint32_t *tokens = malloc(most * sizeof *tokens);
    char *text = malloc(most * 16 + 1); /* the longest name has 12 bytes */
    struct error error;
    CHECK(tokens && text);
    CHECK(tokenizer_encode_spans(t, spans, count, false, tokens, &found, &error));
    CHECK(found <= most);
    size_t special = spell(t, tokens, found, text);
    CHECK(strcmp(text, expected) == 0);
    CHECK(markup || special == 0);
    free(text);
    free(tokens);
}

/* The texts, each with a zero behind it, up to end. */
static void use_spans(char *text, const char *end, unsigned markups) {
    struct tokenizer t = {0};
    struct span spans[MOST_SPANS];
    size_t count = 0;
    bool markup = false;
    char *all = calloc((size_t)(end - text) + 1, 1);
    CHECK(all);
    chat_tokenizer(&t);
    for (; text < end && count < MOST_SPANS; text += strlen(text) + 1, count++) {
        spans[count] = (struct span){text, markups >> count & 1};
        markup |= spans[count].markup;
        strcat(all, text);
        if (spans[count].markup) {
            tokenizer_reserve(&t, text);
            tokenizer_end_turn_with(&t, text);
        }
    }
    encode(&t, spans, count, markup, all);
    free(all);
    tokenizer_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    if (*data == 0) {
        use_template(data + 1, size - 1);
        return 0;
    }
    char *text = malloc(size);
    CHECK(text);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    use_spans(text, text + size - 1, *data);
    free(text);
    return 0;
}
