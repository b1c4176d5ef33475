/* The loop that makes text. */
#include "story.h"
#include "profiling.h"

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

static void report(const struct story *story, size_t bytes) {
    console_puts("\n");
    console_event("{\"event\":\"text_end\",\"bytes\":%zu}", bytes);
    uint64_t rate = story_centitokens_per_second(story);
    uint64_t prompt_rate = centitokens_per_second(story->prompt_run, story->prompt_cycles);
    uint64_t first_us = story->first_token_cycles * 1000000 / cpu_cycles_per_second();
    console_event("{\"event\":\"generate\",\"tokens\":%u,\"prompt_tokens\":%u,\"tokens_per_s\":"
                  "%llu.%02llu,\"prompt_tokens_per_s\":%llu.%02llu,\"cycles\":%llu,"
                  "\"first_token_cycles\":%llu,\"first_token_us\":%llu,\"end\":\"%s\"}",
                  (unsigned)story->tokens, (unsigned)story->prompt_tokens,
                  (unsigned long long)(rate / 100), (unsigned long long)(rate % 100),
                  (unsigned long long)(prompt_rate / 100), (unsigned long long)(prompt_rate % 100),
                  (unsigned long long)story->cycles, (unsigned long long)story->first_token_cycles,
                  (unsigned long long)first_us, story->end);
}

/* Runs the model from position on: on as much of the prompt as a batch takes, or on the one token
 * after it. Returns how many positions that were. */
static uint32_t run_batch(struct inference *in, const struct story *story, const uint32_t *prompt,
                          uint32_t token, uint32_t position) {
    bool in_prompt = position < story->prompt_run;
    uint32_t count = in_prompt ? story->prompt_run - position : 1;
    if (count > in->batch)
        count = in->batch;
    inference_forward(in, in_prompt ? prompt + position : &token, count, position);
    return count;
}

/* The text from the prompt's tokens on. */
static void tell(const struct teller *teller, struct story *story, const uint32_t *prompt,
                 struct record *record) {
    struct inference *in = teller->inference;
    uint32_t token = prompt[0], vocabulary = in->model->shape.vocabulary;
    story->end = teller->steps < in->model->shape.context ? "steps" : "context";
    size_t bytes = 0;
    uint32_t batch = 0, next_batch = 0; /* the first positions of the last batch and the next one */
    uint64_t begin = cpu_rdtsc(), first = begin;
    if (!story->quiet)
        console_event("{\"event\":\"text_begin\"}");
    /* Without the BOS: a penalty for its repetition would only make stories longer. */
    sampler_begin(teller->sampler, prompt + 1, story->prompt_tokens - 1);
    for (uint32_t position = 0; position < teller->steps; position++) {
        if (story->stop && story->stop()) {
            story->end = "stopped";
            break;
        }
        bool in_prompt = position + 1 < story->prompt_tokens;
        if (position == next_batch) {
            batch = position;
            next_batch += run_batch(in, story, prompt, token, position);
        }
        if (!in_prompt || record->logits)
            inference_classify(in, position - batch);
        record_logits(record, in->logits, vocabulary);
        uint32_t next =
            in_prompt ? prompt[position + 1] : sampler_sample(teller->sampler, in->logits);
        profile_part(PART_SAMPLER);
        if (position + 1 == story->prompt_run) {
            first = cpu_rdtsc();
            story->prompt_cycles = first - begin;
            story->first_token_cycles = first - story->begin;
        }
        if (next == TOKEN_BOS || next == TOKEN_EOS) {
            story->end = next == TOKEN_BOS ? "bos" : "eos";
            break;
        }
        story->tokens++;
        record_id(record, next);
        size_t length;
        const char *text = tokenizer_decode(teller->tokenizer, token, next, &length);
        if (!story->quiet)
            console_write(text, length);
        bytes += length;
        token = next;
    }
    uint64_t now = cpu_rdtsc();
    story->cycles = now - begin;
    story->later_cycles = now - first;
    if (!story->quiet)
        report(story, bytes);
}

bool story_tell(const struct teller *teller, struct story *story, struct error *error) {
    uint32_t *prompt = malloc(tokenizer_max_tokens(strlen(story->prompt)) * sizeof *prompt);
    if (!prompt)
        return error_set(error, "no memory for the prompt");
    size_t count = tokenizer_encode(teller->tokenizer, story->prompt, prompt, error);
    uint32_t context = teller->inference->model->shape.context;
    struct record record = {0};
    bool good = count > 0;
    if (good && count > context)
        good = error_set(error, "the prompt has %zu tokens, the model's context %u; shorten it",
                         count, (unsigned)context);
    if (good) {
        story->prompt_tokens = (uint32_t)count;
        story->prompt_run = count < teller->steps ? (uint32_t)count : teller->steps;
        good = record_begin(&record, story, teller->steps,
                            teller->inference->model->shape.vocabulary, error);
    }
    if (good) {
        tell(teller, story, prompt, &record);
        good = record_write(&record, story, error);
    }
    record_free(&record);
    free(prompt);
    return good;
}
