/* A tokenizer for tests of chats: a token for each byte, and some with names. */
#pragma once
#include "check.h"
#include "tinyllama/tokenizer_internal.h"

enum {
    UNKNOWN,
    BOS,
    EOS,
    START = 3 + 256, /* behind the bytes */
    END,
    THINK,
    THINK_END,
    FAMILY_PIECES,
};
#define BYTE(c) (3u + (unsigned char)(c))

static inline void chat_tokenizer(struct tokenizer *t) {
    static const struct {
        const char *name;
        enum piece_kind kind;
    } named[] = {{"<unk>", PIECE_CONTROL},      {"<s>", PIECE_CONTROL},
                 {"</s>", PIECE_CONTROL},       {"<|im_start|>", PIECE_CONTROL},
                 {"<|im_end|>", PIECE_CONTROL}, {"<think>", PIECE_USER},
                 {"</think>", PIECE_USER}};
    static char bytes[256][7];
    struct error error;
    CHECK(tokenizer_allocate(t, FAMILY_PIECES, 1, &error));
    for (uint32_t i = 0; i < 256; i++) {
        snprintf(bytes[i], sizeof bytes[i], "<0x%02X>", (unsigned)i);
        t->pieces[3 + i] = (struct piece){bytes[i], 6, PIECE_BYTE, 0.0f};
        t->byte_pieces[i] = 3 + i;
    }
    for (uint32_t i = 0; i < sizeof named / sizeof *named; i++)
        t->pieces[i < 3 ? i : START + i - 3] =
            (struct piece){named[i].name, (uint32_t)strlen(named[i].name), named[i].kind, 0.0f};
    tokenizer_sort(t);
    CHECK(tokenizer_list_user(t, &error));
    t->bos = BOS;
    t->eos = EOS;
    t->add_bos = t->exact = true;
}

/* What tokens say: bytes as they are, names of others. */
static inline const char *spelled(const struct tokenizer *t, const uint32_t *tokens, size_t count) {
    static char text[4096];
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        const struct piece *piece = &t->pieces[tokens[i]];
        if (piece->kind == PIECE_BYTE)
            text[length++] = (char)(tokens[i] - 3);
        else
            length +=
                (size_t)snprintf(text + length, 32, "[%.*s]", (int)piece->length, piece->bytes);
    }
    text[length] = '\0';
    return text;
}
