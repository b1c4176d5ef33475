/*
 * Telling a story: from a prompt to a text, token by token.
 */
#pragma once
#include "inference.h"
#include "sampler.h"
#include "settings.h"
#include "tokenizer.h"

/* What telling needs. */
struct teller {
    struct inference *inference;
    struct sampler *sampler;
    const struct tokenizer *tokenizer;
    uint32_t steps; /* most tokens of a text; at most the inference's positions */
};

/* How many tokens the settings want of a text of this model. */
uint32_t teller_steps(const struct model *model, const struct settings *settings);

/* The seed that the settings want, or one from the clock. */
uint64_t teller_seed(const struct settings *settings);

struct story {
    const char *prompt;
    bool quiet;         /* no text and no events */
    const char *ids;    /* path to write the token ids to, as text, or NULL */
    const char *logits; /* path to write the logits of each step to, as float32, or NULL */
    uint64_t begin;     /* TSC from which first_token_cycles counts */
    bool (*stop)(void); /* asked before each token whether to end, or NULL */
    /* Filled in: */
    uint32_t tokens;             /* told, those of the prompt included, without BOS */
    uint32_t prompt_tokens;      /* with BOS */
    uint64_t cycles;             /* from the first step's begin to the last one's end */
    uint64_t first_token_cycles; /* from begin until the first token after the prompt is known */
    uint64_t prompt_cycles;      /* from the first step's begin until then */
    uint64_t later_cycles;       /* from then to the end */
    const char *end;             /* why: "bos", "eos", "steps", "context", "stopped", "nan" */
};

/*
 * Tells the story: prompt and continuation go to the console, framed by the events text_begin and
 * text_end, then an event "generate". It ends with BOS or EOS, after steps tokens, at the context's
 * end or when stop says so; what was told until then stays. False and *error if the prompt leaves
 * no room for a story, a file cannot be written, or what the model computes is no numbers.
 */
bool story_tell(const struct teller *teller, struct story *story, struct error *error);

/* Tokens per second after the first one that is not the prompt's, times 100; 0 if there is none. */
uint64_t story_centitokens_per_second(const struct story *story);
