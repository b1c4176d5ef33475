/*
 * What the configuration asks for (runtime.h, config_get).
 */
#pragma once
#include "sampler.h"

enum mode { MODE_INTERACTIVE, MODE_GENERATE, MODE_BENCH };

struct settings {
    enum mode mode;
    const char *model, *tokenizer; /* paths */
    const char *prompt;
    const char *vector; /* "auto" or a width's name (optimization.h) */
    const char *ids;    /* path to write the token ids to, or NULL */
    const char *logits; /* path to write all logits to, or NULL */
    uint32_t steps;     /* most tokens of a text; 0: as many as the context has */
    struct sampling sampling;
    uint64_t seed; /* 0: from the clock */
};

/* Reads them. False and *error for a value that cannot be; keys that nobody knows are reported on
 * the console. */
bool settings_read(struct settings *settings, struct error *error);

/* Sets one of those that are numbers by its key. False and *error, and nothing is changed, for a
 * key or a value that cannot be. */
bool settings_set(struct settings *settings, const char *key, const char *value,
                  struct error *error);

/* Prints all that settings_set can change, with what they mean, on the console. */
void settings_print(const struct settings *settings);
