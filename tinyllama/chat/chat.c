/* Chats: answers, and the context that they fill. */
#include "chat.h"

bool chat_init(struct chat *chat, const struct chat_template *texts, struct tokenizer *tokenizer,
               const struct generator *generator, const struct settings *settings, uint32_t model,
               struct error *error) {
    const char *markup[] = {texts->begin,  texts->system_begin, texts->system_end,
                            texts->answer, texts->past_answer,  texts->turn};
    *chat = (struct chat){
        .texts = *texts, .generator = generator, .settings = settings, .model = model};
    for (size_t i = 0; i < sizeof markup / sizeof *markup; i++)
        if (markup[i])
            tokenizer_reserve(tokenizer, markup[i]);
    tokenizer_end_turn_with(tokenizer, texts->turn);
    return !*settings->system || chat_set_system(chat, settings->system, error);
}

void chat_free(struct chat *chat) {
    conversation_free(&chat->conversation);
    chat_template_free(&chat->texts);
    free(chat->cached);
    *chat = (struct chat){0};
}

void chat_reset(struct chat *chat) {
    conversation_clear(&chat->conversation);
}

static uint32_t context_of(const struct chat *chat) {
    return chat->generator->inference->model->config.context;
}

static bool render(const struct chat *chat, const struct conversation *conversation,
                   uint32_t **tokens, size_t *count, struct error *error) {
    return conversation_render(conversation, &chat->texts, chat->generator->tokenizer, tokens,
                               count, error);
}

bool chat_set_system(struct chat *chat, const char *text, struct error *error) {
    char *copy = NULL;
    if (*text) {
        if (!chat->texts.system_begin)
            return error_set(error, "the model's chat template takes no system text");
        char empty[] = "";
        struct turn turn = {.user = empty};
        if (!(copy = conversation_copy(text)))
            return error_set(error, "no memory for the system text");
        struct conversation only = {.system = copy, .turns = &turn, .count = 1};
        uint32_t *tokens;
        size_t count;
        bool good = render(chat, &only, &tokens, &count, error);
        if (good)
            free(tokens);
        if (good && count > context_of(chat) / 2)
            good =
                error_set(error,
                          "the system text has %zu tokens, more than half of the model's context "
                          "of %u; shorten it",
                          count, (unsigned)context_of(chat));
        if (!good) {
            free(copy);
            return false;
        }
    }
    free(chat->conversation.system);
    chat->conversation.system = copy;
    return true;
}

/* ---- The context ---- */

/* Lets the oldest turns slide out, until half of the context is free or only the last turn is left,
 * and says so. Whether any did. */
static bool slide(struct chat *chat) {
    struct conversation *c = &chat->conversation;
    uint32_t before = c->first, context = context_of(chat);
    size_t count = context;
    while (c->first + 1 < c->count && count > context / 2) {
        uint32_t *tokens;
        struct error error;
        c->first++;
        if (!render(chat, c, &tokens, &count, &error))
            break;
        free(tokens);
    }
    uint32_t left = c->first - before;
    if (left > 0)
        console_printf("(The context of %u tokens is full: the oldest %u turn%s slid out of it.)\n",
                       (unsigned)context, (unsigned)left, left == 1 ? "" : "s");
    return left > 0;
}

/* How many of the tokens the KV cache has already. The last one is always run: its logits are
 * needed. */
static uint32_t kept_tokens(const struct chat *chat, const uint32_t *tokens, size_t count) {
    uint32_t kept = 0;
    while (kept < chat->cached_count && kept + 1 < count && chat->cached[kept] == tokens[kept])
        kept++;
    return kv_cache_has(&chat->generator->inference->cache, kept) ? kept : 0;
}

