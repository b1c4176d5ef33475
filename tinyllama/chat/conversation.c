/* Conversations and their tokens. */
#include "conversation.h"

#define THOUGHTS_END "</think>"

static bool no_memory(struct error *error) {
    return error_set(error, "no memory for the conversation; /reset begins a new one");
}

char *conversation_copy(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

bool conversation_add(struct conversation *c, const char *user, struct error *error) {
    struct turn *turns = realloc(c->turns, (c->count + 1) * sizeof *turns);
    if (!turns)
        return no_memory(error);
    c->turns = turns;
    char *copy = conversation_copy(user);
    if (!copy)
        return no_memory(error);
    turns[c->count++] = (struct turn){.user = copy};
    return true;
}

void conversation_drop(struct conversation *c) {
    struct turn *turn = &c->turns[--c->count];
    free(turn->user);
    free(turn->answer);
}

bool conversation_answer(struct conversation *c, const uint32_t *tokens, uint32_t count,
                         struct error *error) {
    struct turn *turn = &c->turns[c->count - 1];
    size_t size = (size_t)turn->answer_count + count;
    uint32_t *answer = count ? realloc(turn->answer, size * sizeof *answer) : turn->answer;
    if (count && !answer)
        return no_memory(error);
    if (count)
        memcpy(answer + turn->answer_count, tokens, count * sizeof *answer);
    turn->answer = answer;
    turn->answer_count = (uint32_t)size;
    return true;
}

void conversation_clear(struct conversation *c) {
    while (c->count > 0)
        conversation_drop(c);
    c->first = 0;
}

void conversation_free(struct conversation *c) {
    conversation_clear(c);
    free(c->system);
    free(c->turns);
    *c = (struct conversation){0};
}

/* ---- Rendering ---- */

struct renderer {
    const struct chat_template *texts;
    const struct tokenizer *tokenizer;
    uint32_t *tokens;
    size_t count;
    struct error *error;
};

static bool is_piece(const struct tokenizer *t, uint32_t token, const char *text) {
    const struct piece *piece = &t->pieces[token];
    return piece->length == strlen(text) && memcmp(piece->bytes, text, piece->length) == 0;
}

/* Whether all characters of a token are among these. */
static bool consists_of(const struct tokenizer *t, uint32_t token, const char *characters) {
    size_t length;
    const char *text = tokenizer_decode(t, TOKEN_NONE, token, &length);
    while (length > 0 && memchr(characters, text[length - 1], strlen(characters)))
        length--;
    return length == 0;
}

/* How many tokens of a past answer are left out: the thoughts, and the space behind them. */
static uint32_t thoughts(const struct renderer *r, const struct turn *turn) {
    if (!r->texts->drops_thoughts)
        return 0;
    uint32_t end = turn->answer_count;
    while (end > 0 && !is_piece(r->tokenizer, turn->answer[end - 1], THOUGHTS_END))
        end--;
    while (end > 0 && end < turn->answer_count &&
           consists_of(r->tokenizer, turn->answer[end], r->texts->thoughts_space))
        end++;
    return end;
}

/* Whether an answer begins with this text. */
static bool begins_with(const struct tokenizer *t, const struct turn *turn, const char *text) {
    for (uint32_t i = 0; i < turn->answer_count && *text; i++) {
        size_t length, left = strlen(text);
        const char *bytes = tokenizer_decode(t, TOKEN_NONE, turn->answer[i], &length);
        if (memcmp(bytes, text, length < left ? length : left) != 0)
            return false;
        text += length < left ? length : left;
    }
    return *text == '\0';
}

/* What stands between a past turn's text and its answer. What was there when it was generated is
 * as good where both begin with the same text: the KV cache has that. */
static const char *past_answer(const struct renderer *r, const struct turn *turn) {
    const char *now = r->texts->answer, *past = r->texts->past_answer;
    size_t length = strlen(now);
    bool same = thoughts(r, turn) == 0 && strncmp(now, past, length) == 0 &&
                begins_with(r->tokenizer, turn, past + length);
    return same ? now : past;
}

/* Encodes what is in front of an answer. */
static bool render_turn(struct renderer *r, const struct conversation *c, uint32_t index) {
    const struct chat_template *texts = r->texts;
    const struct turn *turn = &c->turns[index];
    bool first = index == c->first, last = index == c->count - 1;
    bool system = c->system && (texts->system_last ? last : first);
    const char *begin = first ? texts->begin : texts->turn;
    const struct span spans[] = {
        {system && !texts->system_last ? "" : begin, true},
        {system ? texts->system_begin : "", true},
        {system ? c->system : "", false},
        {system ? texts->system_end : "", true},
        {turn->user, false},
        {last ? texts->answer : past_answer(r, turn), true},
    };
    size_t count, spans_count = sizeof spans / sizeof *spans;
    size_t room = r->count + tokenizer_max_span_tokens(spans, spans_count) + turn->answer_count;
    uint32_t *tokens = realloc(r->tokens, room * sizeof *tokens);
    if (!tokens)
        return no_memory(r->error);
    r->tokens = tokens;
    if (!tokenizer_encode_spans(r->tokenizer, spans, spans_count, first, tokens + r->count, &count,
                                r->error))
        return false;
    r->count += count;
    return true;
}

bool conversation_render(const struct conversation *c, const struct chat_template *texts,
                         const struct tokenizer *tokenizer, uint32_t **tokens, size_t *count,
                         struct error *error) {
    struct renderer r = {.texts = texts, .tokenizer = tokenizer, .error = error};
    for (uint32_t i = c->first; i < c->count; i++) {
        const struct turn *turn = &c->turns[i];
        if (!render_turn(&r, c, i)) {
            free(r.tokens);
            return false;
        }
        uint32_t skip = i == c->count - 1 ? 0 : thoughts(&r, turn);
        if (turn->answer_count > skip)
            memcpy(r.tokens + r.count, turn->answer + skip,
                   (turn->answer_count - skip) * sizeof *r.tokens);
        r.count += turn->answer_count - skip;
    }
    *tokens = r.tokens;
    *count = r.count;
    return true;
}
