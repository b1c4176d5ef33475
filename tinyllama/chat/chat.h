/*
 * A chat: a conversation with a model that has a chat template. What the KV cache has of the
 * conversation is kept from one answer to the next.
 */
#pragma once
#include "conversation.h"
#include "tinyllama/generate.h"

struct chat {
    struct chat_template texts;
    const struct generator *generator;
    const struct settings *settings;
    uint32_t model; /* tells models apart: conversations of others are not loaded */
    struct conversation conversation;
    uint32_t *cached; /* tokens of the positions that the KV cache has */
    uint32_t cached_count;
};

/* Begins an empty conversation with the model that a number stands for, with texts, which the chat
 * frees, and the settings' system text. The tokenizer is told what ends a turn. False and *error if
 * the system text does not fit. */
bool chat_init(struct chat *chat, const struct chat_template *texts, struct tokenizer *tokenizer,
               const struct generator *generator, const struct settings *settings, uint32_t model,
               struct error *error);
void chat_free(struct chat *chat);

/*
 * Says something to the model, whose answer goes to the console (generate.h). generation has what
 * generate() needs, but no prompt. Where the context is full, the oldest turns slide out, or the
 * answer stops, as the settings say; a message tells. False and *error as generate; what had no
 * answer is not part of the conversation then.
 */
bool chat_say(struct chat *chat, const char *text, struct generation *generation,
              struct error *error);
/* Generates the last answer once more. */
bool chat_regenerate(struct chat *chat, struct generation *generation, struct error *error);

/* Changes the system text; "" takes it away. False and *error if the template takes none, or the
 * context is too small for it; the old one stays then. */
bool chat_set_system(struct chat *chat, const char *text, struct error *error);
/* Begins a new conversation with the same system text. */
void chat_reset(struct chat *chat);
