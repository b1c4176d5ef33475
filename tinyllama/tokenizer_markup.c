/* Encoding texts with markup between them: control pieces by their names. */
#include "tokenizer_internal.h"

#define LONGEST_NAME 64u /* bytes of a control piece's name that is looked for */

static bool is_special(const struct piece *piece) {
    return piece->kind == PIECE_CONTROL || piece->kind == PIECE_END;
}

/* The longest control piece at the beginning of text; NULL if there is none. */
static struct piece *named_piece(const struct tokenizer *t, const char *text, size_t length) {
    for (size_t size = length < LONGEST_NAME ? length : LONGEST_NAME; size > 0; size--) {
        uint32_t token;
        if (tokenizer_find(t, text, (uint32_t)size, &token) && is_special(&t->pieces[token]))
            return &t->pieces[token];
    }
    return NULL;
}

/* A text while it is encoded. */
struct marked {
    const struct tokenizer *tokenizer;
    char *text;  /* of all spans, with a byte in front of it */
    size_t done; /* bytes that are encoded */
    uint32_t *tokens;
    size_t count;
    bool space; /* whether the next text begins with a space */
    struct error *error;
};

/* Encodes the text up to end, which has no control pieces in it. */
static bool encode_up_to(struct marked *m, size_t end) {
    const struct tokenizer *t = m->tokenizer;
    char *begin = m->text + m->done, *front = begin - 1, before = *front;
    size_t length = end - m->done;
    if (length == 0)
        return true;
    bool space = m->space && t->add_space;
    *front = space ? ' ' : before;
    bool good =
        tokenizer_encode_part(t, begin - space, length + space, m->tokens, &m->count, m->error);
    *front = before;
    m->done = end;
    m->space = false;
    return good;
}

static bool encode_span(struct marked *m, size_t begin, size_t end) {
    for (size_t at = begin; at < end;) {
        struct piece *piece = named_piece(m->tokenizer, m->text + at, end - at);
        if (!piece) {
            at++;
            continue;
        }
        if (!encode_up_to(m, at))
            return false;
        m->tokens[m->count++] = (uint32_t)(piece - m->tokenizer->pieces);
        m->done = at += piece->length;
        m->space = true;
    }
    return true;
}

static bool encode_spans(struct marked *m, const struct span *spans, size_t count) {
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(spans[i].text);
        memcpy(m->text + at, spans[i].text, length);
        at += length;
    }
    size_t end = 0;
    for (size_t i = 0; i < count; i++) {
        size_t begin = end;
        end += strlen(spans[i].text);
        if (spans[i].markup && !encode_span(m, begin, end))
            return false;
    }
    return encode_up_to(m, at);
}

size_t tokenizer_max_span_tokens(const struct span *spans, size_t count) {
    size_t most = tokenizer_max_tokens(0);
    for (size_t i = 0; i < count; i++)
        most += 2 * strlen(spans[i].text); /* a space behind each control piece */
    return most;
}

bool tokenizer_encode_spans(const struct tokenizer *t, const struct span *spans, size_t count,
                            bool first, uint32_t *tokens, size_t *token_count,
                            struct error *error) {
    size_t size = 2;
    for (size_t i = 0; i < count; i++)
        size += strlen(spans[i].text);
    char *text = malloc(size);
    if (!text)
        return error_set(error, "no memory to encode the prompt");
    text[0] = ' ';
    struct marked m = {t, text + 1, 0, tokens, 0, first, error};
    bool good = encode_spans(&m, spans, count);
    free(text);
    bool bos = first && t->add_bos && t->bos != TOKEN_NONE && (m.count == 0 || *tokens != t->bos);
    if (bos) {
        memmove(tokens + 1, tokens, m.count * sizeof *tokens);
        tokens[0] = t->bos;
    }
    *token_count = m.count + bos;
    return good;
}

void tokenizer_reserve(struct tokenizer *t, const char *markup) {
    for (size_t length = strlen(markup); length > 0;) {
        const struct piece *user = tokenizer_user_piece(t, markup, length);
        size_t size = user ? user->length : 1;
        if (user && *markup > ' ') {
            uint32_t kept = 0;
            for (uint32_t i = 0; i < t->user_count; i++)
                if (t->user[i] != user)
                    t->user[kept++] = t->user[i];
            t->user_count = kept;
            t->pieces[user - t->pieces].kind = PIECE_CONTROL;
        }
        markup += size;
        length -= size;
    }
}

void tokenizer_end_turn_with(struct tokenizer *t, const char *markup) {
    for (size_t length = strlen(markup); length > 0; markup++, length--) {
        struct piece *piece = named_piece(t, markup, length);
        if (piece) {
            piece->kind = PIECE_END;
            return;
        }
    }
}
