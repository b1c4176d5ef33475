/*
 * A conversation: texts of the user, the model's answers as tokens, and a system text. It is
 * rendered to the tokens that a model reads.
 */
#pragma once
#include "template.h"
#include "tinyllama/tokenizer.h"

struct turn {
    char *user;
    uint32_t *answer;
    uint32_t answer_count;
};

struct conversation {
    char *system; /* or NULL */
    struct turn *turns;
    uint32_t count;
    uint32_t first; /* turns before this one have slid out of the context */
};

/* A copy of a text; NULL: no memory. */
char *conversation_copy(const char *text);
/* Adds a turn without an answer; copies the text. False and *error: no memory. */
bool conversation_add(struct conversation *conversation, const char *user, struct error *error);
/* Takes the last turn away. */
void conversation_drop(struct conversation *conversation);
/* Adds tokens to the last turn's answer. */
bool conversation_answer(struct conversation *conversation, const uint32_t *tokens, uint32_t count,
                         struct error *error);
/* Takes all turns away; the system text stays. */
void conversation_clear(struct conversation *conversation);
void conversation_free(struct conversation *conversation);

/*
 * The tokens of the turns from first on, up to the last turn's answer, as far as there is one.
 * *tokens is allocated. False and *error if a text cannot be encoded or there is no memory.
 */
bool conversation_render(const struct conversation *conversation,
                         const struct chat_template *chat_template,
                         const struct tokenizer *tokenizer, uint32_t **tokens, size_t *count,
                         struct error *error);
