/* The loop that makes text. */
#include "generate.h"
#include "kernel_lib/jit_runtime.h"
#include "profiling.h"

#define STATUS_TOKENS 16 /* from one look at the clock to the next ... */
#define STATUS_MS 100    /* ... and between two tellings of the speed to the status line */

uint32_t teller_steps(const struct model *model, const struct settings *settings) {
    uint32_t steps = settings->steps, context = model->shape.context;
    return steps == 0 || steps > context ? context : steps;
}

uint64_t teller_seed(const struct settings *settings) {
    return settings->seed ? settings->seed : cpu_rdtsc() | 1;
}

/* The files about a story's steps, kept in memory until its end. */
struct record {
    char *ids;
    size_t ids_size;
    float *logits;
    size_t logits_size;
};

#define MAX_ID_LENGTH 8 /* a vocabulary has at most 7 digits (checkpoint.c), and a space */

static bool record_begin(struct record *record, const struct story *story, uint32_t steps,
                         uint32_t vocabulary, struct error *error) {
    *record = (struct record){0};
    if (story->ids)
        record->ids = malloc((size_t)steps * MAX_ID_LENGTH + 1);
    if (story->logits)
        record->logits = malloc((size_t)steps * vocabulary * sizeof(float));
    return ((record->ids || !story->ids) && (record->logits || !story->logits)) ||
           error_set(error, "no memory to keep the ids or logits of %u steps; set steps lower",
                     (unsigned)steps);
}

static void record_id(struct record *record, uint32_t token) {
    if (record->ids)
        record->ids_size += (size_t)snprintf(record->ids + record->ids_size, MAX_ID_LENGTH + 1,
                                             "%s%u", record->ids_size ? " " : "", (unsigned)token);
}

static void record_logits(struct record *record, const float *logits, uint32_t vocabulary) {
    if (!record->logits)
        return;
    memcpy((char *)record->logits + record->logits_size, logits, vocabulary * sizeof(float));
    record->logits_size += vocabulary * sizeof(float);
}

static bool record_write(struct record *record, const struct story *story, struct error *error) {
    if (record->ids)
        record->ids[record->ids_size++] = '\n';
    return (!record->ids || file_replace(story->ids, record->ids, record->ids_size, error)) &&
           (!record->logits ||
            file_replace(story->logits, record->logits, record->logits_size, error));
}

static void record_free(struct record *record) {
    free(record->ids);
    free(record->logits);
}

static uint64_t centitokens_per_second(uint32_t tokens, uint64_t cycles) {
    /* tokens * 100 * frequency stays within 64 bits: 2^20, 2^7, 2^33 */
    return cycles ? tokens * 100ull * cpu_cycles_per_second() / cycles : 0;
}

uint64_t story_centitokens_per_second(const struct story *story) {
    /* Of the tokens told, prompt_tokens - 1 are the prompt's, and the first one after them ends the
     * prompt's time. */
    return story->tokens > story->prompt_tokens
               ? centitokens_per_second(story->tokens - story->prompt_tokens, story->later_cycles)
               : 0;
}

static void report(const struct story *story) {
    console_text_end();
    uint64_t rate = story_centitokens_per_second(story);
    uint64_t prompt_rate = centitokens_per_second(story->prompt_tokens, story->prompt_cycles);
    uint64_t first_us = story->first_token_cycles * 1000000 / cpu_cycles_per_second();
    console_event("{\"event\":\"generate\",\"tokens\":%u,\"prompt_tokens\":%u,\"tokens_per_s\":"
                  "%llu.%02llu,\"prompt_tokens_per_s\":%llu.%02llu,\"cycles\":%llu,"
                  "\"first_token_cycles\":%llu,\"first_token_us\":%llu,\"end\":\"%s\"}",
                  (unsigned)story->tokens, (unsigned)story->prompt_tokens,
                  (unsigned long long)(rate / 100), (unsigned long long)(rate % 100),
                  (unsigned long long)(prompt_rate / 100), (unsigned long long)(prompt_rate % 100),
                  (unsigned long long)story->cycles, (unsigned long long)story->first_token_cycles,
                  (unsigned long long)first_us, story->end);
    jit_print_log();
    jit_tell_costs();
}

/* Runs the model from position on: on as much of the prompt as a batch takes, or on the one token
 * after it. Returns how many positions that were. */
static uint32_t run_batch(struct inference *in, const struct story *story, const uint32_t *prompt,
                          uint32_t token, uint32_t position) {
    bool in_prompt = position < story->prompt_tokens;
    uint32_t count = in_prompt ? story->prompt_tokens - position : 1;
    if (count > in->batch)
        count = in->batch;
    inference_forward(in, in_prompt ? prompt + position : &token, count, position);
    return count;
}

/* A text that is being told. */
struct telling {
    const struct teller *teller;
    struct story *story;
    const uint32_t *prompt;
    struct record *record;
    uint32_t token;             /* the last one */
    uint32_t batch, next_batch; /* the first positions of the last batch and the next one */
    uint64_t begin, first;      /* TSC at the first step, and when the prompt's end was reached */
    uint64_t shown;             /* TSC when the status line last got the speed */
    uint32_t tokens_shown;      /* tokens by then */
};

