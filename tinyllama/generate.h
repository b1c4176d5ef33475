/*
 * Generation: from a prompt to a text, token by token.
 */
#pragma once
#include "inference.h"
#include "sampler.h"
#include "settings.h"
#include "tokenizer.h"

/* What generates texts. */
struct generator {
    struct inference *inference;
    struct sampler *sampler;
    const struct tokenizer *tokenizer;
    uint32_t steps; /* most tokens of a text; at most the inference's positions */
};

/* Most tokens of a text of this model, by the settings. */
uint32_t generator_steps(const struct model *model, const struct settings *settings);

/* The seed by the settings, or one from the clock. */
uint64_t generator_seed(const struct settings *settings);

/* One text. */
struct generation {
    const char *prompt;
    const char *prompt_ids; /* token ids in its place, with commas between them, or NULL */
    bool quiet;             /* no text and no events */
    const char *ids;        /* path to write the token ids to, as text, or NULL */
    const char *logits;     /* path to write the logits of each step to, as float32, or NULL */
    uint64_t begin;         /* TSC from which first_token_cycles counts */
    bool (*stop)(void);     /* asked before each token whether to end, or NULL */
    /* Of generate_tokens only: */
    uint32_t kept;    /* first positions that the KV cache has already */
    uint32_t *answer; /* gets the new tokens, and only these are shown; or NULL */
    /* Filled in: */
    uint32_t tokens;             /* of the text, the prompt included, without the first: BOS */
    uint32_t prompt_tokens;      /* with BOS */
    uint32_t answer_tokens;      /* in answer */
    uint32_t positions;          /* that the KV cache has then */
    uint64_t cycles;             /* of all steps */
    uint64_t first_token_cycles; /* from begin until the first token after the prompt is known */
    uint64_t prompt_cycles;      /* from the first step until then */
    uint64_t later_cycles;       /* from then to the end */
    const char *end;             /* why: "bos", "eos", "steps", "context", "stopped", "nan" */
};

/*
 * Generates the text: prompt and continuation go to the console between the events text_begin and
 * text_end, and the event "generate" follows. The text ends with BOS or EOS, after steps tokens, at
 * the context's end, or when stop says so. False and *error if the prompt does not fit, a file
 * cannot be written, or a logit is NaN; what is on the console by then stays there.
 */
bool generate(const struct generator *generator, struct generation *generation,
              struct error *error);

/*
 * The same from the tokens of a prompt, of which there are generation->prompt_tokens, up to so many
 * positions, which the context has. Their number is not checked.
 */
bool generate_tokens(const struct generator *generator, struct generation *generation,
                     const uint32_t *prompt, uint32_t positions, struct error *error);

/* Hundredths of tokens per second, after the first new token; 0 if there are none. */
uint64_t generation_rate(const struct generation *generation);
