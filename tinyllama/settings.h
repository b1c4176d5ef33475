/*
 * What the configuration asks for (runtime.h, config_get).
 */
#pragma once
#include "sampler.h"
#include "tinyllama/kernels/attention.h"

/* MODE_AUTO: MODE_CHAT where the model has a chat template, else MODE_INTERACTIVE. */
enum mode { MODE_AUTO, MODE_INTERACTIVE, MODE_CHAT, MODE_GENERATE, MODE_BENCH, MODE_PERPLEXITY };

/* What happens in a chat when the context is full. */
enum full_context { CONTEXT_SLIDE, CONTEXT_STOP };

struct settings {
    enum mode mode;
    const char *model;     /* path */
    const char *tokenizer; /* path, or NULL: the model's own, or /model/tokenizer.bin */
    const char *prompt;
    const char *prompt_ids;    /* token ids in its place, "1,403,407", or NULL */
    const char *text;          /* path of the text whose perplexity is measured, or NULL */
    const char *vector;        /* "auto" or a width's name (optimization.h) */
    const char *ids;           /* path to write the token ids to, or NULL */
    const char *logits;        /* path to write all logits to, or NULL */
    enum kv_type kv;           /* of the KV cache's numbers; KV_TYPES: what suits the model */
    uint32_t chat;             /* 1: MODE_GENERATE answers the prompt, by the chat template */
    const char *chat_template; /* "auto", or a family (chat/template.h) */
    const char *system;        /* text, "" for none */
    enum full_context context;
    uint32_t positions; /* most positions, if the model has more */
    uint32_t steps;     /* most tokens of a text; 0: as many as the context has */
    struct sampling sampling;
    uint64_t seed; /* 0: from the clock */
};

/* Reads the configuration, and reports its unknown keys on the console. False and *error for a
 * value that cannot be. */
bool settings_read(struct settings *settings, struct error *error);

/* Sets one of the numbers by its key. False and *error for a wrong key or value; nothing is changed
 * then. */
bool settings_set(struct settings *settings, const char *key, const char *value,
                  struct error *error);

/* Prints the numbers and their meaning on the console. */
void settings_print(const struct settings *settings);