/* The token after the one at position. */
static uint32_t find_next(struct telling *t, uint32_t position) {
    struct inference *in = t->teller->inference;
    bool in_prompt = position + 1 < t->story->prompt_tokens;
    if (position == t->next_batch) {
        t->batch = position;
        t->next_batch += run_batch(in, t->story, t->prompt, t->token, position);
    }
    if (!in_prompt || t->record->logits)
        inference_classify(in, position - t->batch);
    record_logits(t->record, in->logits, in->model->shape.vocabulary);
    uint32_t next =
        in_prompt ? t->prompt[position + 1] : sampler_sample(t->teller->sampler, in->logits);
    profile_part(PART_SAMPLER);
    return next;
}

/* Tells the status line how fast the text has been since it was last told. */
static void show_speed(struct telling *t) {
    char text[32];
    uint64_t now = cpu_rdtsc();
    if (now - t->shown < cpu_cycles_per_second() / 1000 * STATUS_MS)
        return;
    uint64_t rate = centitokens_per_second(t->story->tokens - t->tokens_shown, now - t->shown);
    t->shown = now;
    t->tokens_shown = t->story->tokens;
    snprintf(text, sizeof text, "%llu.%02llu tokens/s", (unsigned long long)(rate / 100),
             (unsigned long long)(rate % 100));
    jit_status(text);
}

/* One position; false when the text ends there. A function of its own because the JIT exchanges a
 * function's code when it is called: what ran in the loop's own body would be interpreted until the
 * text's end. */
static bool step(struct telling *t, uint32_t position) {
    struct story *story = t->story;
    if (story->stop && story->stop()) {
        story->end = "stopped";
        return false;
    }
    uint32_t next = find_next(t, position);
    if (position + 1 == story->prompt_tokens) {
        t->first = cpu_rdtsc();
        story->prompt_cycles = t->first - t->begin;
        story->first_token_cycles = t->first - story->begin;
    }
    if (next == SAMPLER_NO_TOKEN) {
        story->end = "nan";
        return false;
    }
    if (next == TOKEN_BOS || next == TOKEN_EOS) {
        story->end = next == TOKEN_BOS ? "bos" : "eos";
        return false;
    }
    story->tokens++;
    record_id(t->record, next);
    size_t length;
    const char *text = tokenizer_decode(t->teller->tokenizer, t->token, next, &length);
    if (!story->quiet)
        console_text(text, length);
    if (position + 1 >= story->prompt_tokens) {
        boot_slots_report_success();
        jit_note_progress(JIT_HAS_RESULT);
    }
    t->token = next;
    if (jit_available() && story->tokens % STATUS_TOKENS == 0)
        show_speed(t);
    return true;
}

/* The text from the prompt's tokens on. */
static void tell(const struct teller *teller, struct story *story, const uint32_t *prompt,
                 struct record *record) {
    struct telling t = {teller, story, prompt, record, .token = prompt[0]};
    story->end = teller->steps < teller->inference->model->shape.context ? "steps" : "context";
    t.begin = t.first = t.shown = cpu_rdtsc();
    if (!story->quiet)
        console_text_begin();
    /* Without the BOS: a penalty for its repetition would only make stories longer. */
    sampler_begin(teller->sampler, prompt + 1, story->prompt_tokens - 1);
    for (uint32_t position = 0; position < teller->steps && step(&t, position); position++)
        ;
    uint64_t now = cpu_rdtsc();
    story->cycles = now - t.begin;
    story->later_cycles = now - t.first;
    if (!story->quiet)
        report(story);
}

/* few: "at least " when there may be more. */
static bool prompt_too_long(const char *few, size_t count, uint32_t context, struct error *error) {
    return error_set(error, "the prompt has %s%zu tokens, the model's context %u; shorten it", few,
                     count, (unsigned)context);
}

/* Whether a prompt of so many tokens leaves room for a story. */
static bool check_prompt(const struct teller *teller, size_t count, struct error *error) {
    uint32_t context = teller->inference->model->shape.context;
    if (count > context)
        return prompt_too_long("", count, context, error);
    return count <= teller->steps ||
           error_set(error, "the prompt has %zu tokens, a text only %u; set steps higher", count,
                     (unsigned)teller->steps);
}

/* Tells the story from a prompt that is encoded. */
static bool tell_and_record(const struct teller *teller, struct story *story,
                            const uint32_t *prompt, struct error *error) {
    struct record record;
    bool good = record_begin(&record, story, teller->steps,
                             teller->inference->model->shape.vocabulary, error);
    if (good) {
        tell(teller, story, prompt, &record);
        good = record_write(&record, story, error);
    }
    record_free(&record);
    if (good && strcmp(story->end, "nan") == 0)
        good = error_set(error, "the model's numbers are none (NaN): its file is damaged, or was "
                                "not trained or exported well");
    return good;
}

bool story_tell(const struct teller *teller, struct story *story, struct error *error) {
    size_t length = strlen(story->prompt);
    size_t fewest = tokenizer_min_tokens(teller->tokenizer, length);
    uint32_t context = teller->inference->model->shape.context;
    if (fewest > context) /* before there is work and memory for each of its bytes */
        return prompt_too_long("at least ", fewest, context, error);
    uint32_t *prompt = malloc(tokenizer_max_tokens(length) * sizeof *prompt);
    if (!prompt)
        return error_set(error, "no memory for the prompt");
    size_t count = tokenizer_encode(teller->tokenizer, story->prompt, prompt, error);
    story->prompt_tokens = (uint32_t)count;
    bool good = count > 0 && check_prompt(teller, count, error) &&
                tell_and_record(teller, story, prompt, error);
    free(prompt);
    return good;
}
