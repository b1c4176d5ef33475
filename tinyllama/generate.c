/* Generation: the loop over tokens, its files, and its numbers. */
#include "generate.h"
#include "kernel_lib/jit_runtime.h"
#include "profiling.h"

/* The status line shows the speed at most once in STATUS_MS; the clock is read once in so many
 * tokens. */
#define STATUS_TOKENS 16
#define STATUS_MS 100

uint32_t generator_steps(const struct model *model, const struct settings *settings) {
    uint32_t steps = settings->steps, context = model->config.context;
    return steps == 0 || steps > context ? context : steps;
}

uint64_t generator_seed(const struct settings *settings) {
    return settings->seed ? settings->seed : cpu_rdtsc() | 1;
}

/* The token ids and logits of the steps: kept in memory, and written when the text has ended. */
struct record {
    char *ids;
    size_t ids_size;
    float *logits;
    size_t logits_size;
};

#define MAX_ID_LENGTH 8 /* a vocabulary has at most 7 digits (checkpoint.c), and a space */

static bool record_begin(struct record *record, const struct generation *generation, uint32_t steps,
                         uint32_t vocabulary, struct error *error) {
    *record = (struct record){0};
    if (generation->ids)
        record->ids = malloc(((size_t)steps + 1) * MAX_ID_LENGTH + 1);
    if (generation->logits)
        record->logits = malloc((size_t)steps * vocabulary * sizeof(float));
    return ((record->ids || !generation->ids) && (record->logits || !generation->logits)) ||
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

static bool record_write(struct record *record, const struct generation *generation,
                         struct error *error) {
    if (record->ids)
        record->ids[record->ids_size++] = '\n';
    return (!record->ids || file_replace(generation->ids, record->ids, record->ids_size, error)) &&
           (!record->logits ||
            file_replace(generation->logits, record->logits, record->logits_size, error));
}

static void record_free(struct record *record) {
    free(record->ids);
    free(record->logits);
}

static uint64_t centitokens_per_second(uint32_t tokens, uint64_t cycles) {
    /* tokens * 100 * frequency stays within 64 bits: 2^20, 2^7, 2^33 */
    return cycles ? tokens * 100ull * cpu_cycles_per_second() / cycles : 0;
}

uint64_t generation_rate(const struct generation *generation) {
    /* tokens has the prompt without its BOS, and the first new token, whose cycles are in
     * prompt_cycles. */
    uint32_t prompt = generation->prompt_tokens - generation->kept;
    return generation->tokens > prompt
               ? centitokens_per_second(generation->tokens - prompt, generation->later_cycles)
               : 0;
}

static void report(const struct generation *generation) {
    console_text_end();
    uint32_t prompt = generation->prompt_tokens - generation->kept;
    uint64_t rate = generation_rate(generation);
    uint64_t prompt_rate = centitokens_per_second(prompt, generation->prompt_cycles);
    uint64_t first_us = generation->first_token_cycles * 1000000 / cpu_cycles_per_second();
    console_event("{\"event\":\"generate\",\"tokens\":%u,\"prompt_tokens\":%u,\"kept_tokens\":%u,"
                  "\"tokens_per_s\":"
                  "%llu.%02llu,\"prompt_tokens_per_s\":%llu.%02llu,\"cycles\":%llu,"
                  "\"first_token_cycles\":%llu,\"first_token_us\":%llu,\"end\":\"%s\"}",
                  (unsigned)generation->tokens, (unsigned)prompt, (unsigned)generation->kept,
                  (unsigned long long)(rate / 100), (unsigned long long)(rate % 100),
                  (unsigned long long)(prompt_rate / 100), (unsigned long long)(prompt_rate % 100),
                  (unsigned long long)generation->cycles,
                  (unsigned long long)generation->first_token_cycles, (unsigned long long)first_us,
                  generation->end);
    jit_print_log();
    jit_report_costs();
}

/* Runs the model from position on: on as much of the prompt as a batch takes, or on the one token
 * after it. Returns how many positions that were. */
static uint32_t run_batch(struct inference *in, const struct generation *generation,
                          const uint32_t *prompt, uint32_t token, uint32_t position) {
    bool in_prompt = position < generation->prompt_tokens;
    uint32_t count = in_prompt ? generation->prompt_tokens - position : 1;
    if (count > in->batch)
        count = in->batch;
    inference_forward(in, in_prompt ? prompt + position : &token, count, position);
    return count;
}

/* A generation that is under way. */
struct run {
    const struct generator *generator;
    struct generation *generation;
    const uint32_t *prompt;
    struct record *record;
    uint32_t token;             /* the last one */
    uint32_t batch, next_batch; /* the first positions of the last batch and the next one */
    uint64_t begin, first;      /* TSC at the first step, and when the first new token was known */
    uint64_t shown;             /* TSC when the status line last got the speed */
    uint32_t tokens_shown;      /* tokens by then */
};

/* The token after the one at position. */
static uint32_t find_next(struct run *run, uint32_t position) {
    struct inference *in = run->generator->inference;
    bool in_prompt = position + 1 < run->generation->prompt_tokens;
    if (position == run->next_batch) {
        run->batch = position;
        run->next_batch += run_batch(in, run->generation, run->prompt, run->token, position);
    }
    if (!in_prompt || run->record->logits)
        inference_classify(in, position - run->batch);
    record_logits(run->record, in->logits, in->model->config.vocabulary);
    uint32_t next =
        in_prompt ? run->prompt[position + 1] : sampler_sample(run->generator->sampler, in->logits);
    profile_part(PART_SAMPLER);
    return next;
}

/* Shows in the status line the speed since it was last shown. */
static void show_speed(struct run *run) {
    char text[32];
    uint64_t now = cpu_rdtsc();
    if (now - run->shown < cpu_cycles_per_second() / 1000 * STATUS_MS)
        return;
    uint64_t rate =
        centitokens_per_second(run->generation->tokens - run->tokens_shown, now - run->shown);
    run->shown = now;
    run->tokens_shown = run->generation->tokens;
    snprintf(text, sizeof text, "%llu.%02llu tokens/s", (unsigned long long)(rate / 100),
             (unsigned long long)(rate % 100));
    jit_status(text);
}

/* Writes the text and the id of the token after previous. */
static void put_token(const struct run *run, uint32_t previous, uint32_t token, bool in_prompt) {
    struct generation *generation = run->generation;
    record_id(run->record, token);
    if (generation->answer && !in_prompt)
        generation->answer[generation->answer_tokens++] = token;
    if (generation->quiet || (generation->answer && in_prompt))
        return;
    size_t length;
    const char *text = tokenizer_decode(run->generator->tokenizer, previous, token, &length);
    console_text(text, length);
}

/* One position; false when the text ends there. It is a function of its own because the JIT
 * exchanges a function's code only between its calls. */
static bool step(struct run *run, uint32_t position) {
    struct generation *generation = run->generation;
    if (generation->stop && generation->stop()) {
        generation->end = "stopped";
        return false;
    }
    uint32_t next = find_next(run, position);
    if (position + 1 == generation->prompt_tokens) {
        run->first = cpu_rdtsc();
        generation->prompt_cycles = run->first - run->begin;
        generation->first_token_cycles = run->first - generation->begin;
    }
    if (next == SAMPLER_NO_TOKEN) {
        generation->end = "nan";
        return false;
    }
    bool in_prompt = position + 1 < generation->prompt_tokens;
    const struct tokenizer *tokenizer = run->generator->tokenizer;
    if (!in_prompt && tokenizer_is_end(tokenizer, next)) {
        generation->end = next == tokenizer->bos ? "bos" : "eos";
        return false;
    }
    generation->tokens++;
    put_token(run, run->token, next, in_prompt);
    if (position + 1 >= generation->prompt_tokens) {
        boot_slots_report_success();
        jit_note_progress(JIT_HAS_RESULT);
    }
    run->token = next;
    if (jit_available() && generation->tokens % STATUS_TOKENS == 0)
        show_speed(run);
    return true;
}

/* Generates from the prompt's tokens until the text ends, at most to position end. */
static void run_to_end(const struct generator *generator, struct generation *generation,
                       const uint32_t *prompt, uint32_t end, struct record *record) {
    uint32_t begin = generation->kept;
    struct run run = {generator, generation, prompt, record, .token = prompt[begin]};
    generation->end = end < generator->inference->model->config.context ? "steps" : "context";
    run.begin = run.first = run.shown = cpu_rdtsc();
    run.batch = run.next_batch = begin;
    if (!generation->quiet)
        console_text_begin();
    /* Without the BOS: a penalty on its repetition would only make texts longer. */
    bool has_bos = prompt[0] == generator->tokenizer->bos;
    sampler_begin(generator->sampler, prompt + has_bos, generation->prompt_tokens - has_bos);
    if (!has_bos && begin == 0)
        put_token(&run, TOKEN_NONE, prompt[0], true);
    for (uint32_t position = begin; position < end && step(&run, position); position++)
        ;
    uint64_t now = cpu_rdtsc();
    generation->positions = run.next_batch;
    generation->cycles = now - run.begin;
    generation->later_cycles = now - run.first;
    if (!generation->quiet)
        report(generation);
}

/* few: "at least " when there may be more. */
static bool prompt_too_long(const char *few, size_t count, uint32_t context, struct error *error) {
    return error_set(error, "the prompt has %s%zu tokens, the model's context %u; shorten it", few,
                     count, (unsigned)context);
}

/* Whether a prompt of so many tokens fits. */
static bool check_prompt(const struct generator *generator, size_t count, struct error *error) {
    uint32_t context = generator->inference->model->config.context;
    if (count > context)
        return prompt_too_long("", count, context, error);
    return count <= generator->steps ||
           error_set(error, "the prompt has %zu tokens, a text only %u; set steps higher", count,
                     (unsigned)generator->steps);
}

bool generate_tokens(const struct generator *generator, struct generation *generation,
                     const uint32_t *prompt, uint32_t positions, struct error *error) {
    struct record record;
    bool good = record_begin(&record, generation, positions,
                             generator->inference->model->config.vocabulary, error);
    if (good) {
        run_to_end(generator, generation, prompt, positions, &record);
        good = record_write(&record, generation, error);
    }
    record_free(&record);
    if (good && strcmp(generation->end, "nan") == 0)
        good = error_set(error, "the model's logits are NaN: its file is damaged, or was not "
                                "trained or exported well");
    return good;
}

/* The token ids in text, with commas between them; 0 and *error if one is not in the vocabulary. */
static size_t parse_ids(const char *text, uint32_t vocabulary, uint32_t *ids, struct error *error) {
    size_t count = 0;
    for (;; text++) {
        char *end;
        unsigned long id = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || id >= vocabulary || (*end && *end != ','))
            return error_set(error, "prompt_ids: \"%.20s\" does not begin with a token id below %u",
                             text, (unsigned)vocabulary);
        ids[count++] = (uint32_t)id;
        text = end;
        if (!*end)
            return count;
    }
}