/* Notes what the KV cache has after a generation from tokens. */
static bool note_cached(struct chat *chat, uint32_t *tokens, size_t count,
                        const struct generation *generation, struct error *error) {
    size_t size = count + generation->answer_tokens;
    uint32_t *all = realloc(tokens, size * sizeof *all);
    free(chat->cached);
    chat->cached = NULL;
    chat->cached_count = 0;
    if (!all) {
        free(tokens);
        return error_set(error, "no memory for the conversation; /reset begins a new one");
    }
    if (generation->answer_tokens)
        memcpy(all + count, generation->answer, generation->answer_tokens * sizeof *all);
    chat->cached = all;
    chat->cached_count = generation->positions < size ? generation->positions : (uint32_t)size;
    return true;
}

/* ---- Answers ---- */

/* Goes on with the last turn's answer for at most left tokens, as far as the context allows. The
 * conversation's tokens become the cached ones. */
static bool go_on(struct chat *chat, struct generation *generation, uint32_t *tokens, size_t count,
                  uint32_t left, struct error *error) {
    uint32_t context = context_of(chat);
    uint32_t room = context - (uint32_t)count + 1, most = left < room ? left : room;
    uint32_t *answer = malloc(most * sizeof *answer);
    if (!answer) {
        free(tokens);
        return error_set(error, "no memory for the answer");
    }
    generation->answer = answer;
    generation->answer_tokens = generation->tokens = generation->positions = 0;
    generation->kept = kept_tokens(chat, tokens, count);
    generation->prompt_tokens = (uint32_t)count;
    bool good =
        generate_tokens(chat->generator, generation, tokens, (uint32_t)count - 1 + most, error);
    bool noted = note_cached(chat, tokens, count, generation, good ? error : &(struct error){0});
    bool added = conversation_answer(&chat->conversation, answer, generation->answer_tokens,
                                     good && noted ? error : &(struct error){0});
    generation->answer = NULL;
    free(answer);
    return good && noted && added;
}

/* Renders the conversation so that it fits the context with an eighth of it left for an answer, if
 * turns may slide out. */
static bool fit(struct chat *chat, uint32_t **tokens, size_t *count, struct error *error) {
    uint32_t context = context_of(chat);
    bool slides = chat->settings->context == CONTEXT_SLIDE;
    for (;;) {
        if (!render(chat, &chat->conversation, tokens, count, error))
            return false;
        if (*count <= (slides ? context - context / 8 : context))
            return true;
        if (slides && slide(chat)) {
            free(*tokens);
            continue;
        }
        if (*count <= context)
            return true;
        free(*tokens);
        return error_set(
            error, "the conversation has %zu tokens with this text, the model's context %u; %s",
            *count, (unsigned)context, slides ? "shorten the text" : "/reset begins a new one");
    }
}

static bool answer(struct chat *chat, struct generation *generation, struct error *error) {
    uint32_t left = chat->settings->steps ? chat->settings->steps : UINT32_MAX;
    for (;;) {
        uint32_t *tokens;
        size_t count;
        if (!fit(chat, &tokens, &count, error))
            return false;
        if (!go_on(chat, generation, tokens, count, left, error))
            return false;
        uint32_t *all = &chat->conversation.turns[chat->conversation.count - 1].answer_count;
        if (strcmp(generation->end, "context") != 0)
            break;
        left = chat->settings->steps ? chat->settings->steps - *all : UINT32_MAX;
        if (left == 0 || chat->settings->context != CONTEXT_SLIDE || !slide(chat))
            break;
    }
    return true;
}

bool chat_say(struct chat *chat, const char *text, struct generation *generation,
              struct error *error) {
    struct conversation *c = &chat->conversation;
    if (!conversation_add(c, text, error))
        return false;
    bool good = answer(chat, generation, error);
    if (!good && c->turns[c->count - 1].answer_count == 0)
        conversation_drop(c);
    return good;
}

bool chat_regenerate(struct chat *chat, struct generation *generation, struct error *error) {
    struct conversation *c = &chat->conversation;
    if (c->count == 0)
        return error_set(error, "there is no answer yet");
    struct turn *turn = &c->turns[c->count - 1];
    struct turn before = *turn;
    turn->answer = NULL;
    turn->answer_count = 0;
    bool good = answer(chat, generation, error);
    if (!good && turn->answer_count == 0)
        *turn = before; /* nothing is lost */
    else
        free(before.answer);
    return good;
}
