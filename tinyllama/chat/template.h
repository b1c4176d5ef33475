/*
 * Chat templates: what a model wants around the texts of a conversation. Published templates are
 * programs in Jinja; here they are the texts that such a program puts between a conversation's
 * texts. The image builder finds these out and writes them to the disk (docs/dialogue.md, Chat);
 * without its file, families are recognised by what stands in the program.
 *
 * A conversation is: begin, the user's text, answer, the model's text, turn, the user's text, ...
 * With a system text, system_begin, that text and system_end stand in place of begin; with
 * system_last, in front of the last text of the user, behind begin or turn.
 */
#pragma once
#include "kernel_lib/runtime.h"

struct chat_template {
    const char *name;         /* of a family; NULL: from the builder */
    const char *begin;        /* in front of the first text of the user */
    const char *system_begin; /* in front of the system text; NULL: it takes none */
    const char *system_end;   /* from there to the first text of the user */
    const char *answer;       /* from a text of the user to the answer */
    const char *past_answer;  /* the same for answers that the conversation has gone past */
    const char *turn;         /* from an answer to the next text of the user; its first control
                                 piece ends an answer */
    bool system_last;
    bool drops_thoughts;        /* of past answers, what goes before "</think>" */
    const char *thoughts_space; /* and, of what is behind it, these characters */
    char *memory;               /* of the builder's texts */
};

#define CHAT_TEMPLATE_PATH "/model/CHAT.TPL"

/* The family of this name. False and *error, which lists them, if there is none. */
bool chat_template_named(struct chat_template *result, const char *name, struct error *error);

/*
 * The template of a model whose file has this Jinja program: from the builder's file, if there is
 * one that was made from the same program; else by family. False and *error if the builder says
 * why it does not fit, its file is damaged, or no family is recognised.
 */
bool chat_template_find(struct chat_template *result, const char *program, struct error *error);

/*
 * Reads a builder's file of size bytes, which must have a zero behind it, and becomes part of
 * *result if it was made from a program with this CRC-32; *fits tells. False and *error if it is
 * damaged, or has the reason why the program does not fit.
 */
bool chat_template_parse(struct chat_template *result, char *bytes, size_t size, uint32_t crc,
                         bool *fits, struct error *error);

void chat_template_free(struct chat_template *chat_template);