static size_t encode(const struct generator *generator, const struct generation *generation,
                     uint32_t *prompt, struct error *error) {
    if (generation->prompt_ids)
        return parse_ids(generation->prompt_ids, generator->inference->model->config.vocabulary,
                         prompt, error);
    return tokenizer_encode(generator->tokenizer, generation->prompt, prompt, error);
}

bool generate(const struct generator *generator, struct generation *generation,
              struct error *error) {
    /* An id and its comma have at least two bytes. */
    size_t length = strlen(generation->prompt_ids ? generation->prompt_ids : generation->prompt);
    size_t fewest = generation->prompt_ids ? 1 : tokenizer_min_tokens(generator->tokenizer, length);
    uint32_t context = generator->inference->model->config.context;
    if (fewest > context) /* before there is work and memory for each of its bytes */
        return prompt_too_long("at least ", fewest, context, error);
    uint32_t *prompt = malloc(tokenizer_max_tokens(length) * sizeof *prompt);
    if (!prompt)
        return error_set(error, "no memory for the prompt");
    size_t count = encode(generator, generation, prompt, error);
    generation->prompt_tokens = (uint32_t)count;
    bool good = count > 0 && check_prompt(generator, count, error) &&
                generate_tokens(generator, generation, prompt, generator->steps, error);
    free(prompt);
    return good;
}
